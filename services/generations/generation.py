"""The task that asks an upstream and writes down what it says. It may not know any dialect, screen or client.

    start()   Started is in the log before start() returns; the rest happens in a task nobody waits for
    stop()    Status("stopping"), the upstream's socket closed, Finished("stopped"): whatever the moment

Whatever happens to the task (an error, a stop, a cancellation before its first step), `_end` writes the terminal event.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from services.errors import HeadraceError, Interrupted, LimitExceeded, ProtocolError, Truncated, UpstreamError
from services.events import Event, Failed, Finished, Started, Status, Terminal
from services.generations.journal import Journal
from services.generations.log import EventLog
from services.messages import Reply, ReplyState, Turn, fold, state

log = logging.getLogger(__name__)

Emit = Callable[[Sequence[Event]], None]
Read = Callable[[Turn, Emit], Awaitable[None]]  # asks an upstream; hands over batches; returns after the terminal event


class Generation:
    """`turn.model` is the full name that clients see; `read` knows whom to ask."""

    def __init__(self, id: str, turn: Turn, read: Read, journal: Journal, ended: Callable[["Generation"], None]) -> None:
        self.id = id
        self.turn = turn
        self.created = int(time.time())
        self.log = EventLog(id, journal)
        self._read = read
        self._ended = ended
        self._stop_asked = False
        self.task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Generation {self.id} {self.turn.model} {self.log!r}>"

    @property
    def running(self) -> bool:
        return not self.log.ended

    @property
    def reply(self) -> Reply:
        """The answer as far as readers may see it."""
        return fold(self.log.entries[: self.log.shown])

    @property
    def started(self) -> Started:
        return Started(self.id, self.turn.model, self.created, self.turn.conversation)

    @property
    def state(self) -> ReplyState:
        last = self.log.entries[-1].event
        return state(self.log.streaming, last if isinstance(last, Finished | Failed) else None)

    def start(self) -> None:
        self.log.append([self.started, Status("connecting")])
        self.task = asyncio.get_running_loop().create_task(self._read_all(), name=f"generation {self.id}")
        self.task.add_done_callback(self._end)

    async def stop(self) -> None:
        """Stop, from anywhere, at any moment, as often as one likes. Returns when the terminal event is written."""
        if self.running and not self._stop_asked:
            self._stop_asked = True
            self.log.append([Status("stopping")])
        await self._cancel()

    async def interrupt(self) -> None:
        """The process is ending: the reply so far is kept and marked as interrupted."""
        await self._cancel()

    async def _cancel(self) -> None:
        if self.task is None or self.task.done():
            return
        self.task.cancel()
        await asyncio.wait([self.task])

    async def _read_all(self) -> None:
        await self._read(self.turn, self.log.append)
        if self.running:
            raise Truncated("The upstream's answer ended without saying so.")

    def _end(self, task: "asyncio.Task[None]") -> None:
        if self.running:
            self.log.append([self._terminal(task)])
        self._ended(self)

    def _terminal(self, task: "asyncio.Task[None]") -> Terminal:
        if task.cancelled():
            if self._stop_asked:
                return Finished("stopped")
            return self._phased(Interrupted("Headrace was stopped while this reply was running.").event())
        exc = task.exception()
        match exc:
            case UpstreamError():
                return self._phased(exc.event())
            case LimitExceeded():
                return self._phased(ProtocolError(exc.message, code=exc.code).event())
            case HeadraceError():
                return self._phased(Failed(exc.code, exc.message))
        log.error("generation %s failed inside Headrace", self.id, exc_info=exc)
        return self._phased(Failed("internal", f"Headrace itself failed here. Its log has the details under {self.id}."))

    def _phased(self, end: Failed) -> Failed:
        return msgspec.structs.replace(end, phase="streaming") if self.log.streaming else end
