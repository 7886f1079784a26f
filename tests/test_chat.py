"""The door, as what asks uses it: here, a thread's newest generation."""

from contextlib import aclosing

import pytest

from services.chat import Chat, Retention
from services.errors import Forbidden, NotFound
from services.generations.memory import MemoryJournal
from services.messages import Message, Text, Turn
from services.persons import Who
from services.store.memory import MemoryStore
from services.upstream import READERS
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal.server import Rehearsal


def door(keep: int) -> Chat:
    upstream = HTTPUpstream("rehearsal", READERS["openai_chat"], "http://rehearsal", InProcess(Rehearsal(10_000.0).answer))
    return Chat(Catalogue([upstream], fixed={"rehearsal": ("echo",)}), MemoryStore(), MemoryJournal(), retention=Retention(keep))


def start(chat: Chat, thread: str | None, client: str = "ai_sdk") -> str:
    turn = Turn("rehearsal/echo", (Message("user", (Text("Hello"),)),), client=client, thread=thread)
    return chat.start(turn).generation


async def ended(chat: Chat, id: str) -> None:
    async with aclosing(chat.follow(id)) as batches:
        async for _ in batches:
            pass


async def test_a_threads_newest_generation_is_found_by_its_clients_name_for_it() -> None:
    chat = door(keep=10)
    first, other, unnamed = start(chat, "a"), start(chat, "b"), start(chat, None)
    assert [summary and summary.id for summary in (chat.latest("ai_sdk", "a"), chat.latest("ai_sdk", "b"))] == [first, other]
    second = start(chat, "a")
    for id in (first, second, other, unnamed):
        await ended(chat, id)
    await chat.close(patience=10)
    latest = chat.latest("ai_sdk", "a")
    assert latest is not None
    assert (latest.id, latest.state) == (second, "finished")
    assert chat.latest("page", "a") is None
    assert chat.latest("ai_sdk", "") is None


async def test_a_thread_is_forgotten_with_its_log() -> None:
    chat = door(keep=2)
    for number in range(5):
        await ended(chat, start(chat, str(number)))
    await chat.close(patience=10)
    known = [number for number in range(5) if chat.latest("ai_sdk", str(number))]
    assert known == [3, 4]


async def test_an_old_log_does_not_take_its_threads_newest_with_it() -> None:
    chat = door(keep=1)
    for _ in range(2):
        await ended(chat, newest := start(chat, "a"))
    await chat.close(patience=10)
    latest = chat.latest("ai_sdk", "a")
    assert latest is not None
    assert latest.id == newest


async def test_nobody_orders_what_is_somebody_elses() -> None:
    chat = door(keep=10)
    asked = await chat.send(None, "rehearsal/echo", "Hello")
    mine, other = asked.conversation, chat.of(Who("bob", frozenset({"chat"})))
    for work in (other.rename(mine, "x"), other.pin(mine), other.move(mine, "x"), other.archive(mine), other.discard(mine)):
        with pytest.raises(NotFound):
            await work
    await other.rename_folder("", "x")
    known = (await chat.open(mine)).conversation
    assert (known.pinned, known.folder, known.archived) == (False, "", False)
    await chat.close(patience=10)


async def test_who_is_no_admin_has_no_address_asked() -> None:
    """From inside of the network that the server is in."""
    with pytest.raises(Forbidden):
        await door(keep=1).of(Who("bob", frozenset({"read", "chat"}))).examine("", "http://127.0.0.1:1")
