"""The task that asks an upstream and writes down what it says. It may not know any dialect, screen or client.

    start()   Started is in the log before start() returns; the rest happens in a task nobody waits for
    stop()    Status("stopping"), the upstream's socket closed, Finished("stopped"): whatever the moment

Whatever happens to the task (an error, a stop, a cancellation before its first step), `_end` writes the terminal event.
`ended` is told once the task is over and the journal holds that event.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from services.errors import HeadraceError, Interrupted, Invalid, LimitExceeded, ProtocolError, Truncated, UpstreamError
from services.events import Entry, Event, Failed, Finished, Started, Status, Terminal
from services.generations.journal import Journal
from services.generations.log import EventLog
from services.messages import Key, Reply, ReplyState, Turn, fold, state
from services.persons import LOCAL

log = logging.getLogger(__name__)

Emit = Callable[[Sequence[Event]], Awaitable[None] | None]  # what to await, if anything, before more is read
Read = Callable[[Turn, Emit], Awaitable[None]]  # asks an upstream; hands over batches; returns after the terminal event


class Label(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a list tells of a generation without reading its log."""

    model: str
    created: int
    client: str
    conversation: str | None = None
    thread: str | None = None
    key: Key | None = None
    owner: str = LOCAL
    by: str = ""

    @property
    def by_program(self) -> bool:
        """No page has asked for it."""
        return self.conversation is None and self.client != "page"


async def _nothing(turn: Turn, emit: Emit) -> None:
    """What is left to read of a generation that has ended."""


class Generation:
    """`turn.model` is the full name that clients see; `read` knows whom to ask."""

    def __init__(self, id: str, turn: Turn, read: Read, journal: Journal, ended: Callable[["Generation"], None]) -> None:
        self.id = id
        self.turn = turn
        self.created = int(time.time())
        self.log = EventLog(id, journal, self._settle)
        self._read = read
        self._ended = ended
        self._stop_asked = self._told = False
        self.task: asyncio.Task[None] | None = None

    @classmethod
    def recalled(cls, id: str, about: bytes, entries: list[Entry], journal: Journal) -> "Generation":
        """One that has ended, as the journal has kept it."""
        known = cls(id, msgspec.json.decode(about, type=Turn), _nothing, journal, lambda _: None)
        known.log = EventLog.recalled(id, journal, entries)
        if isinstance(started := entries[0].event, Started):
            known.created = started.created
        return known

    def __repr__(self) -> str:
        return f"<Generation {self.id} {self.turn.model} {self.log!r}>"

    @property
    def running(self) -> bool:
        """Readers still wait for its end."""
        return not self.log.complete

    @property
    def reply(self) -> Reply:
        """The answer as far as readers may see it; before its first entry is kept, nothing but that it was asked for."""
        if not self.log.shown:
            return Reply(self.id, self.turn.model, self.created, "waiting", 0)
        return fold(self.log.entries[: self.log.shown])

    @property
    def started(self) -> Started:
        return Started(self.id, self.turn.model, self.created, self.turn.conversation)

    @property
    def state(self) -> ReplyState:
        last = self.log.entries[self.log.shown - 1].event if self.log.complete else None
        return state(self.log.streaming, last if isinstance(last, Finished | Failed) else None)

    @property
    def label(self) -> "Label":
        turn = self.turn
        return Label(turn.model, self.created, turn.client, turn.conversation, turn.thread, turn.key, turn.owner, turn.by)

    def start(self) -> None:
        """Raises Invalid for a turn that cannot be written down."""
        try:
            self.log.begin(msgspec.json.encode(self.turn), msgspec.json.encode(self.label))
        except (UnicodeEncodeError, RecursionError) as exc:
            raise Invalid("The turn holds text that is no text: half of a surrogate pair, or objects nested too deep.") from exc
        self.log.append([self.started, Status("connecting")])
        self.task = asyncio.get_running_loop().create_task(self._read_all(), name=f"generation {self.id}")
        self.task.add_done_callback(self._end)

    async def stop(self) -> None:
        """Stop, from anywhere, at any moment, as often as one likes. Returns when the terminal event is kept."""
        if not self.log.ended and not self._stop_asked:
            self._stop_asked = True
            self.log.append([Status("stopping")])
        await self._cancel()

    async def interrupt(self) -> None:
        """The process is ending: the reply so far is kept and marked as interrupted."""
        await self._cancel()

    async def _cancel(self) -> None:
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task])
        elif not self.log.ended:
            await asyncio.sleep(0)  # it is over since a moment ago: `_end` is called in the next round of the loop
        await self.log.until(len(self.log.entries))

    async def begun(self) -> None:
        """Readers see its first entry: from then on a restart knows of it."""
        if not self.log.shown:
            await self.log.until(1)

    async def _read_all(self) -> None:
        await self._read(self.turn, self.log.append)
        if not self.log.ended:
            raise Truncated("The upstream's answer ended without saying so.")

    def _end(self, task: "asyncio.Task[None]") -> None:
        if not self.log.ended:
            self.log.append([self._terminal(task)])
        elif not task.cancelled() and (exc := task.exception()):
            log.info("generation %s had ended already: %s", self.id, exc)
        self._settle()

    def _settle(self) -> None:
        """Called when the log is complete and when the task is over, in whatever order."""
        if self.task is None or not self.log.complete or self._told:
            return
        if not self.task.done():
            if isinstance(end := self.log.entries[-1].event, Failed) and end.code == "storage":
                self.task.cancel()  # its log ended without it
            return
        self._told = True
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
