"""The Responses writer on logs made by hand: events that count themselves, items from `added` to `done`, one final response."""

import json
from typing import Any

import pytest

from services.downstream.openai_responses import OpenAIResponsesWriter
from services.downstream.writer import Body
from services.errors import Busy, HeadraceError, Invalid
from services.events import Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Usage
from services.wire.sse import SSEDecoder
from tests.downstream.stories import STARTED, reply, story

ID = STARTED.generation
TEXT: list[Event] = [PartStarted(0, "text"), PartDelta(0, "Hel"), PartDelta(0, "lo"), PartFinished(0)]
CALL: list[Event] = [
    PartStarted(1, "tool_call", "call_1", "get_weather"),
    PartDelta(1, '{"city":'),
    PartDelta(1, '"Köln"}'),
    PartFinished(1, {"city": "Köln"}),
]
SOURCE = {"url": "https://a.test/1", "title": "One"}
STOP = Finished("stop", "stop", 1.0, 2.0)
NOTHING: Body = {}
BODY: Body = {"instructions": "Be brief.", "metadata": {"a": "b"}, "temperature": 0.5, "tools": [{"type": "function", "name": "f"}]}

STORIES: dict[str, list[Event]] = {
    "nothing": [STOP],
    "text": [*TEXT, Usage(3, 2), STOP],
    "reasoning, text": [
        PartStarted(0, "reasoning", form="plain"),
        PartDelta(0, "Hm"),
        PartDelta(0, "…"),
        PartFinished(0, side={"signature": "s"}),
        PartStarted(1, "text"),
        PartDelta(1, "Yes\u2028\u0085%d %b \U0001f44b"),
        PartFinished(1),
        STOP,
    ],
    "encrypted reasoning": [PartStarted(0, "reasoning", form="encrypted"), PartFinished(0, side={"redacted": "r"}), STOP],
    "calls": [*TEXT, *CALL, PartStarted(2, "tool_call", "call_2", "now"), PartFinished(2, {}), Finished("tool_calls")],
    "interleaved": [
        PartStarted(0, "text"),
        PartDelta(0, "one"),
        PartStarted(1, "tool_call", "call_1", "f"),
        PartDelta(1, "{"),
        PartStarted(2, "tool_call", "call_2", "g"),
        PartDelta(2, "{}"),
        PartDelta(0, " two"),
        PartDelta(1, "}"),
        PartFinished(2, {}),
        PartFinished(1, {}),
        PartFinished(0),
        Finished("tool_calls"),
    ],
    "refusal": [PartStarted(0, "refusal"), PartDelta(0, "I will "), PartDelta(0, "not."), PartFinished(0), STOP],
    "sources": [
        PartStarted(0, "source"),
        PartFinished(0, {"url": "https://a.test/0"}),
        PartStarted(1, "text"),
        PartDelta(1, "said"),
        PartStarted(2, "source"),
        PartFinished(2, SOURCE),
        PartFinished(1),
        PartStarted(3, "source"),
        PartFinished(3, {"type": "file_citation", "file_id": "f", "filename": "n", "index": 1}),
        PartStarted(4, "source"),
        PartFinished(4, {"title": "no address"}),
        PartStarted(5, "tool_call", "c", "f"),
        PartFinished(5, {}),
        STOP,
    ],
    "sources alone": [PartStarted(0, "source"), PartFinished(0, SOURCE), STOP],
    "an image": [PartStarted(0, "image"), PartFinished(0, {"url": "data:image/png;base64,QUJD"}), STOP],
    "length": [*TEXT, Usage(3, 2, 1, 1, 1, 5), Finished("length", "max_tokens")],
    "content filter": [*TEXT, Finished("content_filter")],
    "stopped": [*TEXT, Finished("stopped")],
    "failed": [*TEXT, Failed("rate_limited", "Too many.", True, "streaming", 429)],
    "failed in a call": [*TEXT, *CALL[:2], PartFinished(1), Failed("truncated", "Cut.", True, "streaming")],
}


