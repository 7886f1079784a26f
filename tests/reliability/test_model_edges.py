"""What the walks have found, each by itself; and the grace of who leaves."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from services.chat import Chat
from services.errors import Busy, NotSaved
from services.generations.memory import MemoryJournal
from services.messages import Message, Text, Turn
from services.store.memory import MemoryStore
from services.upstream import READERS
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.server import Rehearsal
from tests.reliability.house import House
from tests.reliability.model import RUNNING

LONG = "rehearsal/longform"
TURN = Turn(LONG, (Message("user", (Text("100 tokens"),)),), on_disconnect="stop")


@pytest.mark.parametrize("moment", ["find", "create"])
async def test_what_is_asked_while_the_process_ends_is_taken_whole_or_not_at_all(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end comes while the question is on its way into the store."""
    house = House(tmp_path, keep=100)
    reached, call = asyncio.Event(), getattr(house.store, moment)

    async def noticed(*given: object) -> object:
        reached.set()
        return await call(*given)

    monkeypatch.setattr(house.store, moment, noticed)
    asking = asyncio.create_task(house.chat.send(None, LONG, "100 tokens"))
    await reached.wait()
    await house.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("generation")]
    known = {summary.id: summary.state for summary in house.chat.generations()}
    try:
        asked = await asking
    except (Busy, NotSaved):
        assert known == {}
    else:
        assert known == {asked.answer.generation: "interrupted"}


async def test_a_log_is_not_dropped_before_its_conversation_has_the_reply(tmp_path: Path) -> None:
    house = House(tmp_path / "house", keep=2)
    asked = [await house.chat.send(None, LONG, "100 tokens") for _ in range(6)]
    house = await house.killed()  # six replies are interrupted, two logs may be kept
    await until(lambda: len(house.chat.generations()) <= 2 and not house.chat._tasks)
    for each in asked:
        (answer,) = (node for node in await house.store.nodes(each.conversation) if node.generation)
        assert answer.reply is not None
        assert answer.reply.state == "interrupted"
        assert answer.reply.seq > 0
    await house.close()


def door(grace: float) -> Chat:
    upstream = HTTPUpstream("rehearsal", READERS["openai_chat"], "http://rehearsal", InProcess(Rehearsal(10.0, Stepped()).answer))
    return Chat(Catalogue([upstream], fixed={"rehearsal": ("longform",)}), MemoryStore(), MemoryJournal(), grace=grace)


async def until(true: Callable[[], bool]) -> None:
    """Looks again and again: to follow would be to read."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come about")


async def read_and_leave(chat: Chat, id: str) -> None:
    async with aclosing(chat.follow(id)) as batches:
        await anext(batches)  # what is there already
    chat.left(id)


async def test_who_leaves_stops_it_after_the_grace() -> None:
    chat = door(grace=0.05)
    id = chat.start(TURN).generation
    await read_and_leave(chat, id)
    assert chat.reply(id).state in RUNNING
    async with aclosing(chat.follow(read := chat.start(TURN).generation)):
        await read_and_leave(chat, read)
        await until(lambda: chat.reply(id).state == "stopped")
        assert chat.reply(read).state in RUNNING
    await chat.close()


async def test_who_comes_back_in_time_keeps_it_running_and_the_grace_begins_anew() -> None:
    loop = asyncio.get_running_loop()
    chat = door(grace=1.0)
    id = chat.start(TURN).generation
    await read_and_leave(chat, id)
    async with aclosing(chat.follow(id)):
        await asyncio.sleep(1.2)
        assert chat.reply(id).state in RUNNING
    chat.left(id)
    await asyncio.sleep(0.2)
    left = loop.time()
    await read_and_leave(chat, id)
    await until(lambda: chat.reply(id).state == "stopped")
    assert loop.time() - left >= 0.99
    await chat.close()


async def test_nothing_waits_for_a_grace_when_the_process_ends() -> None:
    chat = door(grace=3600.0)
    id = chat.start(TURN).generation
    await read_and_leave(chat, id)
    await chat.close()
    assert chat.reply(id).state == "interrupted"
