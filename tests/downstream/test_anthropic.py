"""Anthropic's writer on logs made by hand: blocks one after the other, whatever the order of the parts."""

import json
from typing import Any

import pytest

from services.downstream.anthropic import AnthropicWriter
from services.downstream.anthropic_sides import of_call
from services.errors import BadRequest, Busy, HeadraceError, UnknownModel
from services.events import Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Usage
from services.wire.sse import SSEDecoder
from tests.downstream.stories import STARTED, reply, story

TEXT: list[Event] = [PartStarted(0, "text"), PartDelta(0, "Hel"), PartDelta(0, "lo"), PartFinished(0)]
REFUSAL: list[Event] = [PartStarted(0, "refusal"), PartDelta(0, "No."), PartFinished(0)]
STOP = Finished("stop", "stop", 1.0, 2.0)


def frames(*events: Event) -> list[dict[str, Any]]:
    """What a stream of these tells; every event is named as its data says."""
    entries = story(*events)
    body = AnthropicWriter(STARTED, {}).write(entries)
    one_by_one = AnthropicWriter(STARTED, {})
    assert b"".join(one_by_one.write([entry]) for entry in entries) == body
    told = [(name, json.loads(data)) for name, data, _ in SSEDecoder().feed(body)]
    assert all(name == data["type"] for name, data in told)
    return [data for _, data in told]


