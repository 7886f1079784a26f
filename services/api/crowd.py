"""How many at once: websockets in all and of one peer, pages of one peer that never opened theirs, messages on one.

Each page that is asked for is held in memory, with all that it shows, until its websocket has come and gone or a minute is over.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.capacity import Capacity
from services.api.compat import refusal_at
from services.api.errors import error_response
from services.errors import TooMany

HELD = 60.0  # seconds; NiceGUI's Client.prune_instances
GONE = "No response returned."  # of Starlette's BaseHTTPMiddleware, when who asked has left before there was an answer
WAIT = 5.0  # seconds after which it is worth trying again where all places are taken
BURST = 5  # seconds of messages that may come at once: a browser that wakes up has some to tell
LEFT = "Too many pages were opened and left (gate.peer_pages). Load this page again in a minute."
TABS = "Headrace is open in too many tabs (gate.peer_sockets). Close one of them, and load this page again."
PEOPLE = "Too many pages of Headrace are open (gate.sockets). Load this page again in a moment."
PAGE = (b"x-nicegui-content", b"page")
NO_PAGES = ("/_nicegui/", "/_nicegui_ws/", "/static/", "/frames/", "/favicon.ico")

Sentence = Callable[[str], str]  # HTML of nothing but a sentence


class Crowd:
    """ASGI app around the pages. `draw`: what a browser shows instead of a page."""

    def __init__(self, app: ASGIApp, capacity: Capacity, draw: Sentence) -> None:
        self._app = app
        self._draw = draw
        self._capacity = capacity
        self._sockets: Counter[str] = Counter()
        self._unopened: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        if scope["type"] == "websocket":
            await self._socket(peer, scope, receive, send)
        elif scope["type"] == "http":
            try:
                await self._page(peer, scope, receive, send)
            except RuntimeError as exc:
                if str(exc) != GONE:
                    raise
        else:
            await self._app(scope, receive, send)

    async def _socket(self, peer: str, scope: Scope, receive: Receive, send: Send) -> None:
        if self._taken(peer):
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": "too many"})  # before it is accepted: 403
            return
        if opened := self._unopened.get(peer):
            opened.popleft()
        self._sockets[peer] += 1
        try:
            await self._app(scope, self._paced(receive), send)
        finally:
            self._sockets[peer] -= 1
            if not self._sockets[peer]:
                del self._sockets[peer]

    def _taken(self, peer: str) -> str:
        """What is said to a peer who cannot have one websocket more."""
        if self._sockets[peer] >= self._capacity.peer_sockets:
            return TABS
        if self._sockets.total() >= self._capacity.sockets:
            return PEOPLE
        return ""

    def _paced(self, receive: Receive) -> Receive:
        """Who says too much is listened to more slowly; uvicorn reads no further meanwhile."""
        most = self._capacity.messages
        heard, since = 0.0, time.monotonic()

        async def paced() -> Message:
            nonlocal heard, since
            message = await receive()
            now = time.monotonic()
            heard, since = max(heard - (now - since) * most, 0) + 1, now
            if heard > most * BURST:
                await asyncio.sleep(1 / most)
            return message

        return paced

    async def _page(self, peer: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(NO_PAGES):
            await self._app(scope, receive, send)
            return
        if taken := self._taken(peer):  # such a page would never come alive
            await self._refuse(TooMany(taken, WAIT), scope, receive, send)
            return
        unopened = self._unopened.get(peer)
        while unopened and unopened[0] < time.monotonic() - HELD:
            unopened.popleft()
        if unopened and len(unopened) >= self._capacity.peer_pages:
            wait = unopened[0] + HELD - time.monotonic()
            await self._refuse(TooMany(LEFT, wait), scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and PAGE in message["headers"]:
                self._unopened.setdefault(peer, deque()).append(time.monotonic())
            await send(message)

        await self._app(scope, receive, told)
        self._forget()

    async def _refuse(self, error: TooMany, scope: Scope, receive: Receive, send: Send) -> None:
        """A sentence for people, and for programs what all errors are."""
        answer = error_response(error, refusal_at(scope["path"]))
        if "text/html" in Headers(scope=scope).get("accept", ""):
            told = {"retry-after": answer.headers["retry-after"], "cache-control": "no-store"}
            answer = Response(self._draw(error.message), error.status, told, "text/html; charset=utf-8")
        await answer(scope, receive, send)

    def _forget(self) -> None:
        if len(self._unopened) > 1000:
            recent = time.monotonic() - HELD
            self._unopened = {peer: times for peer, times in self._unopened.items() if times and times[-1] > recent}
