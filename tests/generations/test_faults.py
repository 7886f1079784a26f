"""A journal that cannot write: nothing is lost silently, nobody waits for ever, and it goes on by itself."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from services.errors import NotSaved
from services.events import Event, Failed, Finished, PartDelta, PartStarted
from services.generations import thread
from services.generations.database import NAME
from services.generations.generation import Emit
from services.generations.log import AHEAD
from services.generations.registry import Generations
from services.generations.sqlite import SQLiteJournal
from services.generations.writer import Committed
from services.messages import Message, Text, Turn
from services.upstream import READERS
from services.upstream.connections import InProcess
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal.server import Rehearsal
from tests.generations.stories import begun, kept
from tests.generations.test_database import found, left_behind

TURN = Turn("r/echo", (Message("user", (Text("Hello"),)),))


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SQLiteJournal]:
    """With less patience, so that the tests need little."""
    monkeypatch.setattr(thread, "RETRY", 0.02)
    monkeypatch.setattr(thread, "GIVE_UP", 0.3)
    monkeypatch.setattr(thread, "UNNOTICED", 0.1)
    monkeypatch.setattr(thread, "CLOSE_PATIENCE", 0.2)
    opened = SQLiteJournal(tmp_path)
    yield opened
    opened.close()


@contextmanager
def full(journal: SQLiteJournal) -> Iterator[None]:
    """No page may be added any more: SQLite's own way to a full disk."""
    db = journal._database._db
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    yield
    db.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def locked(journal: SQLiteJournal) -> Iterator[None]:
    """Another program writes, and takes its time."""
    other = sqlite3.connect(journal._database._file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("COMMIT")
    other.close()


@contextmanager
def read_only(journal: SQLiteJournal) -> Iterator[None]:
    journal._database._db.execute("PRAGMA query_only = ON")
    yield
    journal._database._db.execute("PRAGMA query_only = OFF")


HARMS = pytest.mark.parametrize(("harm", "says"), [(full, "disk is full"), (locked, "locked the database"), (read_only, "read-only")])


def big(number: int) -> Event:
    return PartDelta(1, f"{number} " + "x" * 20_000)


class Growing:
    """A generation whose upstream says something whenever it is told to."""

    def __init__(self, journal: SQLiteJournal, id: str) -> None:
        self.more = asyncio.Queue[list[Event]]()
        self.seen: list[Event] = []
        self.ended: list[str] = []
        self.generations = Generations(journal, lambda generation: self.ended.append(generation.id))
        self.generations.start(id, TURN, self._read)
        self.reading = asyncio.create_task(self._see(id))

    async def _read(self, turn: Turn, emit: Emit) -> None:
        while True:
            emit(await self.more.get())

    async def _see(self, id: str) -> None:
        async with aclosing(self.generations.follow(id, 0)) as batches:
            async for batch in batches:
                self.seen += [entry.event for entry in batch]


@HARMS
async def test_running_replies_end_with_what_was_shown_and_new_ones_are_refused_until_it_works_again(
    harm: type, says: str, journal: SQLiteJournal, tmp_path: Path
) -> None:
    one = Growing(journal, "g")
    one.more.put_nowait([PartStarted(1, "text"), big(0)])
    await (await one.generations.recall("g")).log.until(4)
    with harm(journal):
        while not one.reading.done():
            one.more.put_nowait([big(len(one.seen))])
            await asyncio.sleep(0.01)
        end = one.seen[-1]
        assert isinstance(end, Failed)
        assert end.code == "storage"
        assert says in end.message
        assert journal.problem is not None
        assert says in journal.problem
        with pytest.raises(NotSaved, match=says):
            one.generations.admit()
        assert (await one.generations.stop("g")).state == "failed"
        await asyncio.sleep(0)
        assert one.ended == ["g"]
    await kept("after", journal)
    assert journal.problem is None
    one.generations.admit()
    recalled = await journal.recall("g")
    assert recalled is not None
    assert [entry.event for entry in recalled[1]] == one.seen
    assert [entry.seq for entry in recalled[1]] == list(range(1, len(one.seen) + 1))


async def test_a_short_lock_is_no_more_than_a_pause(journal: SQLiteJournal) -> None:
    log = await kept("g", journal, end=None)
    with locked(journal):
        for number in range(10):
            log.append([PartDelta(1, f" {number}")])
        await asyncio.sleep(0.05)
        assert log.shown < len(log.entries)
        assert journal.problem is None
    log.append([Finished("stop")])
    await log.until(len(log.entries))
    assert await journal.recall("g") == (b"about g", log.entries)


async def test_a_reply_that_never_was_kept_ends_too(journal: SQLiteJournal) -> None:
    with read_only(journal):
        one = Growing(journal, "g")
        await one.generations.recall("g")  # returns: there is an end
        await one.reading
        assert [type(event).__name__ for event in one.seen] == ["Started", "Failed"]
    await kept("after", journal)
    recalled = await journal.recall("g")
    assert recalled is not None
    assert [entry.event for entry in recalled[1]] == one.seen


async def test_what_waits_is_bounded(journal: SQLiteJournal) -> None:
    """The upstream is told to wait; it is the generation's task that does."""
    log = await kept("g", journal, end=None)
    with locked(journal):
        appended = 0
        while log.append([PartDelta(1, "x")]) is None:
            appended += 1
        assert appended <= AHEAD


async def test_an_upstream_is_read_no_further_than_that(journal: SQLiteJournal) -> None:
    upstream = HTTPUpstream("r", READERS["openai_chat"], "http://r", InProcess(Rehearsal(1.0).answer))
    generations = Generations(journal, lambda _: None)
    ahead: list[int] = []

    async def read(turn: Turn, emit: Emit) -> None:
        def counting(events: Sequence[Event]) -> Awaitable[None] | None:
            full = emit(events)
            log = generations._running["g"].log
            ahead.append(len(log.entries) - log.shown)
            return full

        await upstream.read(turn, counting)

    with locked(journal):
        question = Turn("longform", (Message("user", (Text("20000 tokens fast"),)),))
        generations.start("g", question, read)
        await generations.recall("g")
        await generations.stop("g")
    assert AHEAD <= max(ahead) < 2 * AHEAD


async def test_a_kill_while_nothing_can_be_kept_leaves_what_was_shown(journal: SQLiteJournal, tmp_path: Path) -> None:
    log = await kept("g", journal, end=None)
    shown = list(log.entries)
    with read_only(journal):
        while not log.complete:
            log.append([PartDelta(1, "never shown")])
            await asyncio.sleep(0.01)
        after = found(left_behind(journal, tmp_path))["g"]
    assert after[: len(shown)] == shown
    end = after[-1].event
    assert isinstance(end, Failed)
    assert end.code == "interrupted"
    assert not any(event == PartDelta(1, "never shown") for event in (entry.event for entry in after))


async def test_text_that_cannot_be_written_down_ends_its_reply_alone(journal: SQLiteJournal) -> None:
    good, bad = await kept("good", journal, end=None), await kept("bad", journal, end=None)
    good.append([PartDelta(1, "fine")])
    bad.append([PartDelta(1, "\ud800")])
    await asyncio.gather(good.until(len(good.entries)), bad.until(len(bad.entries)))
    end = bad.entries[-1].event
    assert isinstance(end, Failed)
    assert (end.code, journal.problem) == ("storage", None)
    good.append([Finished("stop")])
    await good.until(len(good.entries))
    assert await journal.recall("good") == (b"about good", good.entries)
    recalled = await journal.recall("bad")
    assert recalled is not None
    assert recalled[1] == bad.entries


async def test_closing_does_not_wait_for_ever(journal: SQLiteJournal, caplog: pytest.LogCaptureFixture) -> None:
    log = await kept("g", journal, end=None)
    with locked(journal):
        log.append([PartDelta(1, "too late")])
        await asyncio.to_thread(journal.close)
    assert "could not be kept" in caplog.text


async def test_everything_that_waits_is_kept_at_the_end(tmp_path: Path) -> None:
    journal = SQLiteJournal(tmp_path)
    logs = [begun(str(number), journal) for number in range(20)]
    for log in logs:
        log.append([PartStarted(0, "text"), PartDelta(0, "x" * 1000), Finished("stop")])
    journal.close()
    assert not (tmp_path / f"{NAME}-wal").exists()
    assert {id: len(entries) for id, entries in found(tmp_path).items()} == {log.id: 4 for log in logs}


async def test_a_fault_with_one_log_does_not_hold_back_the_others(journal: SQLiteJournal, caplog: pytest.LogCaptureFixture) -> None:
    shown: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def broken(seq: int) -> None:
        raise RuntimeError("a bug")

    journal.committed(Committed([(broken, 1), (shown.set_result, 1)], []))
    assert await asyncio.wait_for(shown, 5) == 1
    assert "a bug" in caplog.text
