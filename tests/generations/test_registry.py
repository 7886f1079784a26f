"""Generations by id, whether they run, are at hand, or come back from the journal."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from services.errors import Gone, NotFound
from services.events import Event, Finished, PartDelta, PartStarted
from services.generations import JOURNALS, past
from services.generations.generation import Emit, Generation, Read
from services.generations.journal import Journal
from services.generations.past import Retention
from services.generations.registry import Generations
from services.generations.sqlite import SQLiteJournal
from services.messages import Message, Text, Turn

Known = Callable[..., Generations]


@pytest.fixture
def known(journal: Journal) -> Known:
    return lambda **retention: Generations(journal, lambda _: None, retention=Retention(**retention))


def turn(**more: str) -> Turn:
    return Turn("r/echo", (Message("user", (Text("Hello"),)),), **more)  # type: ignore[arg-type]


def says(text: str, *end: Event) -> Read:
    async def read(turn: Turn, emit: Emit) -> None:
        emit([PartStarted(0, "text"), PartDelta(0, text), *end])
        if not end:
            await asyncio.Event().wait()

    return read


async def ended(generations: Generations, id: str, text: str = "Hello", **more: str) -> None:
    generations.start(id, turn(**more), says(text, Finished("stop")))
    generation = await generations.recall(id)
    assert generation.task is not None
    await asyncio.wait([generation.task])
    await generation.log.until(6)


async def test_only_a_few_stay_in_memory_and_all_come_back(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "AT_HAND", 3)
    generations = known(keep=100)
    for number in range(10):
        await ended(generations, str(number), f"Hello {number}")
    assert len(generations._past._at_hand) == 3
    for number in range(10):
        recalled = await generations.recall(str(number))
        assert recalled.turn == turn()
        assert generations.reply(str(number)).message.text == f"Hello {number}"
        assert [entry.seq async for batch in generations.follow(str(number), 2) for entry in batch] == [3, 4, 5, 6]
        assert (await generations.stop(str(number))).state == "finished"
    assert len(generations._past._at_hand) == 3
    assert [summary.id for summary in generations.list()] == [str(number) for number in range(9, -1, -1)]


async def test_memory_is_bounded_by_entries_too(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "ENTRIES_AT_HAND", 15)
    generations = known(keep=100)
    for number in range(5):
        await ended(generations, str(number))
    assert (len(generations._past._at_hand), generations._past._entries) == (2, 12)


@pytest.mark.parametrize(
    ("retention", "left"), [({"keep": 2}, ["2", "1"]), ({"keep": 0}, []), ({"keep_for": 0.0}, []), ({"keep_bytes": 3500}, ["2"])]
)
async def test_what_is_too_many_too_old_or_too_large_is_gone(retention: dict[str, float], left: list[str], known: Known) -> None:
    generations = known()
    for number in range(3):
        await ended(generations, str(number), "word " * 300)
    size = generations._journal.size // 3
    if "keep_bytes" in retention:
        retention = {"keep_bytes": size * 2 - 1}
    generations._past._retention = Retention(**retention)  # type: ignore[arg-type]
    assert [summary.id for summary in generations.list()] == left
    for number in range(3):
        if str(number) in left:
            await generations.recall(str(number))
        else:
            with pytest.raises(Gone):
                await generations.recall(str(number))
    with pytest.raises(NotFound):
        await generations.recall("never")


# After a restart


def after(folder: Path, told: list[Generation], **retention: int) -> tuple[Generations, Journal, list[str]]:
    journal = JOURNALS["sqlite"](folder, False)
    generations = Generations(journal, told.append, retention=Retention(**retention))
    return generations, journal, generations.restore()


async def test_a_new_process_knows_what_ended_what_was_interrupted_and_what_is_gone(tmp_path: Path) -> None:
    first, journal, interrupted = after(tmp_path, [], keep=3)
    assert interrupted == []
    for number in range(5):
        await ended(first, str(number), thread=f"thread {number}", client="ai_sdk")
    first.start("running", turn(conversation="c", thread="thread 4", client="ai_sdk"), says("Hel"))
    await first.recall("running")
    await (await first.recall("running")).log.until(3)
    task = first._running["running"].task
    assert isinstance(journal, SQLiteJournal)
    journal.close()  # and nobody told the generations: as if the process had been killed

    second, reopened, interrupted = after(tmp_path, [], keep=3)
    assert interrupted == ["running"]
    assert [(summary.id, summary.state, summary.seq) for summary in second.list()] == [
        ("running", "interrupted", 6),
        ("4", "finished", 6),
        ("3", "finished", 6),
    ]
    assert second.of_conversations(10) == ["running"]
    assert (await second.recall("running")).reply.message.text == "Hel"
    latest = second.latest("local", "ai_sdk", "thread 4")
    assert latest is not None
    assert latest.id == "running"
    for id in "012":
        with pytest.raises(Gone):
            await second.recall(id)
    with pytest.raises(NotFound):
        await second.recall("never")
    assert (await second.stop("3")).state == "finished"
    reopened.close()
    assert task is not None
    task.cancel()
    await asyncio.wait([task])


async def test_what_cannot_be_read_back_is_said_to_be_damaged(tmp_path: Path) -> None:
    first, journal, _ = after(tmp_path, [])
    await ended(first, "g")
    assert isinstance(journal, SQLiteJournal)
    journal._database._db.execute("UPDATE finished SET entries = x'5b7b'")
    journal.close()
    second, reopened, _ = after(tmp_path, [])
    assert [summary.id for summary in second.list()] == ["g"]
    with pytest.raises(Gone, match="damaged"):
        await second.recall("g")
    reopened.close()
