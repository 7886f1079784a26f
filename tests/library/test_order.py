"""The list of conversations, and what is done to its lines."""

import asyncio
from pathlib import Path

import pytest

from services.conversations import Conversation
from services.errors import Invalid, NotFound
from tests.talks.house import ECHO, LONG, House


async def only(house: House) -> Conversation:
    (known,) = await house.chat.conversations()
    return known


async def test_what_is_done_to_a_conversation_is_in_the_list_and_after_a_restart(tmp_path: Path) -> None:
    house = House(tmp_path)
    asked = await house.chat.send(None, ECHO, "One")
    await house.ended(asked)
    told: list[str] = []
    house.chat.watch(told.append)
    await house.chat.pin(asked.conversation)
    await house.chat.move(asked.conversation, " Water \n wheels ")
    await house.chat.archive(asked.conversation)
    await house.chat.rename(asked.conversation, "The mill")
    assert told == [asked.conversation] * 4
    before = await only(house)
    assert (before.pinned, before.folder, before.archived, before.title, before.named) == (True, "Water wheels", True, "The mill", True)
    await house.chat.close()
    house = House(tmp_path)
    assert await only(house) == before
    await house.chat.pin(asked.conversation, False)
    await house.chat.move(asked.conversation, "")
    await house.chat.archive(asked.conversation, False)
    after = await only(house)
    assert (after.pinned, after.folder, after.archived) == (False, "", False)
    await house.chat.close()


async def test_the_list_is_read_once_and_then_only_what_changed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await house.chat.send(None, ECHO, "One")
    second = await house.chat.send(None, ECHO, "Two")
    await house.ended(first)
    await house.ended(second)
    lists = await asyncio.gather(*(house.chat.conversations() for _ in range(40)))
    assert all(each is lists[0] for each in lists)
    monkeypatch.setattr(house.store, "list", None)
    await house.chat.rename(first.conversation, "Renamed")
    assert {known.title for known in await house.chat.conversations()} == {"Renamed", "Two"}
    await house.chat.delete(second.conversation)
    assert [known.title for known in await house.chat.conversations()] == ["Renamed"]


async def test_names_are_refused_shortened_and_cleaned(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "One")
    with pytest.raises(Invalid):
        await house.chat.rename(asked.conversation, " \n ")
    with pytest.raises(Invalid):
        await house.chat.move(asked.conversation, " ")
    await house.chat.move(asked.conversation, "f" * 100)
    assert (await only(house)).folder == "f" * 59 + "…"
    for work in (house.chat.pin, house.chat.archive):
        with pytest.raises(NotFound):
            await work("f" * 32)


async def test_an_answer_that_ended_unseen_is_marked_until_it_is_seen(house: House) -> None:
    asked = await house.chat.send(None, LONG, "40 tokens")
    await house.begun(asked)
    assert not house.chat.is_unseen(asked.conversation)
    await house.ended(asked)
    assert house.chat.is_unseen(asked.conversation)
    told: list[str] = []
    house.chat.watch(told.append)
    house.chat.seen(asked.conversation)
    house.chat.seen(asked.conversation)
    assert not house.chat.is_unseen(asked.conversation)
    assert told == [asked.conversation]
