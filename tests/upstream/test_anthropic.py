"""Anthropic's Messages: bytes on the left, events on the right."""

from typing import Any

import msgspec
import pytest

from services.events import Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Usage
from services.messages import Attachment, Reasoning, Text, ToolCall
from services.wire.sse import frame
from tests.upstream.reading import frames, part, read_all_ways, reply

STOPPED = {"type": "message_stop"}
FINISHED = Finished("stop", "end_turn")


def begun(**message: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": []} | message}


def block(kind: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def more(index: int = 0, **fields: Any) -> dict[str, Any]:
    kinds = {"text": "text_delta", "thinking": "thinking_delta", "signature": "signature_delta", "partial_json": "input_json_delta"}
    kind = next((kinds[name] for name in fields if name in kinds), "citations_delta")
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None = "end_turn", **usage: int) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}


def json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def told(*payloads: Any) -> list[Event]:
    """The events of these frames between a message's start and its end."""
    return read_all_ways("anthropic", frames(begun(), *payloads, end(), STOPPED))


def call(number: int, id: str, name: str, *texts: str, value: object) -> list[Event]:
    return part(number, "tool_call", *texts, id=id, name=name, value=value)


THINKS = block("thinking", thinking="", signature="")

ANSWERS: list[tuple[str, list[Any], list[Event]]] = [
    ("text", [block("text", text=""), more(text="Hel"), more(text="lo"), stop()], part(0, "text", "Hel", "lo")),
    ("text in the start", [block("text", text="Hel"), more(text="lo"), stop()], part(0, "text", "Hel", "lo")),
    ("no start", [more(text="Hel"), more(text="lo"), stop()], part(0, "text", "Hel", "lo")),
    ("no stop", [block("text", text=""), more(text="Hello")], part(0, "text", "Hello")),
    ("no index", [{"type": "content_block_delta", "delta": {"text": "Hello"}}], part(0, "text", "Hello")),
    ("pings", [{"type": "ping"}, more(text="Hel"), {"type": "ping"}, more(text="lo")], part(0, "text", "Hel", "lo")),
    ("unknown events", [{"type": "news"}, more(text="Hello"), more(news="?")], part(0, "text", "Hello")),
    ("a sentence in two blocks", [more(text="Hel"), stop(), block("text", 1, text=""), more(1, text="lo")], part(0, "text", "Hel", "lo")),
    ("half a character", [more(text="a"), more(text="\0")], part(0, "text", "a", "\ufffd")),
    (
        "thinking",
        [THINKS, more(thinking="h"), more(thinking="m"), more(signature="S"), stop(), more(1, text="a")],
        [*part(0, "reasoning", "h", "m", side={"signature": "S"}), *part(1, "text", "a")],
    ),
    (
        "two thoughts",
        [
            *(THINKS, more(thinking="a"), more(signature="S"), stop()),
            *(block("thinking", 1, thinking="", signature=""), more(1, thinking="b"), more(1, signature="T"), stop(1)),
        ],
        [*part(0, "reasoning", "a", side={"signature": "S"}), *part(1, "reasoning", "b", side={"signature": "T"})],
    ),
    (
        "thinking without starts and stops",
        [more(thinking="hm"), more(signature="S"), more(1, text="a")],
        [*part(0, "reasoning", "hm", side={"signature": "S"}), *part(1, "text", "a")],
    ),
    (
        "two thoughts without starts",
        [more(thinking="a"), more(signature="S"), stop(), more(1, thinking="b"), stop(1)],
        [*part(0, "reasoning", "a", side={"signature": "S"}), *part(1, "reasoning", "b")],
    ),
    (
        "thinking that is not shown",
        [THINKS, more(signature="S"), stop(), more(1, text="a")],
        [*part(0, "reasoning", side={"signature": "S"}), *part(1, "text", "a")],
    ),
    (
        "redacted thinking",
        [block("redacted_thinking", data="R"), stop(), more(1, text="a")],
        [*part(0, "reasoning", form="encrypted", side={"redacted": "R"}), *part(1, "text", "a")],
    ),
    (
        "a call",
        [block("tool_use", id="a", name="x", input={}), more(partial_json=""), more(partial_json='{"n"'), more(partial_json=":1}"), stop()],
        call(0, "a", "x", '{"n"', ":1}", value={"n": 1}),
    ),
    ("a call without arguments", [block("tool_use", id="a", name="x", input={}), stop()], call(0, "a", "x", value={})),
    (
        "a call with whole arguments",
        [block("tool_use", id="a", name="x", input={"n": 1}), stop()],
        call(0, "a", "x", '{"n":1}', value={"n": 1}),
    ),
    ("a call without an id", [block("tool_use", name="x"), stop()], call(0, "call00000", "x", value={})),
    ("arguments without a call", [more(partial_json="{}")], call(0, "call00000", "", "{}", value={})),
    (
        "text and two calls without stops",
        [
            *(more(text="a"), block("tool_use", 1, id="a", name="x"), more(1, partial_json="{}")),
            *(block("tool_use", 2, id="b", name="x"), more(2, partial_json='{"n":2}')),
        ],
        [
            *(PartStarted(0, "text"), PartDelta(0, "a"), PartFinished(0), PartStarted(1, "tool_call", "a", "x"), PartDelta(1, "{}")),
            *(PartStarted(2, "tool_call", "b", "x"), PartDelta(2, '{"n":2}'), PartFinished(1, {}), PartFinished(2, {"n": 2})),
        ],
    ),
    (
        "a server's tool",
        [
            *(block("server_tool_use", id="s", name="web_search", input={}), more(partial_json='{"query":"x"}'), stop()),
            *(block("web_search_tool_result", 1, tool_use_id="s", content=[{"url": "https://e.org"}]), stop(1)),
        ],
        [
            *part(0, "opaque", value={"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}),
            *part(1, "opaque", value={"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "https://e.org"}]}),
        ],
    ),
    (
        "blocks of a kind unknown yet",
        [block("compaction", content=None), more(content="short"), more(content="er"), more(text="a"), stop(), more(1, text="b")],
        [*part(0, "opaque", value={"type": "compaction", "content": "shorter", "text": "a"}), *part(1, "text", "b")],
    ),
    (
        "citations",
        [
            more(text="a"),
            more(citation={"type": "web_search_result_location", "url": "https://e.org", "title": "E"}),
            more(citation={"type": "page_location", "document_title": "D"}),
        ],
        [
            *(PartStarted(0, "text"), PartDelta(0, "a")),
            *part(1, "source", value={"type": "web_search_result_location", "url": "https://e.org", "title": "E"}),
            *part(2, "source", value={"type": "page_location", "document_title": "D", "title": "D"}),
            PartFinished(0),
        ],
    ),
    (
        "images",
        [
            block("image", source={"type": "base64", "media_type": "image/png", "data": "AA"}),
            *(stop(), block("image", 1, source={"type": "url", "url": "https://e.org/a.png"}), stop(1)),
        ],
        [*part(0, "image", value={"url": "data:image/png;base64,AA"}), *part(1, "image", value={"url": "https://e.org/a.png"})],
    ),
    ("wrong shapes", [block("text", text=5, citations=[1, {}]), {**stop(), "index": "0"}, more(text="a")],
     [*part(0, "source", value={}), *part(1, "text", "a")]),
    ("three frames of no JSON", ["{", more(text="a"), "{]", '"'], part(0, "text", "a")),
    ("glued frames", [json(more(text="Hel")) + json(more(text="lo"))], part(0, "text", "Hel", "lo")),
    ("framed twice", ["data: " + json(more(text="Hello"))], part(0, "text", "Hello")),
]  # fmt: skip


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_answers(payloads: list[Any], parts: list[Event]) -> None:
    calls = any(isinstance(event, PartStarted) and event.kind == "tool_call" for event in parts)
    assert told(*payloads) == [*parts, Finished("tool_calls", "end_turn") if calls else FINISHED]


def test_the_type_may_stand_in_the_event_line_alone() -> None:
    told = [begun(), block("text", text=""), more(text="Hello"), end(), STOPPED]
    body = b"".join(frame(msgspec.json.encode({**each, "type": None}), event=each["type"]) for each in told)
    assert read_all_ways("anthropic", body) == [*part(0, "text", "Hello"), FINISHED]


ENDS = [
    ("end_turn", "stop"),
    ("stop_sequence", "stop"),
    ("pause_turn", "stop"),
    ("something_new", "stop"),
    ("tool_use", "stop"),  # of a reply without a call
    ("max_tokens", "length"),
    ("model_context_window_exceeded", "length"),
    ("refusal", "content_filter"),
]


@pytest.mark.parametrize(("raw", "reason"), ENDS)
def test_the_end(raw: str, reason: Any) -> None:
    before = frames(begun(), more(text="a"), end(raw))
    for after in (b"", frames(STOPPED), frames(STOPPED, more(text="b")), frames("[DONE]"), b": ping\n\n"):
        assert read_all_ways("anthropic", before + after) == [*part(0, "text", "a"), Finished(reason, raw)]


def test_a_message_may_stop_without_a_reason() -> None:
    assert read_all_ways("anthropic", frames(begun(), more(text="a"), STOPPED)) == [*part(0, "text", "a"), Finished("stop")]


def test_a_refusal_may_be_explained() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    last = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    events = read_all_ways("anthropic", frames(begun(), more(text="a"), last, STOPPED))
    assert events == [*part(0, "text", "a"), *part(1, "refusal", "No."), Finished("content_filter", "refusal")]


USAGES = [
    ({"input_tokens": 9, "output_tokens": 1}, {"output_tokens": 5}, Usage(9, 5)),
    ({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 9, "output_tokens": 5}, Usage(9, 5)),
    (
        {"input_tokens": 9, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20},
        {"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 30}},
        Usage(9, 50, 30, 100, 20),
    ),
    ({"input_tokens": "9", "output_tokens": -1}, {"output_tokens": True, "output_tokens_details": 5}, None),
]


@pytest.mark.parametrize(("first", "last", "usage"), USAGES)
def test_usage(first: Any, last: Any, usage: Usage | None) -> None:
    events = read_all_ways("anthropic", frames(begun(usage=first), more(text="a"), end(**last), STOPPED))
    assert events[3:] == [*([usage] if usage else []), FINISHED]


def test_a_start_that_is_said_twice_and_one_of_another_message() -> None:
    first = begun(content=[{"type": "text", "text": "Hel"}])
    assert told(first, begun(), more(text="lo")) == [*part(0, "text", "lo"), FINISHED]  # it has begun already
    twice = frames(first, first, more(text="lo"), end(), STOPPED)
    assert read_all_ways("anthropic", twice) == [*part(0, "text", "Hel", "lo"), FINISHED]
    joined = frames(begun(), more(text="a"), end(), begun(id="msg_2"), more(text="b"))
    *_, failed = read_all_ways("anthropic", joined)
    assert isinstance(failed, Failed)
    assert failed.code == "truncated"
    *_, finished = read_all_ways("anthropic", joined + frames(end("max_tokens")))
    assert finished == Finished("length", "max_tokens")


WHOLE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "S"},
        {"type": "text", "text": "Hello", "citations": [{"title": "E"}]},
        {"type": "tool_use", "id": "a", "name": "x", "input": {"n": 1}},
        {"type": "server_tool_use", "id": "s", "name": "y", "input": {"q": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 9, "output_tokens": 5},
}


@pytest.mark.parametrize("more", [{}, {"type": None}, {"stop_reason": None}])
def test_a_whole_message_is_an_answer(more: dict[str, Any]) -> None:
    document = msgspec.json.encode(WHOLE | more)
    answers = [reply(read_all_ways("anthropic", body)) for body in (document, frame(document))]
    for told in answers:
        assert told.parts == (
            Reasoning("hm", side={"signature": "S"}),
            Text("Hello"),
            Attachment("source", {"title": "E"}),
            ToolCall("a", "x", '{"n":1}', {"n": 1}),
            Attachment("opaque", WHOLE["content"][3]),  # type: ignore[index]
        )
        assert (told.reason, told.usage) == ("tool_calls", Usage(9, 5))
