"""An answer on its way out, broken: what the actions of services/faults say is done to its bytes, its pauses and its connection."""

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.compat import refusal_at
from services.api.errors import error_response
from services.errors import Invalid
from services.faults.actions import Action, Asked, Chain, End, Head, Wait, Write
from services.faults.choosing import Chosen

MOMENTS = 100  # of 5 ms
UNACKNOWLEDGED = 24  # where Linux' struct tcp_info counts those segments
PENDING = 4_000_000  # bytes that the answer may be ahead of its client
TO_THE_END = {"type": "http.response.body", "body": b"", "more_body": False}


class Broken:
    """One answer: the app tells it into a queue, and is never held up by a pause; a task does what becomes of it."""

    def __init__(
        self, chosen: Chosen, scope: Scope, receive: Receive, send: Send, connection: asyncio.Transport, write_timeout: float
    ) -> None:
        self._chosen = chosen
        self._scope = scope
        self._receive = receive
        self._send = send
        self._connection = connection
        self._write_timeout = write_timeout
        self._pending: deque[Action] = deque()
        self._size = 0
        self._change = asyncio.Event()
        self._room = asyncio.Event()
        self._told_all = self._begun = self._broken = False
        self._left = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    async def answer(self, app: ASGIApp, family: str) -> None:
        """`family` is the dialect's, as services.faults has it."""
        await self._run(app, self._chosen.chain(family, time.time()))
        if self._left.is_set():
            await self._gone()  # a connection that is closing is not closed yet

    async def _run(self, app: ASGIApp, chain: Chain) -> None:
        if await self._do(chain.feed(Asked())):
            return
        telling = asyncio.create_task(self._ask(app))
        playing = asyncio.create_task(self._play(chain))
        try:
            await asyncio.wait((telling, playing), return_when=asyncio.FIRST_COMPLETED)
            if not playing.done() and telling.exception() is None:  # all is told, and nobody listens but us whether the client is there
                self._watch()
                leaving = asyncio.create_task(self._left.wait())
                await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
                leaving.cancel()
            if playing.done() and self._left.is_set():
                await telling  # it takes nothing: for the app it has left
        except asyncio.CancelledError:  # the server ends, and waits for no pause; nor is that an error for its log
            self._connection.abort()
            await self._gone()
            return
        finally:
            # What is broken off here is no leaving: a generation goes on, whatever its policy for clients that leave.
            tasks = [task for task in (telling, playing, self._watcher) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in (telling, playing):
            if not task.cancelled():
                task.result()

    async def _ask(self, app: ASGIApp) -> None:
        await app(self._scope, self._hear, self._tell)
        if not self._told_all:
            self._next(End("unfinished"))

    # What the app is given in the place of the server

    async def _hear(self) -> Message:
        if self._watcher is None:
            message = await self._receive()
            if message["type"] == "http.request":
                if not message.get("more_body"):
                    self._watch()
                return message
            self._left.set()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _tell(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._next(Head(message["status"], tuple((bytes(name), bytes(value)) for name, value in message.get("headers", ()))))
            return
        if data := message.get("body"):
            self._next(Write(data))
            self._size += len(data)
        if not message.get("more_body"):
            self._told_all = True
            self._next(End())
        while self._size > PENDING:
            self._room.clear()
            await self._room.wait()

    def _next(self, action: Action) -> None:
        self._pending.append(action)
        self._change.set()

    def _watch(self) -> None:
        async def watch() -> None:
            while (await self._receive())["type"] != "http.disconnect":
                pass
            if not self._broken:
                self._left.set()

        if self._watcher is None:
            self._watcher = asyncio.create_task(watch())

    # What becomes of it

    async def _play(self, chain: Chain) -> None:
        while True:
            while not self._pending:
                self._change.clear()
                await self._change.wait()
            action = self._pending.popleft()
            if isinstance(action, Write):
                self._size -= len(action.data)
                self._room.set()
            if isinstance(action, Head) and action.status == 200:
                try:
                    self._chosen.check(action.kind)
                except Invalid as exc:
                    await error_response(exc, refusal_at(self._scope["path"]))(self._scope, self._receive, self._send)
                    return
            if await self._do(chain.feed(action)):
                return

    async def _do(self, actions: Iterable[Action]) -> bool:
        """Whether it is over: the answer has ended, in whatever way, or the client takes nothing."""
        for action in actions:
            match action:
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case End(how):
                    await (self._put(TO_THE_END) if how == "properly" else self._break(how))
                    return True
                case Head(status, headers):
                    self._begun = True
                    if not await self._put({"type": "http.response.start", "status": status, "headers": list(headers)}):
                        return True
                case Write(data):
                    if not await self._put({"type": "http.response.body", "body": data, "more_body": True}):
                        return True
        return False

    async def _put(self, message: Mapping[str, Any]) -> bool:
        """One write, and a turn of the loop, in which it goes out. False when the client is gone, or takes nothing and is dropped."""
        try:
            async with asyncio.timeout(self._write_timeout):
                await self._send(dict(message))
        except TimeoutError:
            self._connection.abort()
        await asyncio.sleep(0)
        if self._connection.is_closing() and message is not TO_THE_END:
            self._left.set()
        return not self._left.is_set()

    async def _break(self, how: str) -> None:
        """Everything so far arrives first: what waits in our own buffer would be lost with the connection."""
        connection = self._connection
        if self._begun and not connection.is_closing():
            connection.set_write_buffer_limits(0)  # from now on a write waits until everything before it has left our own buffer
            await self._put({"type": "http.response.body", "body": b"", "more_body": True})
        self._broken = not self._left.is_set()
        if how == "half" and connection.can_write_eof() and not connection.is_closing():
            connection.write_eof()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._write_timeout):
                    await self._gone()
        if how == "reset":
            await _reset(connection)
        connection.close()
        await self._gone()

    async def _gone(self) -> None:
        """Else uvicorn takes an answer without an end for a fault of ours, and says so in its log."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _reset(connection: asyncio.Transport) -> None:
    """RST, not FIN. It drops what the other side has not acknowledged, so first everything arrives, or has had the time for it.

    By way of a copy of the descriptor, because uvloop's sockets take no options.
    """
    with suppress(OSError), socket.socket(fileno=socket.dup(connection.get_extra_info("socket").fileno())) as same:
        for _ in range(MOMENTS):
            if hasattr(socket, "TCP_INFO") and same.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)[UNACKNOWLEDGED:] == bytes(4):
                break
            await asyncio.sleep(0.005)
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.abort()
