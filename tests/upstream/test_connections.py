"""A response's body, poured: everything once and in order, whatever the pieces, the pauses and the end."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

from services.upstream.connections import BROKEN, Connections, Response
from tests.upstream.model_server import HEAD, Behave, Server, chunk, sends

BODY = random.Random(1).randbytes(3_000_000)
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"


def cut(data: bytes, sizes: random.Random, most: int) -> list[bytes]:
    pieces, at = [], 0
    while at < len(data):
        size = sizes.randint(1, most)
        pieces.append(data[at : at + size])
        at += size
    return pieces


@asynccontextmanager
async def answered(behave: Behave) -> AsyncIterator[tuple[Response, Server]]:
    server = Server(behave)
    connections = Connections()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        response = await connections.send("GET", f"http://127.0.0.1:{port}/", {}, None, 1.0)
        try:
            yield response, server
        finally:
            await response.close()
            await connections.close()
            await server.end()


def chunked(most: int) -> Behave:
    return sends(HEAD, *map(chunk, cut(BODY, random.Random(most), most)), chunk(b""))


WAYS = {
    "large chunks": chunked(300_000),
    "small chunks": chunked(4_000),
    "more chunks in one read than aiohttp lets wait": sends(HEAD + b"".join(map(chunk, cut(BODY, random.Random(), 50))) + chunk(b"")),
    "no chunks": sends(PLAIN % len(BODY), BODY),
    "all of it with the headers": sends(PLAIN % len(BODY) + BODY),
}


@pytest.mark.parametrize("behave", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("every", [0, 1, 7], ids=lambda every: f"a pause at each {every}" if every else "no pause")
async def test_all_of_a_body_comes_once_and_in_order(behave: Behave, every: int) -> None:
    """Also when who takes it wants a pause now and then, in which more comes than may wait."""
    taken: list[bytes] = []

    def into(data: bytes) -> Awaitable[None] | None:
        taken.append(data)
        return asyncio.sleep(0) if every and len(taken) % every == 0 else None

    async with answered(behave) as (response, _):
        await asyncio.wait_for(response.pour(into), 30)
        assert response.at_end
    assert b"".join(taken) == BODY


async def test_what_is_not_wanted_any_more_is_left_for_who_reads_on() -> None:
    first: list[bytes] = []

    def into(data: bytes) -> bool:
        first.append(data)
        return True

    async with answered(sends(HEAD + chunk(b"one"), chunk(b"two"), chunk(b""))) as (response, _):
        await response.pour(into)
        rest = b""
        while data := await response.read():
            rest += data
    assert len(first) == 1
    assert first[0] + rest == b"onetwo"


async def test_who_takes_it_may_fail() -> None:
    def into(data: bytes) -> None:
        raise ValueError("not like this")

    async with answered(sends(HEAD + chunk(b"one"), then="stay")) as (response, _):
        with pytest.raises(ValueError, match="not like this"):
            await response.pour(into)


@pytest.mark.parametrize("waits", [False, True])
async def test_a_connection_that_breaks_is_told_after_what_has_come(waits: bool) -> None:
    taken: list[bytes] = []

    def into(data: bytes) -> Awaitable[None] | None:
        taken.append(data)
        return server.left.wait() if waits else None  # type: ignore[return-value]

    async with answered(sends(HEAD + chunk(b"one"), then="close")) as (response, server):
        with pytest.raises(BROKEN):
            await response.pour(into)
    assert taken == [b"one"]


@pytest.mark.parametrize("there", ["169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fe80::1]", "100.100.100.200"])
async def test_no_connection_is_made_to_what_hands_out_credentials(there: str) -> None:
    """Whatever was said of its name when it was looked up before."""
    connections = Connections()
    with pytest.raises(BROKEN, match="hand out credentials"):
        await connections.send("GET", f"http://{there}/", {}, None, 1.0)
    await connections.close()


async def test_nothing_is_handed_over_after_the_end() -> None:
    came, more = asyncio.Event(), asyncio.Event()
    taken: list[bytes] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"one"))
        await more.wait()
        writer.write(chunk(b"two"))
        await reader.read()

    def into(data: bytes) -> None:
        taken.append(data)
        came.set()

    async with answered(behave) as (response, _):
        pouring = asyncio.create_task(response.pour(into))
        await came.wait()
        pouring.cancel()
        more.set()
        await asyncio.wait([pouring])
        assert await response.read() == b"two"
    assert taken == [b"one"]
