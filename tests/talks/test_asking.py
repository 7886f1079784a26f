"""Asking, regenerating, editing and retrying, alone and while an answer runs."""

import asyncio

import pytest

from services.chat import Asked
from services.errors import Conflict
from tests.talks.house import ECHO, LONG, SCENES, House, texts


async def test_a_conversation_is_asked_on_and_on(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    second = await house.chat.send(first.conversation, ECHO, "Two")
    answer = await house.ended(second)
    assert await house.shown(first.conversation) == ["One", "One", "Two", "Two"]
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["One", "One", "Two"]
    assert answer.reply is not None
    assert answer.reply.state == "finished"
    (known,) = await house.chat.conversations()
    assert (known.id, known.title, known.model, known.shown) == (first.conversation, "One", ECHO, answer.id)


async def test_while_an_answer_runs_nothing_else_is_asked(house: House) -> None:
    asked = await house.chat.send(None, LONG, "300 tokens")
    said = await house.begun(asked)
    before = await house.store.nodes(asked.conversation)
    for refused in (
        house.chat.send(asked.conversation, ECHO, "More"),
        house.chat.retry(asked.conversation, ECHO),
        house.chat.regenerate(asked.conversation, asked.answer.id, ECHO),
        house.chat.edit(asked.conversation, asked.question.id, ECHO, "Other"),
        house.chat.go_on(asked.conversation, asked.answer.id, ECHO, after=asked.answer.generation or ""),
    ):
        with pytest.raises(Conflict):
            await refused
    assert await house.store.nodes(asked.conversation) == before
    assert len(house.way.posted) == 1
    answer = await house.ended(asked)
    assert texts(answer.reply).startswith(said)
    assert await house.shown(asked.conversation) == ["300 tokens", texts(answer.reply)]


async def test_of_two_tabs_that_send_at_once_one_wins(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    outcomes = await asyncio.gather(
        *(house.chat.send(first.conversation, ECHO, text) for text in ("Left", "Right")), return_exceptions=True
    )
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, Asked)]
    (lost,) = [outcome for outcome in outcomes if not isinstance(outcome, Asked)]
    assert isinstance(lost, Conflict)
    await house.ended(won)
    assert (await house.shown(first.conversation))[2:] == [won.question.message.text] * 2 if won.question.message else False
    assert len(await house.store.nodes(first.conversation)) == 4


async def test_two_conversations_answer_at_once(house: House) -> None:
    one, two = [await house.chat.send(None, LONG, text) for text in ("100 tokens", "120 tokens")]
    await house.begun(one)
    await house.begun(two)
    assert len({texts((await house.ended(asked)).reply) for asked in (one, two)}) == 2


async def test_an_answer_is_regenerated_beside_the_old_one(house: House) -> None:
    first = await house.chat.send(None, LONG, "30 tokens")
    old = await house.ended(first)
    later = await house.chat.send(first.conversation, ECHO, "And then?")
    await house.ended(later)
    again = await house.chat.regenerate(first.conversation, old.id, ECHO)
    await house.ended(again)
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["30 tokens"]
    assert await house.shown(first.conversation) == ["30 tokens", "30 tokens"]
    siblings = (await house.chat.open(first.conversation)).siblings
    assert siblings == {again.answer.id: (old.id, again.answer.id)}

    await house.chat.choose(first.conversation, old.id)
    assert await house.shown(first.conversation) == ["30 tokens", texts(old.reply), "And then?", "And then?"]
    await house.chat.send(first.conversation, ECHO, "On this branch")
    assert [said["content"] for said in house.way.posted[-1]["messages"]][1:] == [
        texts(old.reply),
        "And then?",
        "And then?",
        "On this branch",
    ]


async def test_a_question_is_edited_beside_the_old_one(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    second = await house.chat.send(first.conversation, ECHO, "Two")
    await house.ended(second)
    edited = await house.chat.edit(first.conversation, second.question.id, ECHO, "Zwei")
    await house.ended(edited)
    assert await house.shown(first.conversation) == ["One", "One", "Zwei", "Zwei"]
    root = await house.chat.edit(first.conversation, first.question.id, ECHO, "Eins")
    await house.ended(root)
    assert await house.shown(first.conversation) == ["Eins", "Eins"]
    siblings = (await house.chat.open(first.conversation)).siblings
    assert siblings == {root.question.id: (first.question.id, root.question.id)}
    await house.chat.choose(first.conversation, first.question.id)
    assert await house.shown(first.conversation) == ["One", "One", "Zwei", "Zwei"]


async def test_another_branch_is_looked_at_while_an_answer_runs(house: House) -> None:
    first = await house.chat.send(None, ECHO, "One")
    await house.ended(first)
    running = await house.chat.regenerate(first.conversation, first.answer.id, LONG)
    await house.begun(running)
    await house.chat.choose(first.conversation, first.answer.id)
    assert await house.shown(first.conversation) == ["One", "One"]
    answer = await house.ended(running)
    assert await house.shown(first.conversation) == ["One", "One"]
    await house.chat.choose(first.conversation, running.answer.id)
    assert await house.shown(first.conversation) == ["One", texts(answer.reply)]


async def test_a_failed_answer_is_retried_and_says_nothing_later(house: House) -> None:
    failed = await house.chat.send(None, SCENES, "overloaded")
    assert (await house.ended(failed)).reply is not None
    again = await house.chat.retry(failed.conversation, ECHO)
    await house.ended(again)
    assert again.question.id == failed.question.id
    assert await house.shown(failed.conversation) == ["overloaded", "overloaded"]
    await house.chat.choose(failed.conversation, failed.answer.id)
    await house.ended(await house.chat.send(failed.conversation, ECHO, "Hello?"))
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["overloaded", "Hello?"]
