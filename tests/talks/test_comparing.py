"""The same question to several models at once: they run together, and the conversation goes on from the one that is kept."""

import pytest

from services.chat import Asked
from services.conversations import Node
from services.errors import Conflict, Invalid, UnknownModel
from services.messages import Reply
from tests.talks.house import ECHO, ID, LONG, SCENES, House, texts

ALL = [LONG, ECHO, SCENES]


async def all_ended(house: House, asked: Asked) -> list[Node]:
    return [await house.ended(asked._replace(answer=node)) for node in (asked.answer, *asked.beside)]


async def test_all_answer_one_question_and_the_branch_ends_in_it(house: House) -> None:
    asked = await house.chat.compare(None, ALL, "3 tokens")
    await all_ended(house, asked)
    shown = await house.chat.open(asked.conversation)
    assert [node.id for node in shown.nodes] == [asked.question.id]
    assert [_reply(node).model for node in shown.beside] == ALL
    assert {node.parent for node in shown.beside} == {asked.question.id}
    assert len(house.way.posted) == 3


async def test_while_one_of_them_runs_nothing_else_starts(house: House) -> None:
    asked = await house.chat.compare(None, [LONG, ECHO], "900 tokens, only prose")
    await house.ended(asked._replace(answer=asked.beside[0]))
    assert house.chat.is_answering(asked.conversation)
    with pytest.raises(Conflict, match="still running"):
        await house.chat.send(asked.conversation, ECHO, "And now?")
    with pytest.raises(Conflict, match="still running"):
        await house.chat.regenerate(asked.conversation, asked.beside[0].id, ECHO)


async def test_the_conversation_goes_on_from_the_one_that_is_kept(house: House) -> None:
    first = await house.chat.send(None, LONG, "3 tokens")
    await house.ended(first)
    asked = await house.chat.compare(first.conversation, [LONG, ECHO], "Say this")
    await all_ended(house, asked)
    with pytest.raises(Conflict, match="Keep one"):
        await house.chat.send(asked.conversation, ECHO, "And now?")
    await house.chat.keep(asked.conversation, asked.beside[0].id)
    shown = await house.chat.open(asked.conversation)
    assert shown.nodes[-1].id == asked.beside[0].id
    assert shown.beside == ()
    assert shown.siblings[asked.beside[0].id] == (asked.answer.id, asked.beside[0].id)
    assert shown.conversation.model == ECHO
    await house.ended(await house.chat.send(asked.conversation, ECHO, "And now?"))
    assert [message["content"] for message in house.way.posted[-1]["messages"]][-3:] == ["Say this", "Say this", "And now?"]


async def test_keeping_one_stops_the_others(house: House) -> None:
    asked = await house.chat.compare(None, [ECHO, LONG], "900 tokens, only prose")
    await house.ended(asked)
    said = await house.begun(asked._replace(answer=asked.beside[0]))
    await house.chat.keep(asked.conversation, asked.answer.id)
    stopped = await house.kept(asked._replace(answer=asked.beside[0]))
    assert _reply(stopped).state == "stopped"
    assert texts(stopped.reply) == said
    await house.ended(await house.chat.send(asked.conversation, ECHO, "And now?"))


async def test_an_answer_that_is_asked_for_again_stays_in_its_column(house: House) -> None:
    asked = await house.chat.compare(None, [LONG, ECHO], "3 tokens")
    await all_ended(house, asked)
    again = await house.chat.regenerate(asked.conversation, asked.answer.id, LONG)
    await house.ended(again)
    shown = await house.chat.open(asked.conversation)
    assert [node.id for node in shown.beside] == [again.answer.id, asked.beside[0].id]
    await house.chat.keep(asked.conversation, again.answer.id)
    await house.chat.spread(asked.conversation, again.answer.id)
    assert [node.id for node in (await house.chat.open(asked.conversation)).beside] == [again.answer.id, asked.beside[0].id]


async def test_a_column_that_was_stopped_goes_on_in_its_place(house: House) -> None:
    asked = await house.chat.compare(None, [LONG, ECHO], "60 tokens, only prose")
    await house.ended(asked._replace(answer=asked.beside[0]))
    cut = await house.stopped(asked)
    more = await house.chat.go_on(asked.conversation, asked.answer.id, LONG, after=cut.generation or "")
    await house.ended(more)
    assert [node.id for node in (await house.chat.open(asked.conversation)).beside] == [asked.answer.id, asked.beside[0].id]


async def test_asking_twice_under_one_name_asks_each_model_once(house: House) -> None:
    asked = await house.chat.compare(None, [LONG, ECHO], "3 tokens", id=ID)
    again = await house.chat.compare(None, [LONG, ECHO], "3 tokens", id=ID)
    await all_ended(house, asked)
    assert [node.generation for node in (again.answer, *again.beside)] == [node.generation for node in (asked.answer, *asked.beside)]
    later = await house.chat.compare(None, [LONG, ECHO], "3 tokens", id=ID)
    assert [node.id for node in (later.answer, *later.beside)] == [node.id for node in (asked.answer, *asked.beside)]
    assert len(house.way.posted) == 2


async def test_deleting_stops_all_of_them(house: House) -> None:
    asked = await house.chat.compare(None, [LONG, ECHO], "900 tokens, only prose")
    await house.begun(asked)
    await house.chat.delete(asked.conversation)
    assert not house.chat.is_answering(asked.conversation)


@pytest.mark.parametrize(
    ("models", "error"), [([LONG, LONG], Invalid), ([], Invalid), ([LONG] * 5, Invalid), ([ECHO, "x/y"], UnknownModel)]
)
async def test_what_cannot_be_compared_is_refused_and_nothing_is_stored(house: House, models: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        await house.chat.compare(None, models, "Hello")
    assert not await house.chat.conversations()
    assert house.way.posted == []


def _reply(node: Node) -> Reply:
    assert node.reply is not None
    return node.reply
