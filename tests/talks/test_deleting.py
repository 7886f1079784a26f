"""Deleting, at whatever moment: nothing goes on, and nothing comes back."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from services.errors import Gone, NotFound
from services.events import Finished
from tests.talks.house import ECHO, LONG, House


async def test_a_conversation_is_deleted_while_it_streams(house: House) -> None:
    """The upstream is left, its readers are told, and its logs are gone."""
    changed: list[str] = []
    house.chat.watch(changed.append)
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    asked = await house.chat.send(first.conversation, LONG, "300 tokens")
    await house.begun(asked)
    assert house.clock.resting == 1
    del changed[:]
    async with aclosing(house.chat.follow(asked.answer.generation or "")) as batches:
        await house.chat.delete(asked.conversation)
        last = [entries[-1].event async for entries in batches][-1]
    assert isinstance(last, Finished)
    assert last.reason == "stopped"
    assert house.clock.resting == 0
    assert asked.conversation in changed
    for answer in (first.answer, asked.answer):
        with pytest.raises(Gone):
            house.chat.reply(answer.generation or "")


async def test_nothing_resurrects_a_deleted_conversation(tmp_path: Path) -> None:
    house = House(tmp_path)
    asked = await house.chat.send(None, LONG, "300 tokens")
    other = await house.chat.send(None, ECHO, "Stays")
    await house.begun(asked)
    await asyncio.gather(house.chat.delete(asked.conversation), house.chat.rename(asked.conversation, "Back"), return_exceptions=True)
    with pytest.raises(NotFound):
        await house.chat.open(asked.conversation)
    with pytest.raises(NotFound):
        await house.chat.send(asked.conversation, ECHO, "Hello?")
    with pytest.raises(NotFound):
        await house.chat.delete(asked.conversation)
    await house.ended(other)
    await house.chat.close()
    house = House(tmp_path)
    assert [known.id for known in await house.chat.conversations()] == [other.conversation]
    assert await house.store.nodes(asked.conversation) == []
    await house.chat.close()


async def test_a_question_that_is_on_its_way_into_a_deleted_conversation_asks_nobody(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    sent, deleted = await asyncio.gather(
        house.chat.send(first.conversation, LONG, "300 tokens"), house.chat.delete(first.conversation), return_exceptions=True
    )
    assert isinstance(sent, NotFound)
    assert deleted is None
    assert not await house.chat.conversations()
    assert len(house.way.posted) == 1


@pytest.mark.parametrize("moment", [*range(12), 20, 40, 80])
async def test_at_whatever_moment_it_is_deleted_nothing_of_it_is_left_running(house: House, moment: int) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    sending = asyncio.create_task(house.chat.send(first.conversation, LONG, "300 tokens"))
    for _ in range(moment):
        await asyncio.sleep(0)
    await house.chat.delete(first.conversation)
    await asyncio.gather(sending, return_exceptions=True)
    assert not house.chat.is_answering(first.conversation)
    assert not await house.chat.conversations()
    assert await house.store.nodes(first.conversation) == []
    assert house.clock.resting == 0
