"""A model server of the tests: a real socket that answers as it is told, and an upstream that asks it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from services.errors import UpstreamError
from services.events import Event, PartDelta
from services.messages import Message, Text, Turn
from services.upstream.connections import Connections
from services.upstream.http import Emit, HTTPUpstream
from services.upstream.openai_chat import OpenAIChatReader
from services.upstream.patience import Timeouts

TURN = Turn("m", (Message("user", (Text("Hello"),)),))
HURRIED = Timeouts(connect=1.0, first_byte=0.2, gap=0.2, total=5.0)

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def delta(text: str, reason: str = "null") -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n' % (text.encode(), reason.encode())


DONE = b"data: [DONE]\n\n"
WHOLE = delta("Hel") + delta("lo", '"stop"') + DONE
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def sends(*pieces: bytes, then: str = "close") -> Behave:
    """Send these bytes, then close the connection, reset it, or stay silent until the client goes."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then == "stay":
            await reader.read()
        elif then == "reset":
            writer.transport.abort()

    return behave


class Server:
    """`requests` as they came; `left` is set when a client has closed its connection."""

    def __init__(self, behave: Behave) -> None:
        self.requests: list[bytes] = []
        self.left = asyncio.Event()
        self._behave = behave
        self._connections: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[asyncio.current_task()] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            self.requests.append(head + await reader.readexactly(length))
            await self._behave(reader, writer)
        self.left.set()
        writer.close()

    async def end(self) -> None:
        """Close every connection, and wait until their tasks have seen it."""
        for writer in self._connections.values():
            writer.close()
        await asyncio.gather(*(task for task in self._connections if task))


@asynccontextmanager
async def upstream(behave: Behave, **options: object) -> AsyncIterator[tuple[HTTPUpstream, Server]]:
    server = Server(behave)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    transport = Connections()
    try:
        options = {"timeouts": HURRIED, **options}
        yield HTTPUpstream("mill", OpenAIChatReader, f"http://127.0.0.1:{port}/v1", transport, **options), server  # type: ignore[arg-type]
    finally:
        await transport.close()
        listening.close()
        await server.end()


class Asked(Protocol):
    async def read(self, turn: Turn, emit: Emit) -> None: ...


async def story(asked: Asked, turn: Turn = TURN) -> list[Event]:
    """What was emitted; an error becomes its event, as a generation would write it."""
    events: list[Event] = []
    try:
        await asked.read(turn, events.extend)
    except UpstreamError as exc:
        events.append(exc.event())
    return events


def in_turn(*behaves: Behave) -> Behave:
    """One after the other, the last one for ever."""
    left = list(behaves)

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(reader, writer)

    return behave


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, PartDelta))
