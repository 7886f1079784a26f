"""Recordings as people and programs handle them: kept of a generation, brought from elsewhere, listed, renamed, played.

Files are read and written in threads; whoever lists models is told of each change.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from services.errors import BadRequest, Invalid, NotFound
from services.events import Failed, Finished
from services.generations.registry import Generations
from services.record.records import Records
from services.recordings.bodies import Found
from services.recordings.bringing import find
from services.recordings.file import DIALECTS, encode
from services.recordings.keeper import Kept
from services.recordings.recording import How, checked, dialect_at, suggested, taken
from services.upstream.catalogue import Catalogue
from services.upstream.rehearsal.heard import Heard, heard
from services.upstream.rehearsal.player import Playback, Player
from services.upstream.rehearsal.repertoire import Repertoire

LEFT = {"first_byte_timeout", "gap_timeout", "total_timeout", "deadline", "interrupted", "limit"}  # it was us who ended it

T = TypeVar("T")


class Recorder:
    """Of whose `repertoire` it is."""

    def __init__(self, repertoire: Repertoire, catalogue: Catalogue, generations: Generations, records: Records) -> None:
        self._repertoire = repertoire
        self._recordings = repertoire.recordings
        self._catalogue = catalogue
        self._generations = generations
        self._records = records

    async def all(self) -> list[Kept]:
        """By name. Raises NotSaved."""
        return await self._do(self._recordings.all)

    async def look(self) -> None:
        """Whether somebody has put a file there, or taken one away."""
        await self._do(self._recordings.look)

    async def file(self, name: str) -> bytes:
        """Raises NotFound, TooLarge and NotSaved."""
        return await asyncio.to_thread(self._recordings.file, name)

    async def keep(self, generation: str, name: str = "", *, attempt: int = 0, request: bool = True, replace: bool = False) -> Kept:
        """Of a generation that has ended: what came for its last request, or for number `attempt`. `request`: with what was asked.

        Raises NotFound, Gone, Conflict while it runs, where not all is on record, and for a name that is taken, Invalid and NotSaved.
        """
        await self._generations.recall(generation)
        record, started = self._records.get(generation), self._generations.started(generation)
        if record is None or not record.exchanges:
            raise NotFound("Nothing is on record of this reply: records end with the process, and the oldest go first.")
        if not 0 <= attempt <= len(record.exchanges):
            raise BadRequest(f"There is no request {attempt} of this generation: {len(record.exchanges)} are on record.")
        exchange = record.exchanges[attempt - 1]
        dialect = dialect_at(exchange.url)
        if dialect is None:
            raise Invalid("The dialect of this reply is not known.")
        how = self._how(generation) if exchange is record.exchanges[-1] else "closed"
        named, model, moment = checked(name or self._free(generation)), started.model, _moment(started.created)

        def put() -> Kept:
            recording = taken(record, exchange, dialect, model=model, moment=moment, how=how, request=request)
            return self._recordings.put(named, encode(recording), replace=replace)

        return await self._do(put)

    def suggested(self, generation: str) -> str:
        """A name for a recording of it, once it was recalled."""
        started = self._generations.started(generation)
        return suggested(started.model, _moment(started.created))

    def _free(self, generation: str) -> str:
        """The same, and there is none of this name yet."""
        name, there = self.suggested(generation), self._recordings.names
        others = (f"{name}-{number}" for number in range(2, len(there) + 3))
        return next(each for each in (name, *others) if each not in there)

    def _how(self, generation: str) -> How:
        match self._generations.entries(generation)[-1].event:
            case Failed("connection_lost" | "reset"):
                return "broken"
            case Failed(code) if code in LEFT:
                return "left"
            case Finished("stopped"):
                return "left"
        return "closed"

    async def find(self, body: bytes) -> list[Found]:
        """What is in something that somebody brings. Raises Invalid."""
        return await asyncio.to_thread(find, body, now=_moment(time.time()))

    async def heard(self, found: Found, dialect: str) -> Heard:
        """What it means, read in this dialect."""
        return await asyncio.to_thread(heard, found.recording._replace(dialect=_known(dialect)))

    async def bring(self, name: str, body: bytes, *, number: int = 0, dialect: str = "", replace: bool = False) -> Kept:
        """Keep answer `number` (from 0) of what somebody brings, in the dialect that was guessed unless one is given.

        Raises Invalid, Conflict, TooLarge and NotSaved.
        """
        found = await self.find(body)
        if not 0 <= number < len(found):
            raise BadRequest(f"There is no answer {number + 1} in it: it has {len(found)}.")
        return await self.keep_found(name, found[number], dialect=dialect, replace=replace)

    async def keep_found(self, name: str, found: Found, *, dialect: str = "", replace: bool = False) -> Kept:
        chosen = dialect or found.recording.dialect
        if not chosen:
            raise Invalid(f"Nothing in it tells its dialect: say which one it is: {', '.join(DIALECTS)}.")
        file = encode(found.recording._replace(dialect=_known(chosen)))
        return await self._do(lambda: self._recordings.put(name, file, replace=replace))

    async def rename(self, name: str, to: str) -> None:
        """Raises NotFound, Invalid, Conflict and NotSaved."""
        await self._do(lambda: self._recordings.rename(name, to))

    async def drop(self, name: str) -> None:
        """Raises NotFound and NotSaved."""
        await self._do(lambda: self._recordings.drop(name))

    # What is being played

    def playbacks(self) -> list[Playback]:
        return self._repertoire.players.all()

    def playback(self, id: str) -> Playback | None:
        """Of a generation, or of another client's replay by the id that its headers tell."""
        player = self._repertoire.players.get(id)
        return player.state if player else None

    async def player(self, id: str) -> Player:
        """To pause, play and step. Raises NotFound."""
        return await self._repertoire.players.find(id)

    async def _do(self, work: Callable[[], T]) -> T:
        before = self._recordings.names
        done = await asyncio.to_thread(work)
        if self._recordings.names != before:
            self._catalogue.tell()
        return done


def _known(dialect: str) -> str:
    if dialect not in DIALECTS:
        raise Invalid(f"There is no dialect {dialect[:40]!r}: {', '.join(DIALECTS)}.")
    return dialect


def _moment(created: float) -> str:
    return f"{datetime.fromtimestamp(created, UTC):%Y-%m-%dT%H:%M:%SZ}"
