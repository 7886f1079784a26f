"""A log is append-only, numbered without gaps, and ends once. Readers own positions."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial

import pytest

from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Started
from services.generations import JOURNALS
from services.generations.log import EventLog
from services.generations.memory import MemoryJournal

STORY: list[Event] = [
    Started("g", "r/echo", 0),
    PartStarted(0, "text"),
    PartDelta(0, "Hel"),
    PartDelta(0, "lo"),
    PartFinished(0),
    Finished("stop"),
]


@pytest.fixture(params=list(JOURNALS))
def log(request: pytest.FixtureRequest) -> EventLog:
    return EventLog("g", JOURNALS[request.param]())


async def read(log: EventLog, after: int = 0) -> list[Entry]:
    async with aclosing(log.follow(after)) as batches:
        return [entry async for batch in batches for entry in batch]


async def settled() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_numbers_start_at_1_and_have_no_gaps(log: EventLog) -> None:
    log.append(STORY[:2])
    log.append(STORY[2:])
    assert [entry.seq for entry in await read(log)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("after", range(7))
async def test_a_reader_gets_exactly_the_rest(log: EventLog, after: int) -> None:
    log.append(STORY)
    assert [entry.seq for entry in await read(log, after)] == list(range(after + 1, 7))


async def test_one_append_is_one_batch_for_every_reader(log: EventLog) -> None:
    batches: list[list[int]] = []

    async def reader() -> None:
        async with aclosing(log.follow()) as following:
            async for batch in following:
                batches.append([entry.seq for entry in batch])

    readers = [asyncio.create_task(reader()) for _ in range(2)]
    await settled()
    log.append(STORY[:4])
    await settled()
    log.append(STORY[4:])
    await asyncio.gather(*readers)
    assert sorted(batches) == [[1, 2, 3, 4], [1, 2, 3, 4], [5, 6], [5, 6]]


async def test_a_sleeping_reader_gets_one_larger_batch(log: EventLog) -> None:
    log.append(STORY[:1])
    async with aclosing(log.follow()) as batches:
        assert len(await anext(batches)) == 1
        for event in STORY[1:]:
            log.append([event])
        assert [entry.seq for entry in await anext(batches)] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("end", [Finished("stopped"), Failed("truncated", "It broke off.")])
async def test_parts_are_closed_before_the_end(log: EventLog, end: Finished | Failed) -> None:
    log.append([*STORY[:3], PartStarted(1, "reasoning"), end])
    events = [entry.event for entry in await read(log)]
    assert events[-3:-1] == [PartFinished(0), PartFinished(1)]
    assert type(events[-1]) is type(end)


async def test_nothing_comes_after_the_end(log: EventLog) -> None:
    log.append([*STORY, PartDelta(0, "more")])
    with pytest.raises(RuntimeError, match="has ended"):
        log.append([PartDelta(0, "more")])
    assert len(await read(log)) == len(STORY)


async def test_a_reader_that_leaves_changes_nothing(log: EventLog) -> None:
    leaving = asyncio.create_task(read(log))
    staying = asyncio.create_task(read(log))
    await settled()
    leaving.cancel()
    await settled()
    assert log.readers == 1
    log.append(STORY)
    assert len(await staying) == len(STORY)
    assert log.readers == 0


async def test_the_end_knows_the_times() -> None:
    now = iter([10.0, 10.001, 10.05, 10.2]).__next__
    log = EventLog("g", MemoryJournal(), clock=now)
    log.append(STORY[:2])
    log.append(STORY[2:4])
    log.append(STORY[4:])
    assert log.entries[-1].event == Finished("stop", ttft_ms=50.0, ms=200.0)


class SlowJournal:
    """Keeps entries only when told to."""

    def __init__(self) -> None:
        self.pending: list[Callable[[], None]] = []

    def append(self, log: str, entries: Sequence[Entry], kept: Callable[[int], None]) -> None:
        self.pending.append(partial(kept, entries[-1].seq))

    def drop(self, log: str) -> None:
        pass


async def test_nobody_sees_an_entry_before_the_journal_holds_it() -> None:
    journal = SlowJournal()
    log = EventLog("g", journal)
    reading = asyncio.create_task(read(log))
    log.append(STORY[:3])
    log.append(STORY[3:])
    await settled()
    assert (log.shown, log.complete, reading.done()) == (0, False, False)
    journal.pending.pop(0)()
    assert (log.shown, log.complete) == (3, False)
    journal.pending.pop(0)()
    assert [entry.seq for entry in await reading] == [1, 2, 3, 4, 5, 6]
