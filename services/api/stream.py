"""An event-stream response: whole frames, heartbeats when idle, a limit for clients that take nothing. No dialects here.

Written against uvicorn 0.54: its `send` waits while the socket's buffer is full, and returns at once, without
suspending, once the peer is gone. So the pump yields to the loop now and then, or a log that is all there already would
starve everything else.
"""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from services.api.access import rest, streamed
from services.events import Entry

HEADERS = [
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

PORTION = 256  # entries in one send: a reader that is far behind must not get the whole log into its buffer at once
BREATH = 16  # sends in a row before other tasks get a turn


class Presence:
    """Cancels what runs inside it when the client leaves; `gone` then says so. Nothing is raised for that.

    Enter it once the request's body has been read: the next thing a client can say is that it left.
    """

    def __init__(self, receive: Receive) -> None:
        self.gone = False
        self._receive = receive

    async def __aenter__(self) -> "Presence":
        self._task = asyncio.current_task()
        self._watcher = asyncio.get_running_loop().create_task(self._watch())
        return self

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.leave()

    def leave(self) -> None:
        self.gone = True
        if self._task is not None:
            self._task.cancel()

    async def __aexit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> bool:
        self._watcher.cancel()
        cancelled_by_us = self.gone and kind is asyncio.CancelledError
        return cancelled_by_us and self._task is not None and self._task.uncancel() == 0


class Batches(Protocol):
    """What a stream sends: a reader of a log, as services/generations/log.py has it."""

    @property
    def at_end(self) -> bool: ...

    def take(self) -> list[Entry]: ...

    def listen(self, heard: Callable[[], None]) -> None: ...

    async def aclose(self) -> None: ...


class EventStream:
    """ASGI response. `write` turns batches of entries into whole frames; `left` is told when the client went away first.

    `headers` hold the content type.
    """

    def __init__(
        self,
        batches: Batches,
        write: Callable[[Sequence[Entry]], bytes],
        *,
        headers: Sequence[tuple[bytes, bytes]],
        first: Sequence[Entry] = (),
        heartbeat: bytes = b":\n\n",
        idle: float = 15.0,
        write_timeout: float = 30.0,
        left: Callable[[], object] = lambda: None,
    ) -> None:
        self._batches = batches
        self._write = write
        self._headers = [*HEADERS, *headers]
        self._first = first
        self._heartbeat = heartbeat
        self._idle = idle
        self._write_timeout = write_timeout
        self._left = left
        self._sending = self._said_all = False
        self._catching_up: asyncio.Task[None] | None = None
        self._sent = self._seen = self._bytes = 0
        self._slow = False
        self._stood = 0.0  # when we had stood still last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        async with aclosing(self._batches), Presence(receive) as presence:
            self._presence = presence
            await send({"type": "http.response.start", "status": 200, "headers": self._headers})
            self._send = rest(send)
            self._arm()
            try:
                if scope["method"] != "HEAD":
                    await self._send_all()
                self._said_all = True
                await self._put(b"", more=False)
            finally:
                self._timer.cancel()
                if self._catching_up is not None:
                    self._catching_up.cancel()
                streamed(scope, self._bytes, "slow" if self._slow else "left" if not self._said_all else "complete")
        if presence.gone:
            self._left()

    async def _send_all(self) -> None:
        """What is there already, bit by bit; then what comes, pushed by the log in the moment it comes."""
        if self._first:
            await self._put(self._write(self._first))
        await self._catch_up()
        if not self._batches.at_end:
            self._over = self._loop.create_future()
            self._batches.listen(self._push)
            await self._over

    async def _catch_up(self, entries: Sequence[Entry] = (), begun: "_Begun | None" = None) -> None:
        if begun is not None:
            await begun.rest()
            self._sent += 1
        self._sending = False
        sends = 0
        while entries := entries or self._batches.take():
            for start in range(0, len(entries), PORTION):
                if data := self._write(entries[start : start + PORTION]):
                    await self._put(data)
                    sends += 1
                    if sends % BREATH == 0:
                        await asyncio.sleep(0)
            entries = ()

    def _push(self) -> None:
        """Called by the log. Where sending has to wait for the client, a task takes over until it has caught up again."""
        if self._catching_up is not None or self._over.done():
            return
        try:
            entries = self._batches.take()
            if len(entries) > PORTION:
                self._take_over(entries)
                return
            if entries and (data := self._write(entries)):  # none where it has caught up, and nothing came since
                self._bytes += len(data)
                sending = self._send({"type": "http.response.body", "body": data, "more_body": True})
                try:
                    waiting = sending.send(None)  # type: ignore[attr-defined]
                except StopIteration:  # the rule: it did not have to wait
                    self._sent += 1
                else:
                    self._sending = True
                    self._take_over((), _Begun(sending, waiting))  # type: ignore[arg-type]
                    return
            if self._batches.at_end:
                self._over.set_result(None)
        except Exception as exc:  # a fault of ours with this reader is no matter of the generation's
            self._over.set_exception(exc)

    def _take_over(self, entries: Sequence[Entry], begun: "_Begun | None" = None) -> None:
        self._catching_up = self._loop.create_task(self._catch_up(entries, begun))
        self._catching_up.add_done_callback(self._caught_up)

    def _caught_up(self, task: "asyncio.Task[None]") -> None:
        self._catching_up = None
        if self._over.done() or task.cancelled():
            return
        if exc := task.exception():
            self._over.set_exception(exc)
        elif self._batches.at_end:
            self._over.set_result(None)
        else:
            self._push()  # what came since

    async def _put(self, data: bytes, *, more: bool = True) -> None:
        self._sending = True
        self._bytes += len(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        self._sending = False
        self._sent += 1

    def _arm(self) -> None:
        pause = min(self._idle, self._write_timeout) / 4
        self._late = self._loop.time() + pause + self._write_timeout / 2
        self._timer = self._loop.call_later(pause, self._tick)

    def _tick(self) -> None:
        """Looks now and then instead of noting the time of every send. Time in which we stood still is not the client's."""
        now = self._loop.time()
        if now > self._late:
            self._stood = now
        if self._sent != self._seen:
            self._seen, self._since = self._sent, now
        elif self._sending:
            if now - max(self._since, self._stood) >= self._write_timeout:
                self._slow = True
                self._presence.leave()
                return
        elif now - self._since >= self._idle / 2 and not self._said_all:
            self._beat = self._loop.create_task(self._put(self._heartbeat))
        self._arm()


class _Begun:
    """A coroutine that was run up to its first wait, without a task: most sends have none."""

    __slots__ = ("_coroutine", "_waiting")

    def __init__(self, coroutine: Coroutine[Any, None, None], waiting: object) -> None:
        self._coroutine = coroutine
        self._waiting = waiting

    @types.coroutine
    def rest(self) -> Generator[object, None, None]:
        """The rest of it, for a task."""
        try:
            while True:
                yield self._waiting
                self._waiting = self._coroutine.send(None)
        except StopIteration:
            pass
        finally:
            self._coroutine.close()
