"""The only file that opens a connection to a model server. Requests go out, responses come back as raw bytes.

    connections = Connections()          the one pool, HTTP/1.1 through aiohttp
    InProcess(answer)                    the same for a server that is a function of this process
    response = await connections.send("POST", url, headers, body, 5.0)
    await response.pour(into)            or: while data := await response.read(): ...
    await response.close()

No redirect is followed, no proxy from the environment is used, no cookie is kept, no body is decompressed.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, Protocol

import aiohttp

from services.settings.values import metadata
from services.upstream.rehearsal.script import Answer

# What sending and reading raise when a connection cannot be made, or breaks.
BROKEN = (aiohttp.ClientError, aiohttp.http.HttpProcessingError, ConnectionError)


# Takes bytes the moment they come. What it returns: True, it wants no more; something to await before more is read; or nothing.
Into = Callable[[bytes], Awaitable[None] | bool | None]


class Response(Protocol):
    """`headers` by lower-case name. Close it, whatever happens."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def at_end(self) -> bool:
        """Everything was read."""

    async def read(self) -> bytes:
        """What has come since the last read, at least one byte; empty at the end. Raises one of BROKEN."""

    async def pour(self, into: Into) -> None:
        """Hand over everything that comes, until `into` wants no more or there is none. Raises one of BROKEN, and what `into` raises."""

    async def close(self) -> None:
        """A response that was not read to its end takes its connection along."""


class Transport(Protocol):
    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, connect: float) -> Response:
        """`connect` in seconds. Returns when the response's headers are there. Raises one of BROKEN."""

    async def close(self) -> None: ...


class Connections:
    """Servers that close idle connections do so after 5 s (uvicorn, Node): ours are given up earlier than that."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None  # made in the loop that uses it

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, connect: float) -> Response:
        if self._session is None:
            self._session = _open()
        timeout = aiohttp.ClientTimeout(sock_connect=connect)
        return _Response(await self._session.request(method, url, headers=headers, data=body, allow_redirects=False, timeout=timeout))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Response:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.read = response.content.readany  # no layer of our own between the socket and the reader
        self._response = response

    @property
    def at_end(self) -> bool:
        return self._response.content.at_eof()

    async def pour(self, into: Into) -> None:
        pouring = _Pouring(self._response.content, into)
        try:
            while (full := await pouring.flow()) is not None:
                await full
        finally:
            pouring.end()

    async def close(self) -> None:
        self._response.close()


class _Pouring:
    """Takes the bytes of a body in the very call that brings them, so that no task has to wake up for each: a sixth of a relay's CPU.

    It stands in the place of the future that aiohttp's StreamReader (3.13 and 3.14) keeps for who waits for bytes, and may not use
    `read_nowait` there: that may call the parser, which is in the middle of its work, again.
    """

    def __init__(self, content: aiohttp.StreamReader, into: Into) -> None:
        self._content: Any = content
        self._into = into

    async def flow(self) -> Awaitable[None] | None:
        """Returns what to await before more is taken; None when it is over."""
        self._over: asyncio.Future[Awaitable[None] | None] = asyncio.get_running_loop().create_future()
        content = self._content
        while content._buffer and not self._over.done():
            self._take(content.read_nowait())
        self._wait()
        return await self._over

    def end(self) -> None:
        if self._content._waiter is self:
            self._content._waiter = None

    def _wait(self) -> None:
        if self._over.done():
            return
        if self._content._exception is not None:
            self._over.set_exception(self._content._exception)
        elif self._content._eof:
            self._over.set_result(None)
        else:
            self._content._waiter = self

    def _take(self, data: bytes) -> None:
        try:
            full = self._into(data)
        except Exception as exc:  # it must not reach the parser: who pours gets it
            self._over.set_exception(exc)
        else:
            if full is True:
                self._over.set_result(None)
            elif full:
                self._over.set_result(full)

    # What StreamReader calls: bytes have come, the end has come, or the connection broke.

    def done(self) -> bool:
        return self._over.done()

    def set_result(self, _: None) -> None:
        content = self._content
        if content._buffer:
            data = b"".join(content._buffer)
            content._buffer.clear()
            content._size = 0
            if content._http_chunk_splits:
                content._http_chunk_splits.clear()
            self._take(data)
        self._wait()

    def set_exception(self, exc: BaseException) -> None:
        self._over.set_exception(exc)


def _open() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4.0, socket_factory=_socket)
    return aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())


def _socket(address: "aiohttp.typedefs.AddrInfoType") -> socket.socket:  # type: ignore[name-defined]
    """A socket that notices a peer that vanished without a word (sleep, cable, NAT).

    Here, as a name may have led elsewhere when it was looked up before: none to what hands out a cloud machine's credentials.
    """
    family, kind, proto, _, there = address
    if metadata(str(there[0]).partition("%")[0]):
        raise PermissionError(errno.EACCES, "This is a link-local or cloud metadata address, which may hand out credentials")
    sock = socket.socket(family=family, type=kind, proto=proto)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 30_000)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock


async def pour(read: Callable[[], Awaitable[bytes]], into: Into) -> None:
    """`Response.pour` of what can only be read."""
    while data := await read():
        full = into(data)
        if full is True:
            return
        if full:
            await full


class InProcess:
    """A server that is a function: same requests, same responses, no socket."""

    def __init__(self, answer: Callable[[str, str, bytes], Awaitable[Answer]]) -> None:
        self._answer = answer

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, connect: float) -> Response:
        path = "/" + url.partition("://")[2].partition("/")[2]
        return _Answered(await self._answer(method, path, body or b""))

    async def close(self) -> None:
        pass


class _Answered:
    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.at_end = False
        self._chunks: AsyncGenerator[bytes, None] = answer.chunks

    async def read(self) -> bytes:
        async for data in self._chunks:
            if data:
                return data
        self.at_end = True
        return b""

    async def pour(self, into: Into) -> None:
        await pour(self.read, into)

    async def close(self) -> None:
        await self._chunks.aclose()
