"""Responses: bytes on the left, events on the right. Reasoning, calls and the like are in test_openai_responses_items.py."""

from typing import Any

import pytest

from services.events import Event, Finished, Usage
from services.messages import Attachment, Text
from services.upstream.openai_responses import OpenAIResponsesReader
from tests.upstream.reading import frames, part, read_all_ways, reply
from tests.upstream.response_events import COMPLETED, FINISHED, URL, added, done, ev, message, responses, said, text

DELTA = '"type":"response.output_text.delta","delta":'
HI = part(0, "text", "Hi")

TEXT = [
    ("fragments", [text("Hel"), text("lo")], part(0, "text", "Hel", "lo")),
    ("many fragments", [text(each) for each in "abcdef"], part(0, "text", *"abcdef")),
    ("neither item nor index", [ev("output_text.delta", delta="Hel"), ev("output_text.delta", delta="lo")], part(0, "text", "Hel", "lo")),
    (
        "an id that changes from event to event",
        [added(type="message", id="0") | {"output_index": 0}, *(text(each, item=each, output_index=0) for each in "abc")],
        part(0, "text", *"abc"),
    ),
    ("two contents", [text("a"), text("b", content=1), text("c", content=1)], [*part(0, "text", "a"), *part(1, "text", "b", "c")]),
    (
        "two messages",
        [text("a"), added(type="message", id="n"), text("b", item="n"), text("c", item="n")],
        [*part(0, "text", "a"), *part(1, "text", "b", "c")],
    ),
    (
        "two messages that alternate",
        [
            *(added(type="message", id=id) for id in "mn"),
            *(text(delta, item=item) for delta, item in ("am", "bn", "cm")),
            ev("output_text.delta", item_id="n", output_index="1", delta="d"),
            text("e"),
        ],
        [event for number, delta in enumerate("abcde") for event in part(number, "text", delta)],
    ),
    (
        "two messages without ids",
        [ev("output_text.delta", output_index=0, delta="a"), ev("output_text.delta", output_index=1, delta="b")],
        [*part(0, "text", "a"), *part(1, "text", "b")],
    ),
    (
        "an empty piece of another one between",
        [text("a"), added(type="message", id="n"), text("", item="n"), text("b", item="n")],
        [*part(0, "text", "a"), *part(1, "text", "b")],
    ),
    ("whole at the done of the text", [ev("output_text.done", item_id="m", content_index=0, text="Hi")], HI),
    ("whole at the done of the content", [ev("content_part.done", item_id="m", content_index=0, part=said("Hi"))], HI),
    ("whole at the done of the item", [done(**message(said("Hi")))], HI),
    ("whole at the end", [{**COMPLETED, "response": {"output": [message(said("Hi"))]}}], HI),
    (
        "whole at each of these, told once",
        [
            text("Hi"),
            ev("output_text.done", item_id="m", content_index=0, text="Hi"),
            ev("content_part.done", item_id="m", content_index=0, part=said("Hi")),
            done(**message(said("Hi"))),
            {**COMPLETED, "response": {"output": [message(said("Hi"))]}},
        ],
        HI,
    ),
    (
        "no ids and no indices at all, told once",
        [
            ev("output_text.delta", delta="Hi"),
            ev("output_text.done", text="Hi"),
            ev("output_item.done", item={"type": "message", "content": [said("Hi")]}),
            {**COMPLETED, "response": {"output": [{"type": "message", "content": [said("Hi")]}]}},
        ],
        HI,
    ),
    (
        "another id at the end, told once",
        [text("Hi"), {**COMPLETED, "response": {"output": [message(said("Hi"), id="other")]}}],
        HI,
    ),
    ("unknown types", [ev("hologram.delta", delta="x"), {"type": "keepalive"}, text("Hi"), ev("audio.delta", delta={"b64": ""})], HI),
    ("DONE at the end is not needed", [text("Hi")], HI),
    ("three frames of no JSON", ["{", text("Hi"), "{]", "{"], HI),
    ("two in one frame", [f'{{{DELTA}"H"}} {{{DELTA}"i"}}'], part(0, "text", "H", "i")),
    ("framed twice", ['data: {"type":"response.output_text.delta","delta":"Hi"}'], HI),
    ("index as text", [ev("output_text.delta", item_id="m", output_index="0", delta="Hi")], HI),
    ("a character in two deltas", [f'{{{DELTA}"a\\ud83d"}}', f'{{{DELTA}"\\udc4b!"}}'], part(0, "text", "a", "👋!")),
    (
        "wrong shapes",
        [
            text("Hi"),
            ev("output_item.added", item=5),
            ev("output_item.done", item=[]),
            done(type=7),
            done(type="message", content="?"),
            ev("content_part.done", part=[5]),
        ],
        HI,
    ),
    ("refusal", [ev("refusal.delta", item_id="m", delta="No"), ev("refusal.delta", item_id="m", delta=".")], part(0, "refusal", "No", ".")),
    ("refusal, whole", [done(**message({"type": "refusal", "refusal": "No."}))], part(0, "refusal", "No.")),
    ("a tag that is none, and ends", [text("<th")], part(0, "text", "<th")),
    (
        "a tag that is none, before a refusal",
        [text("<th"), ev("refusal.delta", item_id="m", delta="No")],
        [*part(0, "text", "<th"), *part(1, "refusal", "No")],
    ),
    ("what nobody knows", [done(**message({"type": "hologram", "n": 1}))], part(0, "opaque", value={"type": "hologram", "n": 1})),
    (
        "logprobs",
        [text("H", logprobs=[{"token": "H"}]), text("i", logprobs=[]), text("!", logprobs=[{"token": "!"}])],
        part(0, "text", "H", "i", "!", side={"logprobs": [{"token": "H"}, {"token": "!"}]}),
    ),
    (
        "logprobs of what is whole",
        [done(**message(said("H", logprobs=[{"token": "H", "logprob": -1}])))],
        part(0, "text", "H", side={"logprobs": [{"token": "H", "logprob": -1}]}),
    ),
    ("the phase, before", [added(**message(phase="commentary")), text("a")], part(0, "text", "a", side={"phase": "commentary"})),
    ("the phase, after", [text("a"), done(**message(said("a"), phase="x"))], part(0, "text", "a", side={"phase": "x"})),
    ("the phase of what was held", [text("<t"), done(**message(said("<t"), phase="x"))], part(0, "text", "<t", side={"phase": "x"})),
    (
        "the phase",
        [
            added(**message(phase="commentary")),
            text("a"),
            text("b"),
            done(**message(said("ab"), phase="commentary")),
            done(**message(said("c"), id="n", phase="final_answer")),
        ],
        [*part(0, "text", "a", "b", side={"phase": "commentary"}), *part(1, "text", "c", side={"phase": "final_answer"})],
    ),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in TEXT], ids=[case[0] for case in TEXT])
