"""The built-in model server as a public mock: `/rehearsal/<dialect>/...` answers as that vendor's own server does.

Nothing of Headrace is in between, no generation and no log: these are the bytes that an upstream sends, for trying out clients.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.access import rest, routed
from services.api.connection import connection_of
from services.api.errors import ClientGone, Endpoint
from services.api.stream import Presence
from services.errors import NotFound
from services.persons import LOCAL, WHO, Who
from services.upstream.rehearsal.script import Answer, Fault
from services.upstream.rehearsal.server import Rehearsal

PREFIX = "/rehearsal"
HEADERS = [
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),  # a recording may be of a page
]


class Mock:
    """ASGI app. `servers` by the name of their dialect; at most `most` answers at a time; `write_timeout` in seconds."""

    def __init__(self, servers: Mapping[str, Rehearsal], *, most: int = 500, write_timeout: float = 30.0) -> None:
        self._servers = servers
        self._most = most
        self._write_timeout = write_timeout
        self._running = 0
        self.endpoint = Endpoint("chat", self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        routed(scope, PREFIX)
        await self.endpoint(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        dialect, _, place = request.scope["path"].removeprefix(PREFIX).removeprefix("/").partition("/")
        server = self._servers.get(dialect)
        if server is None:
            raise NotFound(f"There is no dialect {dialect[:40]!r} in {PREFIX}: {', '.join(self._servers)}.")
        try:
            body = await request.body()
        except ClientDisconnect as exc:
            raise ClientGone from exc
        path = f"/{quote(place)}?{request.url.query}"
        who: Who | None = request.scope.get(WHO)
        server = server.of(who.person if who else LOCAL)

        async def answered() -> Answer:
            if self._running > self._most:
                return server.refuse(Fault(503, "Too many answers are running (server.max_streams)."), path)
            return await server.answer(request.method, path, body)

        return self._told(answered)

    def _told(self, answered: Callable[[], Awaitable[Answer]]) -> ASGIApp:
        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            self._running += 1
            try:
                async with Presence(receive) as presence:
                    await self._tell(await answered(), send, presence)
            except ConnectionResetError:  # as it was when this was recorded
                if connection := connection_of(scope):
                    connection.abort()
            finally:
                self._running -= 1

        return told

    async def _tell(self, answer: Answer, send: Send, presence: Presence) -> None:
        """Chunk by chunk, until the end or until the client leaves."""
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        async with aclosing(answer.chunks) as chunks:
            await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, *HEADERS]})
            send = rest(send)
            async for chunk in chunks:
                try:
                    async with asyncio.timeout(self._write_timeout):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                except TimeoutError:
                    presence.leave()  # it takes nothing
                    await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
