"""The rehearsal as an upstream of ours. A recording is asked in its own dialect, so that its own bytes meet the reader they are for."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from services.errors import HeadraceError
from services.messages import Turn
from services.models import Model
from services.record.record import Record
from services.upstream import READERS
from services.upstream.connections import InProcess, Transport
from services.upstream.http import Emit, HTTPUpstream
from services.upstream.patience import Timeouts
from services.upstream.rehearsal.repertoire import REPLAY, Repertoire
from services.upstream.rehearsal.server import Rehearsal

NAME, URL = "rehearsal", "http://rehearsal"
DAY = 86_400.0
Broken = Callable[[Transport, str, str], Transport]
PATIENT = Timeouts(first_byte=DAY, gap=DAY, total=DAY)  # it cannot hang by itself, and who steps a recording takes his time


class Rehearsed:
    """`speed` in tokens per second. `broken(transport, fault, dialect)` is what does a turn's fault to its answer."""

    def __init__(self, speed: float, repertoire: Repertoire, broken: Broken | None = None) -> None:
        self.name, self.host = NAME, "rehearsal"
        self._speed = speed
        self._repertoire = repertoire
        self._broken = broken
        self._upstreams: dict[str, HTTPUpstream] = {}

    def __repr__(self) -> str:
        return f"<Rehearsed {self._speed:g} tokens/s>"

    async def read(self, turn: Turn, emit: Emit, record: Record | None = None) -> None:
        dialect, own = "openai_chat", self._repertoire.of(turn.owner)
        if turn.model.startswith(REPLAY):
            name = turn.model.removeprefix(REPLAY).partition("@")[0].partition("#")[0]
            with suppress(HeadraceError):  # whatever it is: the rehearsal has the sentence for it
                dialect = (await asyncio.to_thread(own.recordings.get, name)).dialect
        await self._upstream(dialect, turn.fault, own).read(turn, emit, record)

    async def models(self) -> list[Model]:
        return [Model(name) for name in self._repertoire.common]

    async def learn(self, known: Model) -> Model:
        return known

    def _upstream(self, dialect: str, fault: str, own: Repertoire) -> HTTPUpstream:
        if fault and self._broken:
            return self._made(dialect, self._broken(self._server(dialect, own), fault, dialect))
        if own is not self._repertoire:
            return self._made(dialect, self._server(dialect, own))
        if dialect not in self._upstreams:
            self._upstreams[dialect] = self._made(dialect, self._server(dialect, own))
        return self._upstreams[dialect]

    def _server(self, dialect: str, own: Repertoire) -> Transport:
        return InProcess(Rehearsal(self._speed, dialect=dialect, repertoire=own, faithful=True).answer)

    def _made(self, dialect: str, transport: Transport) -> HTTPUpstream:
        return HTTPUpstream(NAME, READERS[dialect], URL, transport, timeouts=PATIENT)
