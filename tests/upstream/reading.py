"""What the tests of readers share: reading bytes, and writing down events and frames shortly."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartKind, PartStarted, Started, Usage
from services.messages import Reply, fold
from services.upstream import READERS
from services.wire.sse import frame


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
