"""Recordings as models: `replay:NAME`, `replay:NAME@10x`, `@0.5x`, `@instant`, `@step`, each perhaps with `#ID` to find it by.

Asked in the dialect it was recorded in, a recording gives its own bytes, read by read. Asked in another one, or whole where it was
streamed, its events are told in that dialect at the same times, or it is refused: never something that only looks like it.
What is asked changes nothing, and neither do limits of tokens and stop strings.
"""

import asyncio
import math
import re
from collections.abc import AsyncGenerator
from itertools import groupby
from typing import NamedTuple

from services.errors import HeadraceError
from services.recordings.recording import Recording
from services.upstream.rehearsal.clock import Clock
from services.upstream.rehearsal.heard import Told, Unsayable, heard, script
from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.player import Player
from services.upstream.rehearsal.repertoire import REPLAY, Repertoire
from services.upstream.rehearsal.script import Answer, Fault, Script
from services.upstream.rehearsal.tellers.teller import Wanted, Wrong, ending, whole

ID = "headrace-replay"  # the header that tells by which id it is stepped
PACES = "@10x, @0.5x, @instant or @step"
FASTEST = 1000.0

_NAME = re.compile(rf"{REPLAY}(?P<name>[^@#]*)(?:@(?P<pace>[^#]*))?(?:#(?P<id>.*))?", re.DOTALL)
_TIMES = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)x")
_IDS = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Played(NamedTuple):
    """`pace` as Player takes it."""

    name: str
    pace: float = 1.0
    id: str = ""


def played(model: str) -> Played | None:
    """What a model's name asks for; None where it is no recording's. Raises Wrong."""
    found = _NAME.fullmatch(model)
    if not found:
        return None
    id = found["id"] or ""
    if id and not _IDS.fullmatch(id):
        raise Wrong(400, "What follows # in the name of a recording is an id of letters, digits, _ and -.")
    return Played(found["name"], _pace(found["pace"]), id)


def _pace(given: str | None) -> float:
    if given in (None, ""):
        return 1.0
    if given in ("instant", "step"):
        return math.inf if given == "instant" else 0.0
    times = _TIMES.fullmatch(given or "")
    if not times or not 0 < float(times[1]) <= FASTEST:
        raise Wrong(400, f"A recording is not played {str(given)[:40]!r}: write {PACES}.")
    return float(times[1])


def with_id(model: str, id: str) -> str:
    """The same name with an id to find its replay by, if it is a recording's and has none."""
    return f"{model}#{id}" if model.startswith(REPLAY) and "#" not in model else model


class Replays:
    """`faithful`: whoever asks wants the very bytes, streamed or not; else the answer has the form that the request asks for."""

    def __init__(self, repertoire: Repertoire, clock: Clock, *, faithful: bool = False) -> None:
        self._repertoire = repertoire
        self._clock = clock
        self.faithful = faithful

    async def answer(self, asked: Played, wanted: Wanted, began: float) -> Answer | Fault:
        """Returns when the headers are due. `began` on the clock. Raises Wrong."""
        recording = await self._recording(asked.name)
        moments = [read.at for read in recording.reads]
        if recording.dialect == wanted.dialect and (self.faithful or recording.status != 200 or recording.streams == wanted.asked.stream):
            player = self._player(asked, began, moments)
            answer = Answer(recording.status, {**recording.headers, ID: player.id}, self._as_it_was(recording, player))
        else:
            told = await asyncio.to_thread(self._told, recording, wanted)
            if isinstance(told, Fault):
                return told
            if isinstance(told.end, Fault) and not wanted.asked.stream:
                return told.end  # its status goes before any byte
            player = self._player(asked, began, sorted({at for at, _ in told.deltas}) if wanted.asked.stream else [])
            answer = Answer(200, {**wanted.headers, ID: player.id}, self._told_anew(told, wanted, player, recording.end.at))
        await player.begin(recording.answered_at)
        return answer

    async def _recording(self, name: str) -> Recording:
        try:
            return await asyncio.to_thread(self._repertoire.recordings.get, name)
        except HeadraceError as exc:
            if exc.status != 404:
                raise Wrong(exc.status, f"The recording {name[:80]!r} cannot be played. {exc.message}") from exc
            there = ", ".join(self._repertoire.recordings.names[:10]) or "none"
            raise Wrong(404, f"There is no recording {name[:80]!r}. There are: {there}.", "model_not_found") from exc

    def _player(self, asked: Played, began: float, moments: list[float]) -> Player:
        if asked.id and self._repertoire.players.get(asked.id):
            raise Wrong(409, f"A replay with the id {asked.id!r} is being played.")
        return Player(asked.name, asked.pace, self._clock, began, moments, asked.id)

    async def _as_it_was(self, recording: Recording, player: Player) -> AsyncGenerator[bytes, None]:
        with self._repertoire.players.playing(player):
            for at, data in recording.reads:
                await player.due(at)
                yield data
            await player.due(recording.end.at)
        if recording.end.how == "broken":
            raise ConnectionResetError("the connection was lost here when it was recorded")

    def _told(self, recording: Recording, wanted: Wanted) -> Told | Fault:
        """Raises Wrong."""
        found = heard(recording)
        if (refused := found.refused) is not None:
            wait = refused.retry_after
            return Fault(recording.status, refused.upstream or refused.message, refused.kind, None if wait is None else math.ceil(wait))
        try:
            return script(found)
        except Unsayable as exc:
            said = f"The recording is in {recording.dialect}, and it has {exc}: that cannot be told in {wanted.dialect}."
            raise Wrong(422, f"{said} Ask it at /rehearsal/{recording.dialect}.", "not_in_this_dialect") from exc

    async def _told_anew(self, told: Told, wanted: Wanted, player: Player, end: float) -> AsyncGenerator[bytes, None]:
        limited = Limited(Script(iter([delta for _, delta in told.deltas]), end=told.end, used=told.used), None, ())
        deltas = list(limited)
        teller = wanted.teller(limited, 0.0)
        with self._repertoire.players.playing(player):
            if wanted.asked.stream:
                begun = False
                for at, group in groupby(zip(told.deltas, deltas, strict=True), key=lambda pair: pair[0][0]):
                    await player.due(at)
                    yield (b"" if begun else teller.begin()) + b"".join(teller.tell(delta) for _, delta in group)
                    begun = True
                await player.due(end)
                yield (b"" if begun else teller.begin()) + ending(teller, limited)
            else:
                await player.due(end)
                yield whole(teller, limited, deltas)
