"""When the reads of a recording are due, with a hand on the clock: pause, play, step. It may not know what a read says.

    player = Player("tools", "10x", clock, began, moments)
    await player.due(412.5)        until this moment of the recording has come
    player.pause() play() step()   from anywhere, while it is played

Times are measured from the start, so that nothing drifts; a pause moves the start.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import Literal

import msgspec

from services.errors import NotFound
from services.upstream.rehearsal.clock import Clock

REST = 3600.0  # seconds of one rest while it is paused
STEPS = 100_000
SOON = 1.0  # seconds
TICK = 0.0002  # seconds: what is due sooner than that is due


class Playback(msgspec.Struct, frozen=True):
    """`position` of `reads` were given; `ms` is the moment of the recording. The step after the last read ends the answer."""

    id: str
    recording: str
    pace: str
    state: Literal["playing", "paused"]
    position: int
    reads: int
    ms: float
    of_ms: float


class Player:
    """`pace` is how many times as fast: infinity is at once; 0 waits for steps. `began` is the start on the clock."""

    def __init__(self, recording: str, pace: float, clock: Clock, began: float, moments: Sequence[float], id: str = "") -> None:
        self.id = id or token_hex(8)
        self._recording = recording
        self._speed = pace or 1.0
        self._paused = not pace
        self._clock = clock
        self._moments = moments
        self._at = 0.0  # ms of the recording, at the moment `_since` of the clock
        self._since = began
        self._given = 0
        self._steps = 0
        self._resting: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Player {self.id} {self._recording} {self._given}/{len(self._moments)}>"

    @property
    def state(self) -> Playback:
        pace = "instant" if math.isinf(self._speed) else f"{self._speed:g}x"
        ms = self._moments[self._given - 1] if self._given else 0.0
        of = self._moments[-1] if self._moments else 0.0
        said: Literal["playing", "paused"] = "paused" if self._paused else "playing"
        return Playback(self.id, self._recording, pace, said, self._given, len(self._moments), ms, of)

    def pause(self) -> None:
        if not self._paused:
            self._at = self._now()
            self._paused = True
            self._wake()

    def play(self) -> None:
        if self._paused:
            self._since = self._clock.now()
            self._paused = False
            self._wake()

    def step(self, reads: int = 1) -> None:
        """The next read at once, and no other one after it."""
        self.pause()
        self._steps = min(STEPS, self._steps + reads)
        self._wake()

    async def begin(self, at: float) -> None:
        """Until the headers are due; who steps is not kept waiting for them."""
        while not self._paused and (left := self._left(at)) > TICK:
            await self._pass(left)

    async def due(self, at: float) -> None:
        """Until the next read, or the end, is due."""
        while not self._steps:
            left = REST if self._paused else self._left(at)
            await self._pass(left if left > TICK else 0.0)  # even where nothing is to be waited for others get a turn
            if left <= TICK and not self._paused:
                break
        else:
            self._steps -= 1
            self._at, self._since = at, self._clock.now()
        self._given += 1

    def _now(self) -> float:
        """The moment of the recording."""
        if math.isinf(self._speed):
            return self._moments[self._given - 1] if self._given else 0.0
        return self._at + (self._clock.now() - self._since) * 1000 * self._speed

    def _left(self, at: float) -> float:
        """Seconds."""
        return 0.0 if math.isinf(self._speed) else (at - self._now()) / 1000 / self._speed

    async def _pass(self, seconds: float) -> None:
        """Let so much time pass, or less when somebody lays a hand on it."""
        if not seconds:
            await self._clock.rest(0)
            return
        resting = self._resting = asyncio.ensure_future(self._clock.rest(seconds))
        try:
            await asyncio.wait({resting})
        finally:
            resting.cancel()
            self._resting = None

    def _wake(self) -> None:
        if self._resting:
            self._resting.cancel()


class Players:
    """All that are being played, by their ids."""

    def __init__(self) -> None:
        self._playing: dict[str, Player] = {}
        self._begun: asyncio.Event | None = None  # set with the next one that begins

    @contextmanager
    def playing(self, player: Player) -> Iterator[None]:
        self._playing[player.id] = player
        if self._begun:
            self._begun.set()
            self._begun = None
        try:
            yield
        finally:
            if self._playing.get(player.id) is player:
                del self._playing[player.id]

    def all(self) -> list[Playback]:
        return [player.state for player in self._playing.values()]

    def get(self, id: str) -> Player | None:
        return self._playing.get(id)

    async def find(self, id: str) -> Player:
        """Who has just asked for a replay may be quicker than its beginning: that is waited for. Raises NotFound."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while id not in self._playing:
                    self._begun = self._begun or asyncio.Event()
                    await self._begun.wait()
        if id not in self._playing:
            raise NotFound(f"No replay {id[:80]!r} is being played.")
        return self._playing[id]
