"""Ollama's writers on logs made by hand: lines of JSON for its clients, frames for hand-written ones, from one shape."""

import json
from typing import Any

import pytest

from services.downstream.ollama import OllamaChatWriter, OllamaGenerateWriter, OllamaObjects, OllamaWriter
from services.errors import UnknownModel
from services.events import Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Usage
from services.wire.sse import SSEDecoder
from tests.downstream.stories import STARTED, reply, story

HEAD = {"model": "up/model", "created_at": "2026-09-21T14:13:20Z"}
TEXT: list[Event] = [PartStarted(0, "text"), PartDelta(0, "Hel"), PartDelta(0, "lo"), PartFinished(0)]
STOP = Finished("stop", "stop", 250.0, 1000.5)
NOBODY_TOLD = {"prompt_eval_count": 0, "eval_count": 0}
TIMES = {"total_duration": 1_000_500_000, "load_duration": 0, "prompt_eval_duration": 250_000_000, "eval_duration": 750_500_000}
WRITERS: list[type[OllamaObjects]] = [OllamaWriter, OllamaChatWriter, OllamaGenerateWriter]


def objects(writer: type[OllamaObjects], *events: Event) -> list[dict[str, Any]]:
    body = writer(STARTED, {}).write(story(*events))
    if writer is OllamaWriter:
        return [json.loads(data) for _, data, _ in SSEDecoder().feed(body)]
    assert body.endswith(b"\n")
    lines = body.decode().splitlines()  # as ollama-python cuts them: also at U+0085, U+2028 and U+2029
    assert all(lines)
    return [json.loads(line) for line in lines]


def said(told: dict[str, Any]) -> dict[str, Any]:
    return dict(told.get("message") or {})


def test_a_chat_is_the_lines_that_the_sdks_expect() -> None:
    told = objects(OllamaChatWriter, *TEXT, Usage(input_tokens=9, output_tokens=5), STOP)
    assert told == [
        {**HEAD, "message": {"role": "assistant", "content": "Hel"}, "done": False},
        {**HEAD, "message": {"role": "assistant", "content": "lo"}, "done": False},
        {
            **HEAD,
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 9,
            "eval_count": 5,
            **TIMES,
        },
    ]


def test_a_generation_has_responses() -> None:
    told = objects(OllamaGenerateWriter, PartStarted(0, "reasoning"), PartDelta(0, "hm"), PartFinished(0), *TEXT, STOP)
    assert told == [
        {**HEAD, "response": "", "thinking": "hm", "done": False},
        {**HEAD, "response": "Hel", "done": False},
        {**HEAD, "response": "lo", "done": False},
        {**HEAD, "response": "", "done": True, "done_reason": "stop", **NOBODY_TOLD, **TIMES},
    ]


def test_the_frames_hold_the_same_objects_as_the_lines() -> None:
    events: list[Event] = [*TEXT, PartStarted(1, "tool_call", "c", "f"), PartDelta(1, "{}"), PartFinished(1, {}), Usage(1, 2), STOP]
    assert objects(OllamaWriter, *events) == objects(OllamaChatWriter, *events)


def test_interleaved_calls_come_whole_in_the_order_of_their_end() -> None:
    told = objects(
        OllamaChatWriter,
        PartStarted(0, "tool_call", "a1", "first"),
        PartStarted(1, "tool_call", "b2", "second"),
        PartDelta(0, '{"city":'),
        PartDelta(1, '{"b"'),
        PartDelta(0, '"Köln"}'),
        PartDelta(1, ":2}"),
        PartFinished(1, {"b": 2}),
        PartFinished(0, {"city": "Köln"}),
        Finished("tool_calls"),
    )
    calls = [call for line in told for call in said(line).get("tool_calls", ())]
    assert calls == [
        {"id": "b2", "function": {"index": 0, "name": "second", "arguments": {"b": 2}}},
        {"id": "a1", "function": {"index": 1, "name": "first", "arguments": {"city": "Köln"}}},
    ]
    assert told[-1]["done_reason"] == "stop"


