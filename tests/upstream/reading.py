"""What the tests of readers share: reading bytes, and writing down events and frames shortly."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartKind, PartStarted, Started, Usage
from services.messages import Reply, fold
from services.upstream import READERS
from services.wire.sse import frame

STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
DONE = "[DONE]"
FINISHED = Finished("stop", "stop")


def read(dialect: str, chunks: Iterable[bytes]) -> list[Event]:
    """All events of a reply, its story checked."""
    reader = READERS[dialect]()
    events: list[Event] = []
    for chunk in chunks:
        events += reader.feed(chunk)
        assert reader.done == isinstance(events[-1] if events else None, Finished | Failed)
    events += reader.finish()
    assert reader.done
    assert reader.feed(b"data: more\n\n") == []
    assert reader.finish() == []
    check_story(events)
    return events


def read_all_ways(dialect: str, body: bytes) -> list[Event]:
    """The events of these bytes: the same however they are cut."""
    ways = cuts(body)
    events = read(dialect, next(ways))
    assert all(read(dialect, way) == events for way in ways)
    return events


def check_story(events: list[Event]) -> None:
    """The grammar of services/events.py."""
    opened: set[int] = set()
    started = 0
    for event in events[:-1]:
        match event:
            case PartStarted(number):
                assert number == started
                opened.add(number)
                started += 1
            case PartDelta(number, text):
                assert number in opened
                assert text
                text.encode()
                assert "\0" not in text
            case PartFinished(number):
                opened.remove(number)
            case _:
                assert isinstance(event, Usage)
                assert not opened
    assert not opened
    assert isinstance(events[-1], Finished | Failed)
    msgspec.json.encode(events)


def reply(events: list[Event]) -> Reply:
    return fold([Entry(seq, 0.0, event) for seq, event in enumerate([Started("g", "u/m", 0), *events], 1)])


def cuts(body: bytes) -> Iterator[list[bytes]]:
    """Whole, byte by byte, and cut at places that are random but the same every time."""
    yield [body]
    yield [body[i : i + 1] for i in range(len(body))]
    for seed in range(10):
        dice = random.Random(seed)
        places = sorted(dice.sample(range(len(body) + 1), k=min(dice.randint(1, 12), len(body))))
        yield [body[start:end] for start, end in zip([0, *places], [*places, len(body)], strict=True)]


def frames(*payloads: Any) -> bytes:
    """A body of one frame for each payload: an object, or text as it is."""
    return b"".join(frame(payload.encode() if isinstance(payload, str) else msgspec.json.encode(payload)) for payload in payloads)


def lines(*payloads: Any) -> bytes:
    return b"".join(msgspec.json.encode(payload) + b"\n" for payload in payloads)


def part(number: int, kind: PartKind, *texts: str, value: object = None, side: Any = None, **start: Any) -> list[Event]:
    """A part that nothing comes between."""
    if kind == "reasoning":
        start.setdefault("form", "plain")
    return [PartStarted(number, kind, **start), *[PartDelta(number, text) for text in texts], PartFinished(number, value, side)]


def delta(**fields: Any) -> dict[str, Any]:
    """A chunk of Chat Completions."""
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def end(reason: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def call(**fields: Any) -> dict[str, Any]:
    """A chunk with one fragment of a tool call; name and arguments belong to its function."""
    function = {key: fields.pop(key) for key in ("name", "arguments") if key in fields}
    return delta(tool_calls=[{**fields, "function": function}])


def chat(*payloads: Any) -> list[Event]:
    """The events of these frames of Chat Completions."""
    return read_all_ways("openai_chat", frames(*payloads))
