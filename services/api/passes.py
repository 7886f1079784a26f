"""What is open by a key or a login ends with it: a stream with a word in its client's dialect, anything else a moment later."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from starlette.types import Scope

from services.api.connection import connection_of
from services.api.stream import Batches
from services.events import Entry, Failed
from services.generations.log import broken_off

PASS = "headrace.pass"  # noqa: S105 # of a request's scope
PATIENCE = 2.0  # seconds that an answer may take to end by itself
REVOKED = "The key or login that this stream was opened with is not valid any more."


class Pass:
    """Of one request. `listen`ers are called when it ends."""

    __slots__ = ("_heard", "ended")

    def __init__(self) -> None:
        self.ended = False
        self._heard: list[Callable[[], None]] = []

    def listen(self, heard: Callable[[], None]) -> None:
        self._heard.append(heard)

    def end(self) -> None:
        self.ended = True
        for heard in self._heard:
            heard()


class Passes:
    """All that are open, by the id of the key or session."""

    def __init__(self) -> None:
        self._open: dict[str, set[Pass]] = {}

    @contextmanager
    def given(self, id: str, scope: Scope) -> Iterator[None]:
        """For as long as a request is answered."""
        scope[PASS] = mine = Pass()
        if transport := connection_of(scope):
            mine.listen(lambda: _cut_soon(mine, transport))
        self._open.setdefault(id, set()).add(mine)
        try:
            yield
        finally:
            mine.ended = False  # the connection may be another request's by now
            self._open[id].discard(mine)
            if not self._open[id]:
                del self._open[id]

    def end(self, id: str) -> None:
        for each in tuple(self._open.get(id, ())):
            each.end()


def _cut_soon(ended: Pass, transport: asyncio.Transport) -> None:
    asyncio.get_running_loop().call_later(PATIENCE, _cut, ended, transport)


def _cut(ended: Pass, transport: asyncio.Transport) -> None:
    if ended.ended:
        transport.abort()


class Until:
    """A reader of a log that is over when its pass is. Its last entries have the number of the last one that was read: the log goes on."""

    def __init__(self, batches: Batches, until: Pass, before: Callable[[], Sequence[Entry]], read: int = 0) -> None:
        """`before`: all entries of the log. `read`: the number of the last one that was taken already."""
        self._batches = batches
        self._pass = until
        self._before = before
        self._read = read
        self._told = False

    @property
    def at_end(self) -> bool:
        return self._told or self._batches.at_end

    def take(self) -> list[Entry]:
        if self._told:
            return []
        if self._pass.ended and not self._batches.at_end:
            self._told = True
            end = broken_off(self._before()[: self._read], Failed("revoked", REVOKED))
            return [msgspec.structs.replace(entry, seq=self._read) for entry in end]
        entries = self._batches.take()
        if entries:
            self._read = entries[-1].seq
        return entries

    def listen(self, heard: Callable[[], None]) -> None:
        self._batches.listen(heard)
        self._pass.listen(heard)
        if self._pass.ended:
            heard()

    async def aclose(self) -> None:
        self._told = True
        await self._batches.aclose()
