"""The only file that opens a connection to a model server. Requests go out, responses come back as raw bytes.

    connections = Connections()          the one pool, HTTP/1.1 through aiohttp
    InProcess(answer)                    the same for a server that is a function of this process
    response = await connections.send("POST", url, headers, body, 5.0)
    while data := await response.read(): ...
    response.close()

No redirect is followed, no proxy from the environment is used, no cookie is kept, no body is decompressed.
"""

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Protocol

import aiohttp

from services.upstream.rehearsal.script import Answer

# What sending and reading raise when a connection cannot be made, or breaks.
BROKEN = (aiohttp.ClientError, aiohttp.http.HttpProcessingError, ConnectionError)


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

    async def close(self) -> None:
        self._response.close()


def _open() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4.0, socket_factory=_socket)
    return aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())


def _socket(address: "aiohttp.typedefs.AddrInfoType") -> socket.socket:  # type: ignore[name-defined]
    """A socket that notices a peer that vanished without a word (sleep, cable, NAT)."""
    family, kind, proto, *_ = address
    sock = socket.socket(family=family, type=kind, proto=proto)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 30_000)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock


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

    async def close(self) -> None:
        await self._chunks.aclose()
