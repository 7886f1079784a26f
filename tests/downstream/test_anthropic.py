"""Anthropic's writer on logs made by hand: its frames, its reasons and counts, its errors."""

import json
from typing import Any

import pytest

from services.downstream.anthropic import AnthropicWriter
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
