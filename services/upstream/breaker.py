"""Whether a model server is worth asking now. After a run of failures it is left alone for a while, then tried once. No I/O."""

import time
from collections import deque
from collections.abc import Callable

IN_A_ROW = 5
WINDOW = 30.0  # seconds
MANY = 20  # requests in the window, before their share of failures counts


class Breaker:
    """`rest` is how many seconds a failing server is left alone. Failures are the server's own: no answer, or a 5xx."""

    def __init__(self, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._clock = clock
        self._in_a_row = 0
        self._recent: deque[tuple[float, bool]] = deque()  # when, and whether it failed
        self._opened: float | None = None
        self._probing = False

    def wait(self) -> float:
        """Seconds until the server may be asked; 0 is now. Whoever is told 0 while it is failing makes the one probe."""
        if self._opened is None:
            return 0.0
        left = self._opened + self._rest - self._clock()
        if left > 0 or self._probing:
            return max(left, 1.0)
        self._probing = True
        return 0.0

    @property
    def open(self) -> bool:
        """It is being left alone, or about to be tried again."""
        return self._opened is not None

    def note(self, *, failed: bool) -> None:
        """What came of a request."""
        now = self._clock()
        self._probing = False
        self._in_a_row = self._in_a_row + 1 if failed else 0
        self._recent.append((now, failed))
        while self._recent[0][0] < now - WINDOW:
            self._recent.popleft()
        if not failed:
            self._opened = None
        elif self._opened is not None or self._in_a_row >= IN_A_ROW or self._mostly_failing():
            self._opened = now
            self._recent.clear()

    def forget(self) -> None:
        """A request that was given up says nothing about the server."""
        self._probing = False

    def _mostly_failing(self) -> bool:
        return len(self._recent) >= MANY and sum(failed for _, failed in self._recent) * 2 > len(self._recent)