def blocks(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a client accumulates. Fails when blocks interleave, or an index is out of place."""
    found: list[dict[str, Any]] = []
    open = False
    for data in told:
        match data["type"]:
            case "content_block_start":
                assert not open
                assert data["index"] == len(found)
                found.append({**data["content_block"], "json": ""})
                open = True
            case "content_block_delta":
                assert open
                assert data["index"] == len(found) - 1
                _add(found[-1], data["delta"])
            case "content_block_stop":
                assert open
                assert data["index"] == len(found) - 1
                open = False
            case "message_delta" | "message_stop" | "error":
                assert not open
    for block in found:
        if arguments := block.pop("json"):
            block["input"] = json.loads(arguments)
    return found


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            block["json"] += delta["partial_json"]
        case "citations_delta":
            block.setdefault("citations", []).append(delta["citation"])
        case other:
            pytest.fail(other)


def call(part: int, name: str, *arguments: str) -> list[Event]:
    return [PartStarted(part, "tool_call", f"id-{name}", name), *(PartDelta(part, piece) for piece in arguments)]


def test_a_text_is_the_frames_that_the_sdks_expect() -> None:
    told = frames(*TEXT, Usage(input_tokens=9, output_tokens=5), STOP)
    usage = {"input_tokens": 9, "output_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    assert told == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_0123456789abcdef",
                "type": "message",
                "role": "assistant",
                "model": "up/model",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": dict.fromkeys(usage, 0),
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]


STORIES: dict[str, tuple[list[Event], list[dict[str, Any]]]] = {
    "parallel calls, closed at the end": (
        [
            *call(0, "first", '{"a":', "1}"),
            *call(1, "second", '{"b"', ":2}"),
            *call(2, "third"),
            *[PartFinished(part, value) for part, value in ((0, {"a": 1}), (1, {"b": 2}), (2, {}))],
        ],
        [
            {"type": "tool_use", "id": "id-first", "name": "first", "input": {"a": 1}},
            {"type": "tool_use", "id": "id-second", "name": "second", "input": {"b": 2}},
            {"type": "tool_use", "id": "id-third", "name": "third", "input": {}},
        ],
    ),
    "interleaved calls, the later one ends first": (
        [
            PartStarted(0, "text"),
            PartDelta(0, "both"),
            *call(1, "first", '{"a":'),
            *call(2, "second", '{"b":'),
            PartDelta(1, "[1,"),
            PartDelta(2, "2}"),
            PartFinished(2, {"b": 2}),
            PartDelta(0, " of"),
            PartFinished(0),
            PartDelta(1, "2]}"),
            PartFinished(1, {"a": [1, 2]}),
        ],
        [
            {"type": "text", "text": "both of"},
            {"type": "tool_use", "id": "id-first", "name": "first", "input": {"a": [1, 2]}},
            {"type": "tool_use", "id": "id-second", "name": "second", "input": {"b": 2}},
        ],
    ),
    "thinking, with the signature that has to come back": (
        [
            PartStarted(0, "reasoning", form="plain"),
            PartDelta(0, "hm"),
            PartFinished(0, None, {"signature": "EqQB"}),
            *call(1, "f", "{}"),
            PartFinished(1, {}),
        ],
        [
            {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
            {"type": "tool_use", "id": "id-f", "name": "f", "input": {}},
        ],
    ),
    "a call, followed by what another vendor wants back with it": (
        [*call(0, "f"), PartFinished(0, {}, {"thought_signature": "CiQB"}), PartStarted(1, "text"), PartDelta(1, "x"), PartFinished(1)],
        [
            {"type": "tool_use", "id": "id-f", "name": "f", "input": {}},
            {"type": "redacted_thinking", "data": of_call("id-f", {"thought_signature": "CiQB"})},
            {"type": "text", "text": "x"},
        ],
    ),
    "thinking that nobody signed": (
        [PartStarted(0, "reasoning"), PartDelta(0, "hm"), PartFinished(0)],
        [{"type": "thinking", "thinking": "hm", "signature": ""}],
    ),
    "redacted thinking between two texts": (
        [
            PartStarted(0, "text"),
            PartDelta(0, "a"),
            PartStarted(1, "reasoning", form="encrypted"),
            PartFinished(0),
            PartStarted(2, "text"),
            PartDelta(2, "b"),
            PartFinished(1, None, {"redacted": "EmwK"}),
            PartDelta(2, "c"),
            PartFinished(2),
        ],
        [{"type": "text", "text": "a"}, {"type": "redacted_thinking", "data": "EmwK"}, {"type": "text", "text": "bc"}],
    ),
    "a refusal is a text": (
        [PartStarted(0, "refusal"), PartDelta(0, "No."), PartFinished(0)],
        [{"type": "text", "text": "No."}],
    ),
    "a source belongs to the text before it": (
        [*TEXT, PartStarted(1, "source"), PartFinished(1, {"url": "https://a.example/", "title": "A"})],
        [
            {
                "type": "text",
                "text": "Hello",
                "citations": [
                    {
                        "type": "web_search_result_location",
                        "url": "https://a.example/",
                        "title": "A",
                        "cited_text": "",
                        "encrypted_index": "",
                    }
                ],
            }
        ],
    ),
    "a source without any text": (
        [PartStarted(1, "source"), PartFinished(1, {"url_citation": {"url": "https://a.example/", "title": 7}})],
        [
            {
                "type": "text",
                "text": "",
                "citations": [
                    {
                        "type": "web_search_result_location",
                        "url": "https://a.example/",
                        "title": None,
                        "cited_text": "",
                        "encrypted_index": "",
                    }
                ],
            }
        ],
    ),
    "what the dialect has no block for": (
        [
            PartStarted(0, "image"),
            PartFinished(0, {"url": "data:"}),
            PartStarted(1, "opaque"),
            PartDelta(1, "?"),
            PartFinished(1, [1]),
            PartStarted(2, "source"),
            PartFinished(2, "no object"),
            PartStarted(3, "text"),
            PartDelta(3, "x"),
            PartFinished(3),
        ],
        [{"type": "text", "text": "x"}],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_streamed_and_whole_it_is_the_same_content(name: str) -> None:
    events, content = STORIES[name]
    assert blocks(frames(*events, STOP)) == content
    assert json.loads(AnthropicWriter.whole(reply(*events, STOP), {}))["content"] == content


def test_the_first_call_streams_while_the_second_waits() -> None:
    writer = AnthropicWriter(STARTED, {})
    writer.write(story(*call(0, "first"), *call(1, "second")))
    assert b'"partial_json":"{}"' in writer.write([*story(PartDelta(0, "{}"))[1:]])
    assert writer.write([*story(PartDelta(1, "{}"))[1:]]) == b""


@pytest.mark.parametrize(
    ("events", "stop_reason"),
    [
        ([STOP], "end_turn"),
        ([Finished("length", "length")], "max_tokens"),
        ([Finished("tool_calls", "tool_calls")], "tool_use"),
        ([Finished("content_filter", "content_filter")], "refusal"),
        ([*REFUSAL, STOP], "refusal"),
        ([Finished("stop", "stop_sequence")], "stop_sequence"),
        ([Finished("length", "model_context_window_exceeded")], "model_context_window_exceeded"),
        ([Finished("stop", "<|im_end|>")], "end_turn"),
        ([*TEXT, Finished("stopped")], "end_turn"),
    ],
)
def test_stop_reasons(events: list[Event], stop_reason: str) -> None:
    (delta,) = (data for data in frames(*events) if data["type"] == "message_delta")
    assert delta["delta"]["stop_reason"] == stop_reason
    assert json.loads(AnthropicWriter.whole(reply(*events), {}))["stop_reason"] == stop_reason


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(), (0, 0, 0, 0)),
        (Usage(input_tokens=9, output_tokens=5, cached_tokens=100, cache_write_tokens=7), (9, 5, 100, 7)),  # Anthropic: no total
        (Usage(input_tokens=109, output_tokens=5, cached_tokens=100, total_tokens=114), (9, 5, 100, 0)),  # OpenAI: cached are input
        (Usage(input_tokens=9, output_tokens=50, reasoning_tokens=40, total_tokens=59), (9, 50, 0, 0)),  # OpenAI: reasoning is output
        (Usage(input_tokens=9, output_tokens=10, reasoning_tokens=40, total_tokens=59), (9, 50, 0, 0)),  # Gemini: it is not
        (Usage(input_tokens=9, output_tokens=5, cached_tokens=100, total_tokens=114), (9, 5, 100, 0)),  # a total with the cached
    ],
)
def test_usage_is_counted_as_anthropic_does(usage: Usage, told: tuple[int, int, int, int]) -> None:
    (delta,) = (data for data in frames(usage, STOP) if data["type"] == "message_delta")
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    assert tuple(delta["usage"][name] for name in names) == told
    assert json.loads(AnthropicWriter.whole(reply(usage, STOP), {}))["usage"] == delta["usage"]


@pytest.mark.parametrize(
    ("failed", "kind"),
    [
        (Failed("rate_limited", "Slower.", status=429), "rate_limit_error"),
        (Failed("rate_limited", "Slower."), "rate_limit_error"),
        (Failed("server_error", "It failed.", status=529), "overloaded_error"),
        (Failed("server_error", "It failed.", status=500), "api_error"),
        (Failed("truncated", "It ended."), "api_error"),
        (Failed("gap_timeout", "Nothing came."), "timeout_error"),
        (Failed("too_long", "Too long.", status=400), "invalid_request_error"),
    ],
)
def test_an_error_in_the_middle_is_the_last_event(failed: Failed, kind: str) -> None:
    told = frames(*TEXT, failed)
    assert blocks(told) == [{"type": "text", "text": "Hello"}]
    error = {"type": kind, "message": failed.message}
    assert told[-1] == {"type": "error", "error": error, "request_id": "req_0123456789abcdef"}
    assert [data["type"] for data in told].count("message_stop") == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [(UnknownModel("No."), "not_found_error"), (BadRequest("No."), "invalid_request_error"), (Busy("No."), "overloaded_error")],
)
def test_an_error_before_the_stream(error: HeadraceError, kind: str) -> None:
    assert json.loads(AnthropicWriter.refusal(error)) == {"type": "error", "error": {"type": kind, "message": "No."}, "request_id": None}


@pytest.mark.parametrize(("arguments", "value"), [("city=Köln", None), ("[1]", [1]), ("null", None)])
def test_arguments_that_are_no_object_are_told_whole(arguments: str, value: object) -> None:
    events = [*call(0, "f", arguments), PartFinished(0, value), Finished("tool_calls")]
    assert json.loads(AnthropicWriter.whole(reply(*events), {}))["content"][0]["input"] == {"INVALID_JSON": arguments}


def test_no_text_breaks_a_frame() -> None:
    text = 'a\n\nevent: error\ndata: {}\r\u2028\u2029\u0085"\\%b%d👋'
    told = frames(PartStarted(0, "text"), PartDelta(0, text), PartFinished(0), STOP)
    assert blocks(told) == [{"type": "text", "text": text}]
    body = AnthropicWriter(STARTED, {}).write(story(PartStarted(0, "text"), PartDelta(0, text)))
    assert not set("\u2028\u2029\u0085") & set(body.decode())
