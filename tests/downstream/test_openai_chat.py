"""The writers of Chat Completions and legacy Completions on logs made by hand, and what they repeat of a reply as a whole."""

import json
from typing import Any

import msgspec
import pytest

from services.downstream import WRITERS
from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Usage
from services.wire.sse import SSEDecoder
from tests.downstream.stories import STARTED, reply, story

DONE = b"[DONE]"
HEAD = {"model": STARTED.model, "created": STARTED.created}
STORY: list[Event] = [
    PartStarted(0, "reasoning"),
    PartDelta(0, "Hm"),
    PartFinished(0, side={"signature": "s"}),
    PartStarted(1, "text"),
    PartDelta(1, "100 % \u2028"),
    PartStarted(2, "source"),
    PartFinished(2, {"url": "https://a.test", "title": "A"}),
    PartStarted(3, "tool_call", "c1", "f"),
    PartDelta(3, '{"a":'),
    PartStarted(4, "tool_call", "c2", "g"),
    PartDelta(1, "more"),
    PartDelta(3, "1}"),
    PartFinished(4, {}, {"thought_signature": "t"}),
    PartFinished(3, {"a": 1}),
    PartFinished(1),
    PartStarted(5, "image"),
    PartFinished(5, {"url": "data:image/png;base64,QUJD"}),
    Usage(3, 2, 1, 1),
    Finished("tool_calls"),
]
DETAILS = [{"type": "reasoning.text", "text": "Hm", "signature": "s", "format": "anthropic-claude-v1"}]
CITED = [{"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 0, "url": "https://a.test", "title": "A"}}]


def frames(dialect: str, *events: Event, **body: Any) -> list[Any]:
    """What a stream of these tells; `[DONE]` is DONE."""
    entries = story(*events)
    written = WRITERS[dialect](STARTED, body).write(entries)
    one_by_one = WRITERS[dialect](STARTED, body)
    assert b"".join(one_by_one.write([entry]) for entry in entries) == written
    assert all(line.startswith(b"data: ") for line in written.split(b"\n") if line)
    return [data if data == DONE else json.loads(data) for _, data, _ in SSEDecoder().feed(written)]


def accumulated(told: list[Any]) -> dict[str, Any]:
    """The message as the SDKs put it together: strings grow, lists by their index."""
    message: dict[str, Any] = {}
    for chunk in told:
        for choice in chunk["choices"]:
            _merge(message, choice["delta"])
    return message


def _merge(into: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if isinstance(value, str) and name in into:
            into[name] += value
        elif isinstance(value, list) and name in into:
            for entry in value:
                if entry["index"] < len(into[name]):
                    _merge(into[name][entry["index"]], {key: value for key, value in entry.items() if key != "index"})
                else:
                    into[name].append(entry)
        elif isinstance(value, dict) and name in into:
            _merge(into[name], value)
        else:
            into[name] = value


def test_a_chat_in_full() -> None:
    *told, done = frames("openai_chat", *STORY, stream_options={"include_usage": True})
    assert done == DONE
    assert all({"id", "object", "created", "model", "choices"} <= set(chunk) for chunk in told)
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in told} == {
        (f"chatcmpl-{STARTED.generation}", "chat.completion.chunk", STARTED.model)
    }
    assert [chunk["choices"][0]["finish_reason"] for chunk in told[:-1]] == [None] * (len(told) - 2) + ["tool_calls"]
    assert (told[-1]["choices"], told[-1]["usage"]["total_tokens"]) == ([], 5)
    calls = [call for chunk in told[:-1] for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert all(type(call["function"]["arguments"]) is str for call in calls)
    message = accumulated(told)
    whole = json.loads(WRITERS["openai_chat"].whole(reply(*STORY), {}))
    said = whole["choices"][0]["message"]
    for name in ("content", "reasoning_content", "reasoning_details", "annotations"):
        assert message[name] == said[name], name
    assert said["content"] == "100 % \u2028more"
    assert (said["reasoning_details"], said["annotations"]) == (DETAILS, CITED)
    for name in ("tool_calls", "images"):
        assert [{key: value for key, value in each.items() if key != "index"} for each in message[name]] == said[name]
    assert [call["function"]["arguments"] for call in said["tool_calls"]] == ['{"a":1}', "{}"]
    assert said["tool_calls"][1]["extra_content"] == {"google": {"thought_signature": "t"}}
    assert whole["usage"] == told[-1]["usage"]
    assert whole["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_completions"])
@pytest.mark.parametrize("model", ["up/100%", "up/%d%b%%", "up/\0", "\0", "up/\u2028ö"])
def test_a_model_may_be_called_anything(dialect: str, model: str) -> None:
    started = msgspec.structs.replace(STARTED, model=model)
    entries = [Entry(1, 0.0, started), *story(*STORY[3:5], PartFinished(1), Finished("stop"))[1:]]
    frames = SSEDecoder().feed(WRITERS[dialect](started, {}).write(entries))
    assert {json.loads(data)["model"] for _, data, _ in frames[:-1]} == {model}


def test_a_refusal_is_a_field_of_its_own() -> None:
    refusal: list[Event] = [PartStarted(0, "refusal"), PartDelta(0, "No"), PartDelta(0, "."), PartFinished(0), Finished("stop")]
    assert accumulated(frames("openai_chat", *refusal)[:-1])["refusal"] == "No."
    said = json.loads(WRITERS["openai_chat"].whole(reply(*refusal), {}))["choices"][0]["message"]
    assert (said["refusal"], said["content"]) == ("No.", None)
    assert "".join(chunk["choices"][0]["text"] for chunk in frames("openai_completions", *refusal)[:-1]) == "No."


@pytest.mark.parametrize(("dialect", "events"), [("openai_chat", STORY[:5]), ("openai_completions", STORY[:5])])
def test_a_failure_in_the_middle_ends_without_done(dialect: str, events: list[Event]) -> None:
    failed = Failed("truncated", "Cut.", True, "streaming")
    told = frames(dialect, *events, PartFinished(1), failed)
    assert told[-1] == {"error": {"message": "Cut.", "type": "server_error", "param": None, "code": "truncated"}}
    assert not any(chunk["choices"][0]["finish_reason"] for chunk in told[:-1])


@pytest.mark.parametrize(
    ("reason", "chat", "text"),
    [
        ("stop", "stop", "stop"),
        ("length", "length", "length"),
        ("tool_calls", "tool_calls", "stop"),
        ("content_filter", "content_filter", "content_filter"),
        ("stopped", "stop", "stop"),
    ],
)
def test_reasons(reason: Any, chat: str, text: str) -> None:
    for dialect, word in (("openai_chat", chat), ("openai_completions", text)):
        assert frames(dialect, *STORY[3:5], PartFinished(1), Finished(reason))[-2]["choices"][0]["finish_reason"] == word
        whole = json.loads(WRITERS[dialect].whole(reply(*STORY[3:5], PartFinished(1), Finished(reason)), {}))
        assert whole["choices"][0]["finish_reason"] == word


def test_completions_tell_the_text_and_nothing_else() -> None:
    *told, done = frames("openai_completions", *STORY, stream_options={"include_usage": True})
    assert done == DONE
    assert [(chunk["object"], chunk["model"]) for chunk in told] == [("text_completion", STARTED.model)] * len(told)
    assert [choice for chunk in told for choice in chunk["choices"]] == [
        {"text": "100 % \u2028", "index": 0, "logprobs": None, "finish_reason": None},
        {"text": "more", "index": 0, "logprobs": None, "finish_reason": None},
        {"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"},
    ]
    whole = json.loads(WRITERS["openai_completions"].whole(reply(*STORY), {}))
    assert (whole["choices"][0]["text"], whole["object"]) == ("100 % \u2028more", "text_completion")
    assert whole["usage"] == told[-1]["usage"]
