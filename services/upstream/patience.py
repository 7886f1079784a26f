"""How long a model server may take: four different waits, one timer. No sockets and no dialects here."""

import asyncio
from typing import NamedTuple

from services.errors import TimedOut


class Timeouts(NamedTuple):
    """Seconds. A transport's read timeout is per read, so a drip of a byte now and then would never trip it.

    `connect` is the transport's own affair. `gap` is the wait between pieces of content: comments and empty deltas are
    not content. A local server that loads a model first needs a long `first_byte`.
    """

    connect: float = 5.0
    first_byte: float = 120.0
    gap: float = 60.0
    total: float = 1800.0


PATIENT = Timeouts()


class Patience:
    """Cancels the task it was entered in when the server takes longer than allowed, and says which wait it was.

    Set `heard` at each piece of content. The timer looks at it now and then, which is cheaper than a clock per piece, so
    a gap is noticed up to a quarter late.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self.heard = False
        self._timeouts = timeouts
        self._expired: TimedOut | None = None

    def __enter__(self) -> "Patience":
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._end = self._loop.time() + self._timeouts.total
        self._due = self._loop.time() + self._timeouts.first_byte
        self._streaming = False
        self._wait()
        return self

    def _wait(self) -> None:
        soon = self._loop.time() + self._timeouts.gap / 4
        self._timer = self._loop.call_at(min(soon, self._due, self._end), self._look)

    def _look(self) -> None:
        now = self._loop.time()
        if self.heard:
            self.heard, self._streaming = False, True
            self._due = now + self._timeouts.gap
        if now < min(self._due, self._end):
            self._wait()
            return
        self._expired = self._verdict(now)
        if self._task is not None:
            self._task.cancel()

    def _verdict(self, now: float) -> TimedOut:
        if now >= self._end:
            return TimedOut(f"The answer took longer than {self._timeouts.total:g} s in all.", code="total_timeout", retryable=False)
        if self._streaming:
            return TimedOut(f"No new text came for {self._timeouts.gap:g} s.", code="gap_timeout")
        return TimedOut(f"No text came within {self._timeouts.first_byte:g} s.", code="first_byte_timeout", phase="waiting")

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        if self._expired is not None and kind is asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.uncancel() > 0:
                return  # somebody else wants this task to end as well: a stop wins over a timeout
            raise self._expired from exc
