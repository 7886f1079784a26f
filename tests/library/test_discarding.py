"""Thrown away, brought back, or gone: at once for who looks, for good when the time is over or at the next start."""

import asyncio
from pathlib import Path

import pytest

from services.errors import NotFound
from tests.talks.house import ECHO, LONG, SQLITE, House


async def gone(house: House, conversation: str) -> None:
    """Returns once the store does not have it any more."""
    while True:
        if await house.store.get(conversation) is None:
            return
        await asyncio.sleep(0)


async def test_what_is_discarded_is_hidden_and_stopped_and_comes_back_whole(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    asked = await house.chat.send(first.conversation, LONG, "300 tokens")
    said = await house.begun(asked)
    await house.chat.discard(asked.conversation)
    assert await house.chat.conversations() == ()
    for work in (house.chat.open(asked.conversation), house.chat.pin(asked.conversation), house.chat.discard(asked.conversation)):
        with pytest.raises(NotFound):
            await work
    with pytest.raises(NotFound):
        await house.chat.send(asked.conversation, ECHO, "Hello?")
    assert house.clock.resting == 0
    await house.kept(asked)
    await house.chat.bring_back(asked.conversation)
    assert [known.id for known in await house.chat.conversations()] == [asked.conversation]
    shown = await house.shown(asked.conversation)
    assert shown[:3] == ["One", "One", "300 tokens"]
    assert shown[3].startswith(said)
    await house.ended(await house.chat.send(asked.conversation, ECHO, "Goes on"))
    with pytest.raises(NotFound):
        await house.chat.bring_back(asked.conversation)


async def test_it_is_gone_when_the_time_is_over(tmp_path: Path) -> None:
    house = House(tmp_path, undo=0.0)
    asked = await house.chat.send(None, ECHO, "One")
    await house.ended(asked)
    await house.chat.discard(asked.conversation)
    await gone(house, asked.conversation)
    with pytest.raises(NotFound):
        await house.chat.bring_back(asked.conversation)
    assert await house.store.nodes(asked.conversation) == []
    await house.chat.close()


async def test_it_is_gone_at_the_next_start(tmp_path: Path) -> None:
    house = House(tmp_path, SQLITE)
    asked = await house.chat.send(None, ECHO, "One")
    stays = await house.chat.send(None, ECHO, "Two")
    await house.ended(asked)
    await house.ended(stays)
    await house.chat.discard(asked.conversation)
    await house.chat.close()
    house = House(tmp_path, SQLITE)
    assert await house.store.get(asked.conversation) is not None
    assert [known.id for known in await house.chat.conversations()] == [stays.conversation]
    with pytest.raises(NotFound):
        await house.chat.open(asked.conversation)
    await house.chat.restore()
    await gone(house, asked.conversation)
    await house.chat.close()


async def test_all_are_discarded_and_each_comes_back(house: House) -> None:
    asked = [await house.chat.send(None, LONG, f"{number} tokens") for number in (100, 200, 300)]
    ids = await house.chat.discard_all()
    assert set(ids) == {each.conversation for each in asked}
    assert await house.chat.conversations() == ()
    assert house.clock.resting == 0
    await house.chat.bring_back(ids[1])
    assert [known.id for known in await house.chat.conversations()] == [ids[1]]
