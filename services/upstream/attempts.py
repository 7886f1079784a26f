"""A model server that is asked again when that may help: before the first word of an answer, and never after it.

    Persistent(upstream).read(turn, emit)     as the upstream's own, with `Retrying` for every repetition

Asked again is after a connection that failed, 408, 429 and 5xx, at most `turn.tries` times in all, with full jitter or when
the server said so; a longer wait than PATIENCE is the person's to decide. A server that keeps failing is left alone for a
while (breaker.py). A turn's own deadline, `within` seconds from its start, bounds it all.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from services.errors import TimedOut, Unreachable, UpstreamError
from services.events import Event, Failed, PartStarted, Retrying, Status
from services.messages import Turn
from services.models import Model
from services.record.record import Record
from services.upstream.breaker import Breaker
from services.upstream.catalogue import Upstream, is_local
from services.upstream.http import Emit

PATIENCE = 30.0  # seconds that a server may ask us to wait
AGAIN = {"connect_refused", "connect_timeout", "reset", "connection_lost", "rate_limited", "server_error", "empty"}
OUT_OF_ORDER = AGAIN - {"rate_limited"} | {"first_byte_timeout", "dns", "tls", "no_route"}  # the server's own failures, for the breaker
QUICK = {"connect_refused", "reset"}  # what costs nothing to try again at once: a server that is just starting

# Of the requests of a minute a tenth may be repetitions: a server in trouble is not helped by thrice the load.
SHARE, AT_LEAST, MINUTE = 0.1, 10, 60.0

Rest = Callable[[float], Awaitable[None]]


class Persistent:
    """`spare` is whether a server that keeps failing is left alone; one that fails on demand is not."""

    def __init__(
        self, upstream: Upstream, *, spare: bool = True, rest: Rest = asyncio.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = upstream.name
        self.host = upstream.host
        self._upstream = upstream
        self._rest = rest
        self._spare = spare
        self._breaker = Breaker(2.0 if is_local(upstream.host) else 15.0, clock)
        self._budget = _Budget(clock)

    def __repr__(self) -> str:
        return f"<Persistent {self._upstream!r}>"

    @property
    def resting(self) -> bool:
        """It kept failing, and is left alone for a while."""
        return self._spare and self._breaker.open

    async def learn(self, known: Model) -> Model:
        return await self._upstream.learn(known)

    async def models(self) -> list[Model]:
        return await self._upstream.models()

    async def read(self, turn: Turn, emit: Emit, record: Record | None = None) -> None:
        """Raises what the upstream's `read` raises, TimedOut at the turn's deadline, Unreachable while the server is left alone."""
        try:
            async with asyncio.timeout(turn.within):
                await self._read(turn, emit, record)
        except TimeoutError as exc:
            raise TimedOut(f"The answer did not end within the {turn.within:g} s asked for.", code="deadline", retryable=False) from exc

    async def _read(self, turn: Turn, emit: Emit, record: Record | None) -> None:
        self._refuse_while_left_alone()
        self._budget.asked()
        attempt = _Attempt(emit)
        try:
            while not await self._ask(turn, attempt, record):
                attempt.number += 1
        except UpstreamError as exc:
            self._breaker.note(failed=exc.kind in OUT_OF_ORDER and not attempt.begun)
            raise
        except BaseException:
            self._breaker.forget()
            raise
        self._breaker.note(failed=attempt.code in OUT_OF_ORDER)

    async def _ask(self, turn: Turn, attempt: "_Attempt", record: Record | None) -> bool:
        """One attempt. False: it failed, the time until the next one is over, and it may be made."""
        again = attempt.number < turn.tries
        try:
            attempt.may_fail = again and self._budget.left
            await self._upstream.read(turn, attempt.emit, record)
            return True
        except _Failed as exc:
            code, wait = exc.event.code, self._wait(attempt.number, exc.event.code, exc.event.retry_after)
            if wait is None:
                attempt.code = code
                attempt.pass_on([exc.event])
                return True
        except UpstreamError as exc:
            wait = self._wait(attempt.number, exc.kind, exc.retry_after) if again and exc.can_retry and self._budget.left else None
            if wait is None or attempt.begun:
                raise
            code = exc.kind
        self._budget.repeated()
        attempt.pass_on([Retrying(attempt.number + 1, round(wait * 1000), code, turn.tries)])
        await self._rest(wait)
        attempt.pass_on([Status("connecting")])
        return False

    def _wait(self, number: int, code: str, asked_for: float | None) -> float | None:
        """Seconds until the next attempt; None when there is none."""
        if code not in AGAIN or (asked_for or 0.0) > PATIENCE:
            return None
        ours = random.uniform(0.1, 0.3) if code in QUICK else random.uniform(0.0, min(8.0, 0.5 * 2**number))
        return max(ours, asked_for or 0.0)

    def _refuse_while_left_alone(self) -> None:
        if self._spare and (wait := self._breaker.wait()):
            told = f"{self.name} at {self.host} keeps failing, so it is left alone for {wait:.0f} s. Retry then."
            raise Unreachable(told, code="breaker", retry_after=wait)


class _Failed(Exception):
    """An attempt's terminal event, before its first word: held back, because another attempt may follow."""

    def __init__(self, event: Failed) -> None:
        self.event = event


class _Attempt:
    """What one attempt after the other emits, looked at until the first word has come."""

    def __init__(self, emit: Emit) -> None:
        self.number = 1
        self.begun = False
        self.may_fail = True
        self.code = ""
        self.pass_on = emit

    def emit(self, events: Sequence[Event]) -> Awaitable[None] | None:
        if not self.begun:
            self.begun = any(type(event) is PartStarted for event in events)
            last = events[-1] if events else None
            if isinstance(last, Failed) and not self.begun:
                if last.retryable and self.may_fail:
                    raise _Failed(last)
                self.code = last.code
        return self.pass_on(events)


class _Budget:
    """How many repetitions there may be in a minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: deque[float] = deque()
        self._repeated: deque[float] = deque()

    def asked(self) -> None:
        self._asked.append(self._clock())

    def repeated(self) -> None:
        self._repeated.append(self._clock())

    @property
    def left(self) -> bool:
        oldest = self._clock() - MINUTE
        for times in (self._asked, self._repeated):
            while times and times[0] < oldest:
                times.popleft()
        return len(self._repeated) < max(AT_LEAST, SHARE * len(self._asked))
