"""When tokens are due: the clocks and the schedule. It may not know what a token says.

Wall       real time
Stepped    time passes only in step(): tests need no sleeps
Pace       the schedule of one answer, measured from its start, so that nothing drifts
"""

import asyncio
import time
from typing import Protocol

MOST = 64  # tokens due at once: bounds a chunk (about 15 kB) after the event loop was held up


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since any moment, never backwards."""

    async def rest(self, seconds: float) -> None:
        """Let `seconds` pass. Always gives others a turn, even when it is 0."""


class Wall:
    def now(self) -> float:
        return time.monotonic()

    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Stepped:
    """Each step ends one rest, the one that is due first, and sets the time to it.

    Steps nobody is resting for yet are kept: step(1_000_000) lets everything flow from here on.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._kept = 0
        self._count = 0
        self._resting: dict[tuple[float, int], asyncio.Future[None]] = {}

    def __repr__(self) -> str:
        return f"<Stepped {self._now:.3f} s resting={self.resting} kept={self._kept}>"

    @property
    def resting(self) -> int:
        """How many rests wait for a step."""
        return len(self._resting)

    def now(self) -> float:
        return self._now

    def step(self, n: int = 1) -> None:
        for due in sorted(self._resting)[:n]:
            self._now = max(self._now, due[0])
            self._resting.pop(due).set_result(None)
            n -= 1
        self._kept += n

    async def rest(self, seconds: float) -> None:
        self._count += 1
        due = (self._now + seconds, self._count)
        if self._kept:
            self._kept -= 1
            self._now = max(self._now, due[0])
            await asyncio.sleep(0)
            return
        self._resting[due] = asyncio.get_running_loop().create_future()
        try:
            await self._resting[due]
        finally:
            self._resting.pop(due, None)


class Pace:
    """Token k (from 0) is due `pause + k` token times after the start, whatever happened to those before it."""

    def __init__(self, clock: Clock, speed: float, pause: float) -> None:
        self._clock = clock
        self._gap = 1 / speed  # 0 for an infinite speed
        self._first = clock.now() + pause * self._gap
        self._sent = 0

    async def due(self) -> int:
        """Rest until the next token is due. Returns how many are by then: more than one when late, at most MOST."""
        due = self._first + self._sent * self._gap
        await self._clock.rest(max(0.0, due - self._clock.now()))
        late = max(0.0, self._clock.now() - due)
        n = min(MOST, 1 + int(late / self._gap + 1e-6)) if self._gap else MOST
        self._sent += n
        return n