@pytest.mark.parametrize(("arguments", "value"), [("city=Köln", None), ("[1]", [1])])
def test_arguments_that_are_no_object_are_told_all_the_same(arguments: str, value: object) -> None:
    events: list[Event] = [PartStarted(0, "tool_call", "a", "f"), PartDelta(0, arguments), PartFinished(0, value), STOP]
    whole = json.loads(OllamaChatWriter.whole(reply(*events), {}))
    for told in (objects(OllamaChatWriter, *events)[0], whole):
        assert said(told)["tool_calls"][0]["function"]["arguments"] == {"INVALID_JSON": arguments}


@pytest.mark.parametrize("writer", WRITERS)
def test_whole_is_what_the_stream_adds_up_to(writer: type[OllamaObjects]) -> None:
    events: list[Event] = [
        PartStarted(0, "reasoning"),
        PartDelta(0, "let me"),
        PartDelta(0, " see"),
        PartFinished(0),
        PartStarted(1, "text"),
        PartDelta(1, "I "),
        PartStarted(2, "refusal"),
        PartDelta(2, "won't"),
        PartFinished(1),
        PartFinished(2),
        PartStarted(3, "tool_call", "c", "f"),
        PartFinished(3, {}),
        PartStarted(4, "source"),
        PartFinished(4, {"url": "x"}),
        Usage(input_tokens=1, output_tokens=2),
        Finished("length", "length", 1.0, 2.0),
    ]
    told = objects(writer, *events)
    whole = json.loads(writer.whole(reply(*events), {}))
    if writer is OllamaGenerateWriter:
        added: dict[str, Any] = {"response": "".join(line["response"] for line in told)}
        added["thinking"] = "".join(line.get("thinking", "") for line in told)
    else:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(said(line)["content"] for line in told)}
        message["thinking"] = "".join(said(line).get("thinking", "") for line in told)
        message["tool_calls"] = [call for line in told for call in said(line).get("tool_calls", ())]
        added = {"message": message}
    assert whole == {**told[-1], **added}
    assert (whole["done"], whole["done_reason"], whole["prompt_eval_count"], whole["eval_count"]) == (True, "length", 1, 2)
    assert "I won't" in json.dumps(whole, ensure_ascii=False)


@pytest.mark.parametrize("writer", WRITERS)
def test_an_error_in_the_middle_is_the_last_line(writer: type[OllamaObjects]) -> None:
    told = objects(writer, *TEXT, Failed("truncated", "It ended early."))
    assert told[-1] == {"error": "It ended early."}
    assert not any(line.get("done") for line in told)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_stop_is_a_stop(writer: type[OllamaObjects]) -> None:
    assert objects(writer, Finished("stopped"))[-1]["done_reason"] == "stop"


@pytest.mark.parametrize("writer", WRITERS)
def test_no_text_breaks_a_line(writer: type[OllamaObjects]) -> None:
    text = 'a\n\r\u2028\u2029\u0085"\\%b%d👋'
    told = objects(writer, PartStarted(0, "text"), PartDelta(0, text), PartFinished(0), Failed("upstream", text))
    assert (said(told[0]).get("content") or told[0].get("response")) == text
    assert told[-1] == {"error": text}


def test_a_model_may_be_called_anything() -> None:
    started = type(STARTED)("id", "up/100%b \u2028", 0)
    body = OllamaChatWriter(started, {}).write(story(*TEXT)[1:])
    assert [json.loads(line)["model"] for line in body.decode().splitlines()] == [started.model] * 2


@pytest.mark.parametrize("writer", [OllamaChatWriter, OllamaGenerateWriter])
def test_a_heartbeat_is_a_line_that_says_nothing(writer: type[OllamaObjects]) -> None:
    told = json.loads(writer.heartbeat)
    assert (said(told).get("content", told.get("response")), told["done"]) == ("", False)
    assert writer.heartbeat.endswith(b"}\n")


def test_an_error_before_the_stream() -> None:
    for writer in (OllamaChatWriter, OllamaGenerateWriter):
        assert json.loads(writer.refusal(UnknownModel("No model."))) == {"error": "No model."}