def test_text(payloads: list[Any], parts: list[Event]) -> None:
    ended = payloads[-1] if isinstance(payloads[-1], dict) and payloads[-1]["type"] == "response.completed" else None
    assert responses(*payloads, *([] if ended else [COMPLETED])) == [*parts, FINISHED]


SOURCES = [
    ("as an event", [text("Hi"), ev("output_text.annotation.added", item_id="m", annotation=URL)], URL),
    ("with the content", [text("Hi"), ev("content_part.done", item_id="m", part=said("Hi", annotations=[URL]))], URL),
    (
        "with the item, and once more",
        [text("Hi"), ev("output_text.annotation.added", item_id="m", annotation=URL), done(**message(said("Hi", annotations=[URL])))],
        URL,
    ),
    (
        "a file",
        [text("Hi"), ev("output_text.annotation.added", item_id="m", annotation={"type": "file_citation", "file_id": "f"})],
        {"type": "file_citation", "file_id": "f"},
    ),
]


@pytest.mark.parametrize(("payloads", "source"), [case[1:] for case in SOURCES], ids=[case[0] for case in SOURCES])
def test_sources(payloads: list[Any], source: dict[str, Any]) -> None:
    parts = reply(responses(*payloads, COMPLETED)).parts
    assert parts == (Text("Hi"), Attachment("source", source))


def test_an_annotation_that_cites_nothing_is_kept_as_it_is() -> None:
    told = reply(responses(text("Hi"), ev("output_text.annotation.added", item_id="m", annotation={"type": "hologram"}), COMPLETED))
    assert told.parts == (Text("Hi"), Attachment("opaque", {"type": "hologram"}))


def test_a_message_that_is_done_is_told_to_be() -> None:
    reader = OpenAIResponsesReader()
    assert reader.feed(frames(text("Hi"))) == HI[:-1]
    assert reader.feed(frames(done(**message(said("Hi"))))) == HI[-1:]


def ended(type: str, **response: Any) -> dict[str, Any]:
    return ev(type, response=response)


ENDS = [
    ("completed", ended("completed", status="completed"), Finished("stop", "completed")),
    ("without a status", ended("completed"), Finished("stop", "completed")),
    ("without a response", ev("completed"), Finished("stop", "completed")),
    ("done", ended("done"), Finished("stop", "completed")),
    (
        "too long",
        ended("incomplete", status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        Finished("length", "incomplete:max_output_tokens"),
    ),
    (
        "filtered",
        ended("incomplete", incomplete_details={"reason": "content_filter"}),
        Finished("content_filter", "incomplete:content_filter"),
    ),
    ("never heard of", ended("incomplete", incomplete_details={"reason": "tired"}), Finished("length", "incomplete:tired")),
    ("no reason", ended("incomplete", incomplete_details=None), Finished("length", "incomplete")),
    ("a status that says otherwise", ended("completed", status="incomplete"), Finished("length", "incomplete")),
    ("odd shapes", ended("completed", status=[], output=5, usage="?", error=None, incomplete_details="?"), Finished("stop", "completed")),
]


@pytest.mark.parametrize(("end", "finished"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_the_end(end: dict[str, Any], finished: Finished) -> None:
    assert responses(text("Hi"), end) == [*HI, finished]
    assert responses(text("Hi"), end, "[DONE]", text("b")) == [*HI, finished]


def test_usage_keeps_its_classes_apart() -> None:
    counted = {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 14,
    }
    assert responses(text("Hi"), ended("completed", usage=counted)) == [*HI, Usage(9, 5, 4, 3, 2, 14), FINISHED]
    assert responses(text("Hi"), ended("completed", usage={"input_tokens": -1, "output_tokens": "5"})) == [*HI, FINISHED]


def test_the_type_may_stand_in_the_event_line_alone() -> None:
    body = b'event: response.output_text.delta\ndata: {"delta":"Hi"}\n\nevent: response.completed\ndata: {"response":{}}\n\n'
    assert read_all_ways("openai_responses", body) == [*HI, FINISHED]
