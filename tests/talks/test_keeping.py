"""What is there after a restart, and when something of it is not."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, update

from services.chat import Retention
from services.messages import Text
from services.store.tables import nodes
from tests.talks.house import ECHO, ID, LONG, House


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    house = House(tmp_path)
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    running = await house.chat.send(first.conversation, LONG, "300 tokens", id=ID)
    said = await house.begun(running)
    await house.chat.close()  # as on SIGTERM

    house = House(tmp_path)
    assert await house.shown(first.conversation) == ["One", "One", "300 tokens", said]
    nodes = (await house.chat.open(first.conversation)).nodes
    assert nodes[-1].reply is not None
    assert nodes[-1].reply.state == "interrupted"
    joined = await house.chat.send(None, LONG, "300 tokens", id=ID)
    assert joined.answer.id == running.answer.id
    assert house.way.posted == []
    on = await house.chat.go_on(first.conversation, nodes[-1].id, LONG, after=nodes[-1].generation or "")
    answer = await house.ended(on)
    assert (await house.shown(first.conversation))[-1].startswith(said)
    assert isinstance(answer.parts[0], Text)
    await house.chat.close()


async def test_an_answer_of_which_nothing_was_kept_is_interrupted_and_can_be_retried(tmp_path: Path) -> None:
    """A process that was killed, with a journal that keeps nothing."""
    killed = House(tmp_path)
    asked = await killed.chat.send(None, LONG, "300 tokens")
    await killed.begun(asked)

    house = House(tmp_path)
    nodes = (await house.chat.open(asked.conversation)).nodes
    assert nodes[-1].reply is not None
    assert nodes[-1].reply.state == "interrupted"
    assert nodes[-1].reply.problem is not None
    assert not nodes[-1].may_go_on
    again = await house.chat.retry(asked.conversation, ECHO)
    await house.ended(again)
    assert await house.shown(asked.conversation) == ["300 tokens", "300 tokens"]
    await house.chat.close()
    await killed.chat.close()


async def test_a_reply_outlives_its_log(house: House) -> None:
    asked = [await house.chat.send(None, ECHO, text) for text in ("One", "Two")]
    for each in asked:
        await house.ended(each)
    house.chat._generations._past._retention = Retention(keep=0)
    house.chat.generations()
    assert await house.shown(asked[0].conversation) == ["One", "One"]


async def test_a_reply_that_a_full_disk_refused_is_stored_when_it_is_opened(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = House(tmp_path)
    asked = await house.chat.send(None, LONG, "5000 tokens")
    generation = asked.answer.generation or ""
    await house.begun(asked)
    limit(house, "(SELECT page_count FROM pragma_page_count)")
    house.clock.step(1_000_000)
    async with aclosing(house.chat.follow(generation)) as batches:
        async for _ in batches:
            pass
    while True:
        await asyncio.sleep(0)
        if "the disk is full" in caplog.text:
            break
    assert len((await house.shown(asked.conversation))[1]) > 10_000
    limit(house, "100000")
    assert (await house.store.nodes(asked.conversation))[1].reply is None
    await house.shown(asked.conversation)
    await house.kept(asked)
    await house.chat.close()


def limit(house: House, pages: str) -> None:
    with house.store._database()._engine.connect() as connection:  # type: ignore[attr-defined]
        number = connection.exec_driver_sql(f"SELECT {pages}").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {number}")


async def test_a_damaged_message_is_passed_over(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "One")
    await house.ended(asked)
    if house.store.__class__.__name__ == "MemoryStore":
        rows = house.store._rows[asked.conversation]  # type: ignore[attr-defined]
        rows[asked.answer.id] = rows[asked.answer.id]._replace(body=b"{")
    else:
        url = house.store._database()._engine.url  # type: ignore[attr-defined]
        with create_engine(url, poolclass=NullPool).begin() as connection:  # of our own: the store is at work in its one
            connection.execute(update(nodes).where(nodes.c.id == asked.answer.id).values(body=b"{"))
    shown = (await house.chat.open(asked.conversation)).nodes
    assert [node.damaged for node in shown] == [False, True]
    await house.ended(await house.chat.send(asked.conversation, ECHO, "Two"))
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["One", "Two"]
    again = await house.chat.regenerate(asked.conversation, shown[1].id, ECHO)
    await house.ended(again)
    assert await house.shown(asked.conversation) == ["One", "One"]
