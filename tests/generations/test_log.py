"""A log is append-only, numbered without gaps, and ends once. Readers own positions."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial

import pytest

from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Started
from services.generations.journal import Journal
from services.generations.log import AHEAD, EventLog
from services.generations.memory import MemoryJournal

STORY: list[Event] = [
    Started("g", "r/echo", 0),
    PartStarted(0, "text"),
    PartDelta(0, "Hel"),
    PartDelta(0, "lo"),
    PartFinished(0),
    Finished("stop"),
]


def begun(journal: Journal, clock: Callable[[], float] = time.monotonic) -> EventLog:
    log = EventLog("g", journal, clock=clock)
    log.begin(b"what was asked", b"a label")
    return log


@pytest.fixture
async def log(journal: Journal) -> EventLog:
    return begun(journal)


async def read(log: EventLog, after: int = 0) -> list[Entry]:
    async with aclosing(log.follow(after)) as batches:
        return [entry async for batch in batches for entry in batch]


async def settled(log: EventLog) -> None:
    """Let the journal keep everything, and every task that can run do so."""
    await log.until(len(log.entries))
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
    await asyncio.sleep(0)
    log.append(STORY[:4])
    await settled(log)
    log.append(STORY[4:])
    await asyncio.gather(*readers)
    assert sorted(batches) == [[1, 2, 3, 4], [1, 2, 3, 4], [5, 6], [5, 6]]


async def test_a_sleeping_reader_gets_one_larger_batch(log: EventLog) -> None:
    log.append(STORY[:1])
    async with aclosing(log.follow()) as batches:
        assert len(await anext(batches)) == 1
        for event in STORY[1:]:
            log.append([event])
        await settled(log)
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
    await settled(log)
    leaving.cancel()
    await settled(log)
    assert log.readers == 1
    log.append(STORY)
    assert len(await staying) == len(STORY)
    assert log.readers == 0


async def test_the_end_knows_the_times() -> None:
    now = iter([10.0, 10.001, 10.05, 10.2]).__next__
    log = begun(MemoryJournal(), clock=now)
    log.append(STORY[:2])
    log.append(STORY[2:4])
    log.append(STORY[4:])
    assert log.entries[-1].event == Finished("stop", ttft_ms=50.0, ms=200.0)


class SlowJournal(MemoryJournal):
    """Keeps entries only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[Callable[[], None]] = []

    def append(self, log: str, entries: Sequence[Entry], soon: bool = True) -> None:
        self.pending.append(partial(super().append, log, entries))

    def begin(self, log: str, about: bytes, label: bytes, kept: Callable[[int], None], lost: Callable[[str], None]) -> None:
        super().begin(log, about, label, kept, lost)
        self.lose = lost


async def test_nobody_sees_an_entry_before_the_journal_holds_it() -> None:
    journal = SlowJournal()
    log = begun(journal)
    reading = asyncio.create_task(read(log))
    log.append(STORY[:3])
    log.append(STORY[3:])
    for _ in range(5):
        await asyncio.sleep(0)
    assert (log.shown, log.complete, reading.done()) == (0, False, False)
    journal.pending.pop(0)()
    assert (log.shown, log.complete) == (3, False)
    journal.pending.pop(0)()
    assert [entry.seq for entry in await reading] == [1, 2, 3, 4, 5, 6]


async def test_an_upstream_that_is_ahead_of_the_journal_is_told_to_wait() -> None:
    journal = SlowJournal()
    log = begun(journal)
    log.append(STORY[:3])
    waiting = [log.append([PartDelta(0, "x")]) for _ in range(AHEAD)]
    assert [future is None for future in waiting] == [number + 3 < AHEAD for number in range(AHEAD)]
    last = waiting[-1]
    assert last is not None
    while journal.pending:
        assert last.done() == (log.shown >= len(log.entries) - 1 - AHEAD // 2)
        journal.pending.pop(0)()
    assert log.append([PartDelta(0, "x")]) is None


@pytest.mark.parametrize("kept", range(4))
async def test_what_cannot_be_kept_is_not_shown_and_the_log_says_so(kept: int) -> None:
    journal = SlowJournal()
    log = begun(journal)
    reading = asyncio.create_task(read(log))
    for event in STORY[:4]:
        log.append([event])
    for _ in range(kept):
        journal.pending.pop(0)()
    journal.lose("The disk is full.")
    *before, end = await reading
    assert isinstance(end.event, Failed)
    assert (end.event.code, end.event.message) == ("storage", "The disk is full.")
    assert [entry.seq for entry in [*before, end]] == list(range(1, len(before) + 2))
    open_parts = [PartFinished(0)] if kept > 1 else []
    assert [entry.event for entry in before] == [*STORY[: max(kept, 1)], *open_parts]
    recalled = await journal.recall("g")
    assert recalled is not None
    assert recalled[1] == log.entries
