"""Going on with an answer that was cut off: one message for who reads it."""

from pathlib import Path

import pytest

from services.errors import Conflict, Invalid, NotFound, UnknownModel
from services.messages import Text
from services.talks.asking import GO_ON
from tests.talks.house import ECHO, LONG, SCENES, House, texts


@pytest.mark.parametrize("cuts", [1, 3])
async def test_a_stopped_answer_goes_on_as_one_message(house: House, cuts: int) -> None:
    """To the very text that it would have been."""
    whole = texts((await house.ended(await house.chat.send(None, LONG, "300 tokens"))).reply)
    asked = await house.chat.send(None, LONG, "300 tokens")
    for _ in range(cuts):
        stopped = await house.stopped(asked)
        said = await house.shown(asked.conversation)
        assert stopped.reply is not None
        assert stopped.reply.state == "stopped"
        assert stopped.may_go_on
        asked = await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or "")
        assert asked.answer.id == stopped.id
        await house.begun(asked, 1)
        assert house.way.posted[-1]["messages"][-1] == {"role": "assistant", "content": said[-1]}
    answer = await house.ended(asked)
    assert answer.parts == (Text(whole),)
    assert answer.whole is not None
    assert answer.whole.state == "finished"
    assert not answer.may_go_on
    assert len(await house.store.nodes(asked.conversation)) == 2
    await house.ended(await house.chat.send(asked.conversation, ECHO, "Thanks"))
    assert [said["content"] for said in house.way.posted[-1]["messages"]] == ["300 tokens", whole, "Thanks"]


async def test_where_a_server_does_not_go_on_by_itself_it_is_asked_to_in_words(tmp_path: Path) -> None:
    house = House(tmp_path, "memory", prefilling=())
    stopped = await house.stopped(asked := await house.chat.send(None, LONG, "300 tokens"))
    await house.begun(await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or ""), 1)
    said = house.way.posted[-1]["messages"]
    assert [message["role"] for message in said] == ["user", "assistant", "user"]
    assert said[1]["content"] == texts(stopped.reply)
    assert said[2]["content"] == GO_ON
    assert len(await house.store.nodes(asked.conversation)) == 2
    await house.chat.close()


@pytest.mark.parametrize(("scene", "state"), [("length", "finished"), ("error", "failed"), ("cut", "failed")])
async def test_what_was_cut_off_may_go_on(house: House, scene: str, state: str) -> None:
    answer = await house.ended(asked := await house.chat.send(None, SCENES, scene))
    assert answer.reply is not None
    assert answer.reply.state == state
    assert answer.may_go_on
    again = await house.chat.go_on(asked.conversation, answer.id, SCENES, after=answer.generation or "")
    assert texts(answer.reply) == "".join(part.text for part in again.answer.said if isinstance(part, Text))


async def test_going_on_that_fails_keeps_what_was_said(house: House) -> None:
    stopped = await house.stopped(asked := await house.chat.send(None, LONG, "300 tokens"))
    with pytest.raises(UnknownModel):
        await house.chat.go_on(asked.conversation, stopped.id, "rehearsal/nobody", after=stopped.generation or "")
    assert await house.kept(asked) == stopped
    again = await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or "")
    await house.chat.stop(again.answer.generation or "")
    node = await house.kept(again)
    assert node.parts == stopped.parts
    assert node.may_go_on


async def test_going_on_twice_goes_on_once(house: House) -> None:
    stopped = await house.stopped(asked := await house.chat.send(None, LONG, "300 tokens"))
    again = await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or "")
    await house.ended(again)
    joined = await house.chat.go_on(asked.conversation, stopped.id, LONG, after=stopped.generation or "")
    assert joined.answer.generation == again.answer.generation
    assert len(house.way.posted) == 2


async def test_what_cannot_go_on_is_refused(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "One")
    await house.ended(asked)
    go_on = house.chat.go_on
    with pytest.raises(Conflict, match="was not cut off"):
        await go_on(asked.conversation, asked.answer.id, ECHO, after=asked.answer.generation or "")
    stopped = await house.stopped(long := await house.chat.send(asked.conversation, LONG, "300 tokens"))
    await house.ended(await house.chat.send(asked.conversation, ECHO, "Next"))
    with pytest.raises(Conflict, match="messages after it"):
        await go_on(asked.conversation, stopped.id, ECHO, after=stopped.generation or "")
    with pytest.raises(Invalid, match="Only an answer"):
        await house.chat.regenerate(asked.conversation, long.question.id, ECHO)
    with pytest.raises(Invalid, match="Only a question"):
        await house.chat.edit(asked.conversation, long.answer.id, ECHO, "text")
    with pytest.raises(NotFound):
        await house.chat.choose(asked.conversation, "nobody")
