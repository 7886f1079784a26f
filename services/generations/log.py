"""The append-only log of one generation, and any number of readers. It may not know upstreams, dialects or screens.

Laws
1. Sequence numbers start at 1 and have no gaps.
2. Exactly one terminal event, the last entry; parts still open when it comes are finished before it.
3. Readers see an entry only once the journal holds it. One exception: where the journal can keep nothing more, the log ends with
   Failed("storage") in place of what was not kept, and readers see that end at once.
4. A reader owns a position, not a queue: one that sleeps costs nothing and later gets one larger batch.

One event loop and no await between read and write: no locks.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Terminal
from services.generations.journal import Journal

AHEAD = 1024  # entries that may wait for the journal before the upstream is read no further


def broken_off(entries: Sequence[Entry], failed: Failed) -> list[Entry]:
    """What ends a story that breaks off after these entries: its open parts are finished, and it has failed."""
    parts: dict[int, None] = {}
    first: float | None = None
    for entry in entries:
        match entry.event:
            case PartDelta():
                first = entry.at if first is None else first
            case PartStarted(part):
                parts[part] = None
            case PartFinished(part):
                parts.pop(part, None)
    seq, at = (entries[-1].seq, entries[-1].at) if entries else (0, 0.0)
    end = msgspec.structs.replace(
        failed,
        phase=failed.phase if first is None else "streaming",
        ttft_ms=None if first is None else round(first, 3),
        ms=round(at, 3),
    )
    events: list[Event] = [*map(PartFinished, parts), end]
    return [Entry(seq + number, at, event) for number, event in enumerate(events, 1)]


class EventLog:
    """`entries` is everything appended, `shown` how much of it readers may see.

    `completed` is called once, when everybody may see the terminal event.
    """

    def __init__(
        self, id: str, journal: Journal, completed: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.id = id
        self.entries: list[Entry] = []
        self.shown = 0
        self.ended = False
        self._journal = journal
        self._clock = clock
        self.began = clock()
        self._first_delta: float | None = None
        self._open: dict[int, None] = {}  # numbers of open parts, in order
        self._followers: dict[Follower, None] = {}
        self.listeners = 0  # those of them that want every entry in the moment it comes
        self._awake: tuple[Follower, ...] = ()  # the same, for those who may leave while it is gone through
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._completed = completed

    @classmethod
    def recalled(cls, id: str, journal: Journal, entries: list[Entry]) -> "EventLog":
        """A finished log as the journal has kept it."""
        log = cls(id, journal)
        log.entries = entries
        log.shown = len(entries)
        log.ended = True
        log._first_delta = next((entry.at for entry in entries if type(entry.event) is PartDelta), None)
        return log

    def __repr__(self) -> str:
        return f"<EventLog {self.id} {self.shown}/{len(self.entries)}{' ended' if self.ended else ''} readers={self.readers}>"

    @property
    def complete(self) -> bool:
        """The terminal event is there and everybody may see it."""
        return self.ended and self.shown == len(self.entries)

    @property
    def readers(self) -> int:
        """How many follow it now."""
        return len(self._followers)

    @property
    def streaming(self) -> bool:
        """Content has begun."""
        return self._first_delta is not None

    @property
    def ttft_ms(self) -> float | None:
        """From its beginning to the first content."""
        return self._first_delta

    @property
    def ms(self) -> float:
        """From its beginning to its last entry."""
        return self.entries[-1].at if self.entries else 0.0

    def begin(self, about: bytes, label: bytes) -> None:
        """Before the first append. Both are for the journal, which gives them back after a restart."""
        self._journal.begin(self.id, about, label, self._show, self._lost)

    def append(self, events: Sequence[Event]) -> "asyncio.Future[None] | None":
        """Add one batch: one network read becomes one append, one commit and one wake-up per reader.

        When too much waits for the journal, it returns what to await before more is read.

        Raises RuntimeError when the log has ended: a story is not continued after its end.
        """
        if self.ended:
            raise RuntimeError(f"{self!r} has ended")
        at = (self._clock() - self.began) * 1000
        seq = len(self.entries)
        if len(events) == 1 and type(events[0]) is PartDelta and self._first_delta is not None:  # 99 of 100 appends
            entry = Entry(seq + 1, at, events[0])
            self.entries.append(entry)
            self._journal.append(self.id, (entry,), self.listeners > 0)
            return None if seq - self.shown < AHEAD else self.until(seq - AHEAD // 2)
        batch: list[Entry] = []
        for event in events:
            if type(event) is PartDelta:
                if self._first_delta is None:
                    self._first_delta = at
            else:
                for closing in self._bookkeeping(event):
                    seq += 1
                    batch.append(Entry(seq, at, closing))
                if isinstance(event, Finished | Failed):
                    event = self._timed(event, at)
            seq += 1
            batch.append(Entry(seq, at, event))
            if self.ended:
                break
        self.entries += batch
        if batch:
            self._journal.append(self.id, batch)
        return None if seq - self.shown < AHEAD else self.until(seq - AHEAD // 2)

    def _bookkeeping(self, event: Event) -> list[PartFinished]:
        """What law 2 demands in front of this event."""
        match event:
            case PartStarted(part):
                self._open[part] = None
            case PartFinished(part):
                self._open.pop(part, None)
            case Finished() | Failed():
                self.ended = True
                left = [PartFinished(part) for part in self._open]
                self._open.clear()
                return left
        return []

    def _timed(self, event: Terminal, at: float) -> Terminal:
        ttft = None if self._first_delta is None else round(self._first_delta, 3)
        return msgspec.structs.replace(event, ttft_ms=ttft, ms=round(at, 3))

    def _show(self, seq: int) -> None:
        self.shown = seq
        for follower in self._awake:
            follower.wake()
        if self._waiting:
            self._let_go_on()
        if self.ended and self.complete:
            self._completed()

    def until(self, seq: int) -> "asyncio.Future[None]":
        """Done when readers may see the entry of this number, or when there will never be one."""
        future = asyncio.get_running_loop().create_future()
        if self.shown >= seq or self.complete:
            future.set_result(None)
        else:
            self._waiting.append((seq, future))
        return future

    def _let_go_on(self) -> None:
        for seq, future in self._waiting:
            if (seq <= self.shown or self.complete) and not future.done():
                future.set_result(None)
        self._waiting = [waiting for waiting in self._waiting if not waiting[1].done()]

    def _lost(self, sentence: str) -> None:
        """The exception of law 3. Started is shown in any case: without it there is no story."""
        kept = self.shown
        del self.entries[max(kept, 1) :]
        self.entries += broken_off(self.entries, Failed("storage", sentence, retryable=True))
        self.ended = True
        self._open.clear()
        self._journal.end(self.id, self.entries[kept:])
        self._show(len(self.entries))

    def follow(self, after: int = 0) -> "Follower":
        """A reader of the entries with seq > `after`. Close it, whatever happens."""
        return Follower(self, after)

    def enter(self, follower: "Follower") -> None:
        self._followers[follower] = None
        self._awake = tuple(self._followers)

    def leave(self, follower: "Follower") -> None:
        self._followers.pop(follower, None)
        self._awake = tuple(self._followers)


class Follower:
    """One reader's position in a log.

    Either iterate over it: batches of entries, what is there, then what comes, until the terminal event. Or `listen`, and
    `take` when called: then a delta goes from one socket to another within the call that read it, without a task in between.

    Close it with `aclose` (contextlib.aclosing). Leaving changes nothing for the generation or for other readers.
    """

    __slots__ = ("_after", "_heard", "_log", "_news")

    def __init__(self, log: EventLog, after: int) -> None:
        self._log = log
        self._after = after
        self._heard: Callable[[], None] | None = None
        self._news: asyncio.Future[None] | None = None
        log.enter(self)

    @property
    def at_end(self) -> bool:
        """The terminal event was taken."""
        return self._log.ended and self._log.complete and self._after >= self._log.shown

    def take(self) -> list[Entry]:
        """What is new since the last time; may be nothing."""
        after, shown = self._after, self._log.shown
        if after >= shown:
            return []
        self._after = shown
        return self._log.entries[after:shown]

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever there is something new, in the very moment. It must neither wait nor raise."""
        self._heard = heard
        self._log.listeners += 1

    def wake(self) -> None:
        if self._heard is not None:
            self._heard()
        elif self._news is not None and not self._news.done():
            self._news.set_result(None)

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> list[Entry]:
        while not (batch := self.take()):
            if self._log.complete:
                raise StopAsyncIteration
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        return batch

    async def aclose(self) -> None:
        self._log.leave(self)
        if self._heard is not None:
            self._heard = None
            self._log.listeners -= 1