def frames(*events: Event, after: int = -1, body: Body = NOTHING) -> list[dict[str, Any]]:
    """What a stream of these tells after an event; every event is named as its data says."""
    entries = story(*events)
    written = OpenAIResponsesWriter(STARTED, body, after).write(entries)
    one_by_one = OpenAIResponsesWriter(STARTED, body, after)
    assert b"".join(one_by_one.write([entry]) for entry in entries) == written
    assert b"\nid:" not in written
    told = [(name, json.loads(data)) for name, data, _ in SSEDecoder().feed(written)]
    assert all(name == data["type"] for name, data in told)
    assert [data["sequence_number"] for _, data in told] == list(range(after + 1, after + 1 + len(told)))
    return [data for _, data in told]


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [data["type"].removeprefix("response.") for data in told]


def accumulated(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The output that a client puts together from the events alone. Fails where they do not fit each other."""
    output: list[dict[str, Any]] = []
    done: set[int] = set()
    for data in told:
        kind = data["type"].removeprefix("response.")
        if kind == "output_item.added":
            assert data["output_index"] == len(output)
            output.append(data["item"])
        elif kind == "output_item.done":
            item = output[data["output_index"]]
            for name in ("content", "summary", "arguments", "type", "id", "call_id", "name"):
                assert item.get(name) == data["item"].get(name), name
            output[data["output_index"]] = data["item"]
            done.add(data["output_index"])
        elif "output_index" in data:
            assert data["output_index"] not in done
            _grow(output[data["output_index"]], kind, data)
    assert done == set(range(len(output)))
    return output


def _grow(item: dict[str, Any], kind: str, data: dict[str, Any]) -> None:
    assert data["item_id"] == item["id"]
    field, text = ("summary", "text") if item["type"] == "reasoning" else ("content", "text")
    if item["type"] == "function_call":
        if kind == "function_call_arguments.delta":
            item["arguments"] += data["delta"]
        else:
            item["arguments"] = item["arguments"] or "{}"
            assert (kind, data["arguments"]) == ("function_call_arguments.done", item["arguments"])
        return
    index = data["summary_index" if field == "summary" else "content_index"]
    if kind.endswith("part.added"):
        assert index == len(item[field])
        item[field].append(data["part"])
        return
    part = item[field][index]
    text = "refusal" if part["type"] == "refusal" else "text"
    if kind.endswith("part.done"):
        assert part == data["part"]
    elif kind.endswith("annotation.added"):
        assert data["annotation_index"] == len(part["annotations"])
        part["annotations"].append(data["annotation"])
    elif kind.endswith(".delta"):
        part[text] += data["delta"]
    else:
        assert data[text] == part[text]


@pytest.mark.parametrize("name", STORIES)
def test_events_response_and_whole_answer_say_the_same(name: str) -> None:
    told = frames(*STORIES[name], body=BODY)
    assert kinds(told)[:2] == ["created", "in_progress"]
    final = next(data["response"] for data in reversed(told) if "response" in data)
    assert final["output"] == accumulated(told)
    assert final == json.loads(OpenAIResponsesWriter.whole(reply(*STORIES[name]), BODY))
    assert (final["instructions"], final["metadata"], final["temperature"], final["tools"]) == tuple(BODY.values())
    assert {data["response"]["id"] for data in told if "response" in data} == {f"resp_{ID}"}


@pytest.mark.parametrize("name", STORIES)
def test_whatever_a_client_has_it_gets_exactly_the_rest(name: str) -> None:
    told = frames(*STORIES[name])
    for after in range(-1, len(told)):
        assert frames(*STORIES[name], after=after) == told[after + 1 :]


def test_text() -> None:
    told = frames(*STORIES["text"])
    assert kinds(told)[2:] == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    at = {"item_id": f"msg_{ID}_0", "output_index": 0, "content_index": 0}
    deltas = [{"type": "response.output_text.delta", **at, "delta": text, "logprobs": []} for text in ("Hel", "lo")]
    assert told[4:6] == [{**delta, "sequence_number": number} for number, delta in enumerate(deltas, start=4)]
    response = told[-1]["response"]
    assert (response["status"], response["error"], response["incomplete_details"]) == ("completed", None, None)
    assert (response["usage"]["input_tokens"], response["usage"]["output_tokens"], response["usage"]["total_tokens"]) == (3, 2, 5)


def test_reasoning_is_a_summary_that_holds_what_has_to_come_back() -> None:
    told = frames(*STORIES["reasoning, text"])
    assert kinds(told)[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    thought, message = told[-1]["response"]["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "Hm…"}]
    assert message["content"][0]["text"] == "Yes\u2028\u0085%d %b \U0001f44b"
    assert thought["encrypted_content"]
    (encrypted,) = frames(*STORIES["encrypted reasoning"])[-1]["response"]["output"]
    assert encrypted["summary"] == []
    assert encrypted["encrypted_content"]


def test_calls() -> None:
    told = frames(*STORIES["calls"])
    _, weather, now = told[-1]["response"]["output"]
    assert (weather["call_id"], weather["name"], weather["arguments"]) == ("call_1", "get_weather", '{"city":"Köln"}')
    assert (now["arguments"], now["status"]) == ("{}", "completed")
    assert told[-1]["type"] == "response.completed"


def test_a_call_keeps_its_signature() -> None:
    side: dict[str, object] = {"thought_signature": "s"}
    told = frames(PartStarted(0, "tool_call", "c", "f"), PartDelta(0, "{}"), PartFinished(0, {}, side), Finished("tool_calls"))
    assert told[-1]["response"]["output"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


def test_a_text_keeps_its_phase_and_its_signature() -> None:
    told = frames(*TEXT[:-1], PartFinished(0, side={"phase": "commentary", "thought_signature": "s"}), STOP)
    (message,) = told[-1]["response"]["output"]
    assert (message["phase"], message["extra_content"]) == ("commentary", {"google": {"thought_signature": "s"}})


def test_sources_are_annotations_of_the_text_before_them() -> None:
    message, _ = frames(*STORIES["sources"])[-1]["response"]["output"]
    assert message["content"][0]["annotations"] == [
        {"type": "url_citation", "start_index": 0, "end_index": 0, "url": "https://a.test/0", "title": "https://a.test/0"},
        {"type": "url_citation", "start_index": 0, "end_index": 0, **SOURCE},
        {"type": "file_citation", "file_id": "f", "filename": "n", "index": 1},
    ]
    (alone,) = frames(*STORIES["sources alone"])[-1]["response"]["output"]
    assert (alone["content"][0]["text"], len(alone["content"][0]["annotations"])) == ("", 1)


def test_an_image() -> None:
    (image,) = frames(*STORIES["an image"])[-1]["response"]["output"]
    assert (image["type"], image["status"], image["result"]) == ("image_generation_call", "completed", "QUJD")


@pytest.mark.parametrize(
    ("name", "kind", "status", "detail"),
    [
        ("length", "incomplete", "incomplete", {"reason": "max_output_tokens"}),
        ("content filter", "incomplete", "incomplete", {"reason": "content_filter"}),
        ("stopped", "incomplete", "cancelled", None),
    ],
)
def test_ends_that_are_not_complete(name: str, kind: str, status: str, detail: object) -> None:
    told = frames(*STORIES[name])
    response = told[-1]["response"]
    assert (kinds(told)[-1], response["status"], response["incomplete_details"]) == (kind, status, detail)
    assert response["output"][0]["status"] == "incomplete"


def test_a_failure_is_told_twice_because_nothing_raises_at_the_first() -> None:
    failed, error = frames(*STORIES["failed"])[-2:]
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["error"] == {"code": "rate_limit_exceeded", "message": "Too many."}
    assert (error["type"], error["code"], error["message"]) == ("error", "rate_limited", "Too many.")
    assert error["error"] == {"message": "Too many.", "type": "rate_limit_error", "param": None, "code": "rate_limited"}
    assert frames(*STORIES["failed in a call"])[-2]["response"]["output"][1]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("events", "last"), [([], None), (TEXT[:2], "in_progress"), ([*TEXT, *CALL[:2]], "in_progress"), (CALL, "completed")]
)
def test_while_it_runs_it_is_in_progress(events: list[Event], last: str | None) -> None:
    response = json.loads(OpenAIResponsesWriter.whole(reply(*events), {}))
    assert (response["status"], response["usage"]) == ("in_progress", None)
    assert (response["output"][-1]["status"] if response["output"] else None) == last


@pytest.mark.parametrize(("error", "kind"), [(Invalid("No."), "invalid_request_error"), (Busy("Later."), "server_error")])
def test_an_error_before_the_first_byte(error: HeadraceError, kind: str) -> None:
    told = json.loads(OpenAIResponsesWriter.refusal(error))["error"]
    assert told == {"message": error.message, "type": kind, "param": None, "code": error.code}
