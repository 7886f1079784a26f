"""Stop at every moment of a generation: one terminal event, nothing after it, the server's connection closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.chat import Chat
from services.events import Failed, Finished, PartFinished, PartStarted
from services.generations.log import Follower
from services.generations.memory import MemoryJournal
from services.messages import Reply
from services.store import STORES
from services.upstream.attempts import Persistent
from services.upstream.catalogue import Catalogue
from services.upstream.patience import PATIENT
from tests.upstream.model_server import DONE, HEAD, TURN, Behave, Server, answer, chunk, delta, sends, upstream

WORDS = [f"word{n} " for n in range(190)]
ENTRIES = 200  # about: the words, and what stands around them


@asynccontextmanager
async def door(behave: Behave) -> AsyncIterator[tuple[Chat, Server]]:
    async with upstream(behave, timeouts=PATIENT) as (asked, server):
        chat = Chat(Catalogue([Persistent(asked)], fixed={"mill": ["m"]}), STORES["memory"](), MemoryJournal())
        yield chat, server
        await chat.close()


async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One word a turn of the loop, so that every append of the log is one word."""
    writer.write(HEAD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    for word in WORDS:
        writer.write(chunk(delta(word)))
        await writer.drain()
        await asyncio.sleep(0)
    writer.write(chunk(delta("", '"stop"') + DONE) + b"0\r\n\r\n")
    await reader.read()


async def stopped_at(chat: Chat, entries: int) -> tuple[Reply, list[object]]:
    """Start, stop when the log has so many entries or has ended, and all that the log then holds."""
    id = chat.start(TURN).generation
    watching = chat.follow(id)
    there = asyncio.Event()
    seen = 0

    def look() -> None:
        nonlocal seen
        seen += len(watching.take())
        if seen >= entries or watching.at_end:
            there.set()

    watching.listen(look)
    look()
    await there.wait()
    reply = await chat.stop(id)
    await watching.aclose()
    return reply, await told(chat.follow(id))


async def told(follower: Follower) -> list[object]:
    return [entry.event async for batch in follower for entry in batch]


def check(events: list[object], reply: Reply) -> None:
    ends = [event for event in events if isinstance(event, Finished | Failed)]
    assert ends == [events[-1]]
    begun = {event.part for event in events if isinstance(event, PartStarted)}
    assert begun == {event.part for event in events if isinstance(event, PartFinished)}
    assert "".join(WORDS).startswith(reply.message.text)


@pytest.mark.parametrize("first", range(1, ENTRIES, 20))
async def test_a_stop_at_every_append(first: int) -> None:
    async with door(trickle) as (chat, server):
        for entries in range(first, first + 20):
            server.left.clear()
            reply, events = await stopped_at(chat, entries)
            check(events, reply)
            assert reply.state in ("stopped", "finished")
            assert (reply.stop is not None) == (reply.state == "stopped")
            if server.requests:
                await asyncio.wait_for(server.left.wait(), 10)
            assert await chat.stop(reply.generation) == reply
            server.requests.clear()


async def test_a_stop_while_it_waits_to_ask_again() -> None:
    async with door(sends(answer("503 Busy", b"{}", "connection: close", "retry-after: 20"))) as (chat, server):
        reply, events = await stopped_at(chat, 3)  # Started, connecting, retrying
        check(events, reply)
        assert reply.state == "stopped"
        assert len(server.requests) == 1


async def test_a_stop_while_nothing_has_come_yet() -> None:
    async with door(sends(then="stay")) as (chat, server):
        reply, events = await stopped_at(chat, 2)
        check(events, reply)
        assert (reply.state, reply.parts) == ("stopped", ())
        if server.requests:
            await asyncio.wait_for(server.left.wait(), 10)
