"""What the model server of the tables can do besides sending bytes (tests/upstream/model_server.py has that)."""

import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress

from tests.upstream.model_server import DONE, Behave, answer, chunk, delta, sends

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
LAST = b"0\r\n\r\n"  # of a chunked body
PLAIN_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
MB = 1 << 20
HEL, LO = delta("Hel"), delta("lo", '"stop"')
GIANT = b'data: {"choices":[{"index":0,"delta":{"content":"'  # and no end of it


def stream(*pieces: bytes, then: str = "end") -> Behave:
    """An event stream in chunks: these pieces, each in a write of its own, and then its last chunk, or what `sends` can do."""
    return sends(HEAD, *map(chunk, pieces), *([LAST] if then == "end" else []), then="close" if then == "end" else then)


WELL = stream(HEL, LO + DONE)


def refuses(status: str, body: bytes = b"{}", *headers: str) -> Behave:
    return sends(answer(status, body, "connection: close", *headers))


def slowly(pieces: Iterable[bytes], pause: float) -> Behave:
    """Each piece of a stream in a chunk of its own, with a pause after it; until the client goes."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for piece in pieces:
            writer.write(chunk(piece))
            await writer.drain()
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), pause)
                return
        writer.write(LAST)

    return behave


def flood(head: bytes, piece: bytes, most: int) -> Behave:
    """The same bytes again and again, up to so many, as fast as they are taken."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(most // len(piece)):
            writer.write(piece)
            await writer.drain()

    return behave


def freezes(first: bytes) -> Behave:
    """Sends this, then the whole process stands still: nobody answers, and nobody hangs up."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(first))
        await writer.drain()
        os.kill(os.getpid(), signal.SIGSTOP)

    return behave


def bytewise(*pieces: bytes) -> Behave:
    """A stream in which every byte is a chunk."""
    return stream(*(bytes([byte]) for byte in b"".join(pieces)))
