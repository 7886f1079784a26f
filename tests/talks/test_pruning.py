"""Messages that are taken out with all that follows them, and put back."""

import pytest

from services.errors import Conflict, NotFound
from tests.talks.house import ECHO, LONG, House


async def talk(house: House, *questions: str) -> list[str]:
    """Ids of the conversation, and of each question and answer in turn."""
    conversation, ids = None, []
    for question in questions:
        asked = await house.chat.send(conversation, ECHO, question)
        await house.ended(asked)
        conversation = asked.conversation
        ids += [asked.question.id, asked.answer.id]
    return [conversation or "", *ids]


async def test_a_message_goes_with_all_that_follows_and_comes_back(house: House) -> None:
    conversation, _, _, question, *_ = await talk(house, "One", "Two", "Three")
    before = await house.chat.open(conversation)
    pruned = await house.chat.prune(conversation, question)
    assert len(pruned.nodes) == 4
    assert await house.shown(conversation) == ["One", "One"]
    assert [found.conversation for found in (await house.chat.search("Two"))] == []
    await house.chat.graft(conversation, pruned)
    assert await house.chat.open(conversation) == before
    assert [found.conversation for found in (await house.chat.search("Two"))] != []


async def test_another_branch_takes_the_place(house: House) -> None:
    conversation, question, first = await talk(house, "One")
    second = await house.chat.regenerate(conversation, first, ECHO)
    await house.ended(second)
    third = await house.chat.regenerate(conversation, first, ECHO)
    await house.ended(third)
    await house.chat.prune(conversation, third.answer.id)
    assert [node.id for node in (await house.chat.open(conversation)).nodes] == [question, second.answer.id]
    other = await house.chat.edit(conversation, question, ECHO, "Other")
    await house.ended(other)
    await house.chat.prune(conversation, question)  # not the branch that is shown
    assert await house.shown(conversation) == ["Other", "Other"]


async def test_a_conversation_may_be_emptied_and_asked_on(house: House) -> None:
    conversation, question, _ = await talk(house, "One")
    await house.chat.prune(conversation, question)
    assert await house.shown(conversation) == []
    await house.ended(await house.chat.send(conversation, ECHO, "Again"))
    assert await house.shown(conversation) == ["Again", "Again"]


async def test_nothing_is_taken_out_or_put_back_while_an_answer_runs_or_where_no_place_is(house: House) -> None:
    conversation, question, answer, second, _ = await talk(house, "One", "Two")
    pruned = await house.chat.prune(conversation, second)
    asked = await house.chat.send(conversation, LONG, "300 tokens")
    await house.begun(asked)
    with pytest.raises(Conflict):
        await house.chat.prune(conversation, question)
    with pytest.raises(Conflict):
        await house.chat.graft(conversation, pruned)
    await house.stopped(asked)
    await house.chat.prune(conversation, answer)
    with pytest.raises(NotFound):
        await house.chat.graft(conversation, pruned)
    with pytest.raises(NotFound):
        await house.chat.prune(conversation, second)
