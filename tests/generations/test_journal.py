"""What every journal does."""

import asyncio

from services.events import Failed
from services.generations.journal import Journal
from tests.generations.stories import begun, kept, story


async def test_a_finished_log_comes_back_as_it_was(journal: Journal) -> None:
    log = await kept("g", journal)
    assert await journal.recall("g") == (b"about g", log.entries)


async def test_logs_that_share_commits_come_back_apart(journal: Journal) -> None:
    logs = [begun(str(number), journal) for number in range(50)]
    for events in zip(*(story(log.id, 20) for log in logs), strict=True):
        for log, event in zip(logs, events, strict=True):
            log.append([event])
        if len(logs[0].entries) % 7 == 0:
            await asyncio.sleep(0.001)
    await asyncio.gather(*(log.until(len(log.entries)) for log in logs))
    for log in logs:
        assert await journal.recall(log.id) == (f"about {log.id}".encode(), log.entries)


async def test_readers_are_told_in_the_order_of_the_appends(journal: Journal) -> None:
    log = begun("g", journal)
    told: list[int] = []
    follower = log.follow()
    follower.listen(lambda: told.append(log.shown))
    for event in story("g", 200):
        log.append([event])
        if len(log.entries) % 10 == 0:
            await asyncio.sleep(0)
    await log.until(len(log.entries))
    assert told == sorted(set(told))
    assert told[-1] == len(log.entries)


async def test_what_was_dropped_or_never_was_is_not_recalled(journal: Journal) -> None:
    await kept("g", journal)
    journal.drop("g")
    journal.drop("never")
    assert await journal.recall("g") is None
    assert await journal.recall("never") is None


async def test_size_is_that_of_what_has_ended(journal: Journal) -> None:
    assert journal.size == 0
    await kept("a", journal, deltas=100)
    one = journal.size
    assert one > 2000
    await kept("b", journal, deltas=100, end=None)
    assert journal.size == one
    await kept("c", journal, deltas=100, end=Failed("truncated", "It broke off."))
    assert one < journal.size < 3 * one
    journal.drop("a")
    journal.drop("a")
    assert 0 < journal.size < 2 * one
    journal.drop("c")
    assert journal.size == 0


async def test_no_problem_is_none(journal: Journal) -> None:
    await kept("g", journal)
    assert journal.problem is None
