"""The append-only log of one generation, and any number of readers. It may not know upstreams, dialects or screens.

Laws
1. Sequence numbers start at 1 and have no gaps.
2. Exactly one terminal event, the last entry; parts still open when it comes are finished before it.
3. Readers see an entry only once the journal holds it.
4. A reader owns a position, not a queue: one that sleeps costs nothing and later gets one larger batch.

One event loop and no await between read and write: no locks.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial

import msgspec

from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Terminal
from services.generations.journal import Journal


class EventLog:
    """`entries` is everything appended, `shown` how much of it readers may see, `readers` how many follow it now."""

    def __init__(self, id: str, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = id
        self.entries: list[Entry] = []
        self.shown = 0
        self.ended = False
        self.readers = 0
        self._journal = journal
        self._clock = clock
        self._began = clock()
        self._first_delta: float | None = None
        self._open: dict[int, None] = {}  # numbers of open parts, in order
        self._waiting: list[asyncio.Future[None]] = []

    def __repr__(self) -> str:
        return f"<EventLog {self.id} {self.shown}/{len(self.entries)}{' ended' if self.ended else ''} readers={self.readers}>"

    @property
    def complete(self) -> bool:
        """The terminal event is there and everybody may see it."""
        return self.ended and self.shown == len(self.entries)

    @property
    def streaming(self) -> bool:
        """Content has begun."""
        return self._first_delta is not None

    def append(self, events: Sequence[Event]) -> None:
        """Add one batch: one network read becomes one append, one commit and one wake-up per reader.

        Raises RuntimeError when the log has ended: a story is not continued after its end.
        """
        if self.ended:
            raise RuntimeError(f"{self!r} has ended")
        at = (self._clock() - self._began) * 1000
        seq = len(self.entries)
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
        self._journal.append(self.id, batch, partial(self._show, seq))

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
        waiting, self._waiting = self._waiting, []
        for news in waiting:
            if not news.done():
                news.set_result(None)

    async def follow(self, after: int = 0) -> AsyncGenerator[list[Entry], None]:
        """Batches of entries with seq > `after`: what is there, then what comes, until the terminal event.

        Enter it with `contextlib.aclosing`. Leaving changes nothing for the generation or for other readers.
        """
        loop = asyncio.get_running_loop()
        self.readers += 1
        try:
            while True:
                if after < self.shown:
                    batch = self.entries[after : self.shown]
                    after = self.shown
                    yield batch
                elif self.complete:
                    return
                else:
                    news: asyncio.Future[None] = loop.create_future()
                    self._waiting.append(news)
                    await news
        finally:
            self.readers -= 1
