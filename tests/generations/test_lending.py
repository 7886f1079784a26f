"""The SQLite journal's writer goes back and forth between the event loop and the thread: nothing is lost, doubled or out of order."""

import asyncio
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from services.events import Entry, Finished, PartDelta, PartStarted, Started
from services.generations import database, sqlite, writer
from services.generations.database import NAME
from services.generations.log import EventLog
from services.generations.sqlite import SQLiteJournal


async def grow(id: str, journal: SQLiteJournal, seed: int) -> list[Entry]:
    """One log, in steps of random size; what is asked of the journal in between takes the writer from the loop."""
    chance = random.Random(seed)
    seen: list[int] = []
    log = EventLog(id, journal)
    log.begin(b"about " + id.encode() * chance.choice([1, 1, 50_000]), b"{}")
    log.append([Started(id, "m", 0), PartStarted(0, "text")])
    for number in range(120):
        log.append([PartDelta(0, f"{number} " + "x" * chance.choice([1, 10, 3_000]))])
        seen.append(log.shown)
        match chance.randrange(12):
            case 0:
                assert await journal.recall("nobody") is None
            case 1:
                await log.until(len(log.entries))
            case 2 | 3 | 4:
                await asyncio.sleep(chance.random() / 200)
    log.append([Finished("stop")])
    await log.until(len(log.entries))
    assert seen == sorted(seen)
    return log.entries


@pytest.mark.parametrize("full", [False, True])
async def test_back_and_forth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool) -> None:
    monkeypatch.setattr(writer, "HEAVY", 100_000)
    monkeypatch.setattr(writer, "HOT", 300_000)
    monkeypatch.setattr(database, "CHECKPOINT", 200)
    journal = SQLiteJournal(tmp_path, full)
    journal._writer._enough = 300_000
    hands: set[tuple[bool, bool]] = set()

    def noting(method: Callable[..., object]) -> Callable[..., object]:
        def noted(*values: object) -> object:
            hands.add((threading.current_thread().name == "journal", journal._lent > 0))
            return method(*values)

        return noted

    for name in ("add", "commit", "tidy"):
        monkeypatch.setattr(journal._writer, name, noting(getattr(journal._writer, name)))
    logs = dict(zip(map(str, range(20)), await asyncio.gather(*(grow(str(n), journal, n) for n in range(20))), strict=True))
    for id, entries in logs.items():
        recalled = await journal.recall(id)
        assert recalled is not None
        assert recalled[1] == entries
    hands.clear()
    await grow("afterwards", journal, 0)
    assert hands == {(True, True)} | (set() if full else {(False, False)}), "the thread while it is lent, else the loop"
    assert (tmp_path / f"{NAME}-wal").stat().st_size < 7_000_000, "the log beside the file is begun anew"
    journal.close()


async def test_who_listens_is_not_kept_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that nobody waits for this very moment share a later commit, until somebody does."""
    monkeypatch.setattr(sqlite, "UNHURRIED", 1000.0)
    journal = SQLiteJournal(tmp_path)
    log = EventLog("g", journal)
    log.begin(b"about g", b"{}")
    log.append([Started("g", "m", 0), PartStarted(0, "text"), PartDelta(0, "first")])
    await log.until(3)
    for _ in range(10):
        log.append([PartDelta(0, " word")])
        await asyncio.sleep(0.005)
    assert log.shown == 3
    reader = log.follow()
    reader.listen(lambda: None)
    log.append([PartDelta(0, " more")])
    await asyncio.wait_for(log.until(14), 10)
    await reader.aclose()
    log.append([PartDelta(0, " again")])
    await asyncio.sleep(0.02)
    assert log.shown == 14
    log.append([Finished("stop")])
    await asyncio.wait_for(log.until(len(log.entries)), 10)
    assert await journal.recall("g") == (b"about g", log.entries)
    journal.close()
