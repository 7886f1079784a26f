"""Messages that wait for the end of an answer: sent in order, held when it did not end by itself, never lost, never twice."""

import asyncio
from pathlib import Path

import pytest

from services.chat import Asked, Given
from services.conversations import Node
from services.errors import Invalid, NotFound
from services.waiting import Line, line
from tests.talks.house import ECHO, ID, LONG, OTHER, SCENES, House, texts


async def waiting(house: House, conversation: str) -> Line:
    (known,) = [known for known in await house.chat.conversations() if known.id == conversation]
    return line(known.queue)


async def answered(house: House, conversation: str, many: int) -> list[Node]:
    """The branch once so many answers are in the store, the clock running."""
    ticking = asyncio.create_task(house._tick())
    try:
        async with asyncio.timeout(10):
            while True:
                nodes = (await house.chat.open(conversation)).nodes
                if len([node for node in nodes if node.reply and node.reply.state == "finished"]) >= many:
                    return nodes
                await asyncio.sleep(0)
    finally:
        ticking.cancel()


async def held(house: House, conversation: str) -> Line:
    async with asyncio.timeout(10):
        while True:
            if (found := await waiting(house, conversation)).held:
                return found
            await asyncio.sleep(0)


async def begun(house: House) -> Asked:
    asked = await house.chat.send(None, LONG, "300 tokens")
    await house.begun(asked)
    return asked


async def test_what_waits_is_sent_in_order_when_the_answer_has_ended(house: House) -> None:
    asked = await begun(house)
    file = Given((await house.chat.attach("a.txt", b"Alpha")).hash, "a.txt")
    for text, id in (("One", ID), ("Two", OTHER), ("One", ID)):
        await house.chat.queue(asked.conversation, ECHO, text, id=id, files=[file] if text == "One" else [])
    assert [each.text for each in (await waiting(house, asked.conversation)).waiting] == ["One", "Two"]
    assert len(house.way.posted) == 1
    nodes = await answered(house, asked.conversation, 3)
    assert [node.id for node in nodes if node.id in (ID, OTHER)] == [ID, OTHER]
    assert [node.message.text for node in nodes if node.message] == ["300 tokens", "One", "Two"]
    assert "Alpha" in house.way.posted[1]["messages"][-1]["content"]
    assert await waiting(house, asked.conversation) == Line()
    await house.chat.queue(asked.conversation, ECHO, "One", id=ID)  # as if nobody had said that it was taken
    assert await waiting(house, asked.conversation) == Line()


async def test_what_waits_after_a_stop_is_held_until_somebody_lets_it_go_on(house: House) -> None:
    asked = await begun(house)
    await house.chat.queue(asked.conversation, ECHO, "One")
    await house.chat.stop(asked.answer.generation or "")
    assert (await held(house, asked.conversation)).held == "stopped"
    other = await house.chat.send(asked.conversation, ECHO, "First this")
    await house.ended(other)
    assert [each.text for each in (await waiting(house, asked.conversation)).waiting] == ["One"]
    await house.chat.send_queued(asked.conversation)
    nodes = await answered(house, asked.conversation, 2)
    assert [node.message.text for node in nodes if node.message] == ["300 tokens", "First this", "One"]
    assert await waiting(house, asked.conversation) == Line()


async def test_what_waits_after_a_failure_is_held(house: House) -> None:
    asked = await house.chat.send(None, SCENES, "cut")
    await house.chat.queue(asked.conversation, ECHO, "One")
    await house.ended(asked)
    assert (await held(house, asked.conversation)).held == "failed"


async def test_what_is_refused_stays_and_says_why(house: House) -> None:
    asked = await begun(house)
    await house.chat.queue(asked.conversation, "rehearsal/nobody", "One")
    await house.ended(asked)
    now = await held(house, asked.conversation)
    assert now.held.startswith("No model is called 'rehearsal/nobody'")
    assert [each.text for each in now.waiting] == ["One"]


async def test_what_waits_can_be_taken_back(house: House) -> None:
    asked = await begun(house)
    for text, id in (("One", ID), ("Two", OTHER)):
        await house.chat.queue(asked.conversation, ECHO, text, id=id)
    assert (await house.chat.unqueue(asked.conversation, ID)).text == "One"
    with pytest.raises(NotFound, match="does not wait any more"):
        await house.chat.unqueue(asked.conversation, ID)
    nodes = await answered(house, asked.conversation, 2)
    assert [node.message.text for node in nodes if node.message] == ["300 tokens", "Two"]


async def test_with_nothing_running_it_is_sent_at_once_and_nothing_empty_waits(house: House) -> None:
    asked = await house.chat.send(None, ECHO, "Hello")
    await house.ended(asked)
    await house.chat.queue(asked.conversation, ECHO, "One")
    assert texts((await answered(house, asked.conversation, 2))[-1].reply) == "One"
    with pytest.raises(Invalid):
        await house.chat.queue(asked.conversation, ECHO, " \n")
    with pytest.raises(NotFound):
        await house.chat.queue("0" * 32, ECHO, "One")


async def test_a_restart_holds_what_waited(tmp_path: Path) -> None:
    house = House(tmp_path)
    asked = await begun(house)
    await house.chat.queue(asked.conversation, ECHO, "One")
    await house.chat.close()
    later = House(tmp_path)
    await later.chat.restore()
    now = await held(later, asked.conversation)
    assert (now.held, [each.text for each in now.waiting]) == ("interrupted", ["One"])
    await later.chat.close()
