"""Titles, and messages that arrive twice or with characters that nobody keeps."""

import asyncio

import pytest

from services.errors import Invalid, NotFound, UnknownModel
from tests.talks.house import ECHO, ID, LONG, OTHER, House


async def test_it_is_renamed_while_it_answers(house: House) -> None:
    asked = await house.chat.send(None, LONG, "30 tokens")
    await house.begun(asked)
    await house.chat.rename(asked.conversation, "  The\n mill  ")
    await house.ended(asked)
    assert (await house.chat.open(asked.conversation)).conversation.title == "The mill"
    with pytest.raises(Invalid):
        await house.chat.rename(asked.conversation, " ")
    with pytest.raises(NotFound):
        await house.chat.rename("nobody", "x")


@pytest.mark.parametrize("tries", [2, 20])
async def test_the_same_message_is_sent_once(house: House, tries: int) -> None:
    """Double clicks, resent events: at once and later, in a new conversation and in a known one."""
    sent = await asyncio.gather(*(house.chat.send(None, ECHO, "One", id=ID) for _ in range(tries)))
    assert len({asked.conversation for asked in sent}) == 1
    await house.ended(sent[0])
    joined = await house.chat.send(None, ECHO, "One", id=ID)
    assert (joined.conversation, joined.question.id, joined.answer.id) == (sent[0].conversation, ID, sent[0].answer.id)
    more = await asyncio.gather(*(house.chat.send(joined.conversation, ECHO, "Two", id=OTHER) for _ in range(tries)))
    await house.ended(more[0])
    again = await asyncio.gather(*(house.chat.regenerate(joined.conversation, sent[0].answer.id, ECHO, id="c" * 32) for _ in range(tries)))
    await house.ended(again[0])
    assert {asked.answer.id for asked in again} == {"c" * 32}
    assert len(house.way.posted) == 3
    assert len(await house.store.nodes(joined.conversation)) == 5
    with pytest.raises(Invalid, match="another message"):
        await house.chat.send(None, ECHO, "Other", id=ID)
    with pytest.raises(Invalid, match="hexadecimal"):
        await house.chat.send(None, ECHO, "Other", id="x")


async def test_a_message_that_was_refused_may_be_sent_again(house: House) -> None:
    with pytest.raises(UnknownModel):
        await house.chat.send(None, "rehearsal/nobody", "One", id=ID)
    assert not await house.chat.conversations()
    asked = await house.chat.send(None, ECHO, "One", id=ID)
    await house.ended(asked)
    assert await house.shown(asked.conversation) == ["One", "One"]


async def test_half_a_character_and_nul_reach_neither_store_nor_model(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "a\0\ud800b")
    await house.ended(asked)
    assert await house.shown(asked.conversation) == ["a\ufffd\ufffdb"] * 2
