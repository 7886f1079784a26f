"""Anthropic's writer on parts in any order: blocks one after the other, and the same whole as streamed."""

import json
from typing import Any

import pytest

from services.downstream.anthropic import AnthropicWriter
from services.downstream.anthropic_sides import of_call
from services.events import Event, PartDelta, PartFinished, PartStarted
from tests.downstream.stories import STARTED, reply, story
from tests.downstream.test_anthropic import STOP, TEXT, blocks, call, frames

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
