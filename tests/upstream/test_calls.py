"""Tool calls in fragments, as servers of Chat Completions number and name them: fragments on the left, events on the right."""

from typing import Any

import pytest

from services.events import Event, Finished, PartDelta, PartFinished, PartStarted
from services.messages import Message, Text, Turn
from services.upstream.openai_chat import OpenAIChatReader
from tests.upstream.reading import DONE, call, chat, delta, end, frames, part


def tool(number: int, id: str, name: str, *texts: str, value: object, side: Any = None) -> list[Event]:
    return part(number, "tool_call", *texts, id=id, name=name, value=value, side=side)


def told_late(*calls: list[Event]) -> list[Event]:
    """Fragments of several calls may be mixed, so each of them ends at the end of the reply."""
    return [event for call in calls for event in call[:-1]] + [call[-1] for call in calls]


K, Z = '{"city":"Köln"}', '{"tz":"CET"}'
TWO = told_late(tool(0, "a", "weather", K, value={"city": "Köln"}), tool(1, "b", "time", Z, value={"tz": "CET"}))
MADE_UP = told_late(tool(0, "call00000", "weather", K, value={"city": "Köln"}), tool(1, "call00001", "time", Z, value={"tz": "CET"}))
SAME = told_late(tool(0, "call00000", "weather", K, value={"city": "Köln"}), tool(1, "call00001", "weather", K, value={"city": "Köln"}))

CALLS: list[tuple[str, list[Any], list[Event]]] = [
    (
        "fragments",
        [call(index=0, id="a", name="weather", arguments=""), call(index=0, arguments='{"city"'), call(index=0, arguments=':"Köln"}')],
        tool(0, "a", "weather", '{"city"', ':"Köln"}', value={"city": "Köln"}),
    ),
    ("parallel", [call(index=0, id="a", name="weather", arguments=K), call(index=1, id="b", name="time", arguments=Z)], TWO),
    (
        "mixed",
        [
            call(index=0, id="a", name="weather", arguments='{"city"'),
            call(index=1, id="b", name="time", arguments='{"tz"'),
            call(index=0, arguments=':"Köln"}'),
            call(index=1, arguments=':"CET"}'),
        ],
        [
            PartStarted(0, "tool_call", "a", "weather"),
            PartDelta(0, '{"city"'),
            PartStarted(1, "tool_call", "b", "time"),
            PartDelta(1, '{"tz"'),
            PartDelta(0, ':"Köln"}'),
            PartDelta(1, ':"CET"}'),
            PartFinished(0, {"city": "Köln"}),
            PartFinished(1, {"tz": "CET"}),
        ],
    ),
    ("all index 0", [call(index=0, id="a", name="weather", arguments=K), call(index=0, id="b", name="time", arguments=Z)], TWO),
    ("no index", [call(id="a", name="weather", arguments=K), call(id="b", name="time", arguments=Z)], TWO),
    ("no id", [call(index=0, name="weather", arguments=K), call(index=1, id="", name="time", arguments=Z)], MADE_UP),
    ("all index 0, no id", [call(index=0, name="weather", arguments=K), call(index=0, name="time", arguments=Z)], MADE_UP),
    (
        "all index 0, no id, no arguments",
        [call(index=0, name="x"), call(index=0, name="y")],
        told_late(tool(0, "call00000", "x", value={}), tool(1, "call00001", "y", value={})),
    ),
    ("no index, no id, one name", [call(name="weather", arguments=K), call(name="weather", arguments=K)], SAME),
    (
        "empty ids afterwards",
        [call(index=0, id="a", name="x", arguments="{"), call(index=0, id="", name="", arguments="}")],
        tool(0, "a", "x", "{", "}", value={}),
    ),
    (
        "id and name every time",
        [call(index=0, id="a", name="x", arguments="{"), call(index=0, id="a", name="x", arguments="}")],
        tool(0, "a", "x", "{", "}", value={}),
    ),
    ("an object", [call(index=0, id="a", name="x", arguments={"n": 1})], tool(0, "a", "x", '{"n":1}', value={"n": 1})),
    ("null", [call(index=0, id="a", name="x", arguments=None)], tool(0, "a", "x", value={})),
    ("no JSON", [call(index=0, id="a", name="x", arguments='{"n":')], tool(0, "a", "x", '{"n":', value=None)),
    (
        "a name that comes late",
        [call(index=0, id="a", arguments="{"), call(index=0, name="x", arguments="}")],
        tool(0, "a", "x", "{", "}", value={}),
    ),
    ("no name at all", [call(index=0, arguments="{}")], tool(0, "call00000", "", "{}", value={})),
    (
        "custom",
        [delta(tool_calls=[{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}])],
        tool(0, "a", "sql", "SELECT 1", value=None, side={"type": "custom"}),
    ),
    ("before tools", [delta(function_call={"name": "x", "arguments": "{}"})], tool(0, "call00000", "x", "{}", value={})),
    (
        "something to send back",
        [call(index=0, id="a", name="x", arguments="{}", extra_content={"google": {"thought_signature": "E"}})],
        tool(0, "a", "x", "{}", value={}, side={"extra_content": {"google": {"thought_signature": "E"}}}),
    ),
    (
        "text around it",
        [delta(content="Let "), call(index=0, id="a", name="x", arguments="{}"), delta(content="me")],
        [
            *part(0, "text", "Let "),
            PartStarted(1, "tool_call", "a", "x"),
            PartDelta(1, "{}"),
            PartStarted(2, "text"),
            PartDelta(2, "me"),
            PartFinished(1, {}),
            PartFinished(2),
        ],
    ),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
@pytest.mark.parametrize("reason", ["tool_calls", "stop", "function_call"])
def test_tool_calls(payloads: list[Any], parts: list[Event], reason: str) -> None:
    assert chat(*payloads, end(reason), DONE) == [*parts, Finished("tool_calls", reason)]


def test_made_up_ids_are_unique_in_a_conversation() -> None:
    reader = OpenAIChatReader()
    reader.request(Turn("m", (Message("user", (Text("?"),)),) * 7))
    [started, *_] = reader.feed(frames(call(index=0, name="x", arguments="{}")))
    assert started == PartStarted(0, "tool_call", "call00700", "x")
