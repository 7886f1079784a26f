"""The journal of every day: one SQLite file, one thread that writes it. Many logs share one commit.

The event loop puts entries into a queue and goes on. The thread takes everything that is there, writes it down in one commit, and
tells the loop with one call what is kept now. It begins as soon as there is something, so that a lone stream is not delayed; under load
commits are PACE apart, so that a thousand streams share them. Encoding happens there, too: the loop only passes references.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from services.events import Entry
from services.generations.database import Database
from services.generations.journal import Kept
from services.generations.thread import Drop, Item, Log, Recall, Stop, Tell, Writer

log = logging.getLogger(__name__)


class SQLiteJournal:
    """In `folder`, which is made if need be. Raises SettingsError when that cannot be used, or somebody else uses it.

    `full`: a commit waits for the disk, and survives a power cut.
    """

    def __init__(self, folder: Path, full: bool = False) -> None:
        self.problem: str | None = None
        self.size = 0
        self._sizes: dict[str, int] = {}
        self._running: dict[str, Log] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._database = Database(folder, full)
        self._writer = Writer(self._database, self._queue, self)
        self._thread = threading.Thread(target=self._writer.run, name="journal", daemon=True)

    # On the event loop

    def begin(self, log: str, about: bytes, label: bytes, lost: Callable[[str], None]) -> None:
        self._start()
        self._running[log] = Log(log, about, label, lost)

    def append(self, log: str, entries: Sequence[Entry], kept: Callable[[int], None]) -> None:
        self._queue.put((self._running[log], entries, kept))

    def end(self, log: str, entries: Sequence[Entry]) -> None:
        self._queue.put((self._running[log], entries, None))

    async def recall(self, log: str) -> tuple[bytes, list[Entry]] | None:
        self._start()
        found: asyncio.Future[tuple[bytes, list[Entry]] | None] = asyncio.get_running_loop().create_future()
        self._queue.put(Recall(log, found))
        return await found

    def recent(self) -> list[Kept]:
        found = self._database.recent()
        self._sizes = {kept.id: size for kept, size in found}
        self.size = sum(self._sizes.values())
        return [kept for kept, _ in found]

    def gone(self) -> list[str]:
        return self._database.gone()

    def recover(self) -> list[str]:
        return self._database.recover()

    def drop(self, log: str) -> None:
        self.size -= self._sizes.pop(log, 0)
        self._queue.put(Drop(log))

    def close(self) -> None:
        if self._thread.is_alive():
            self._queue.put(Stop())
            self._thread.join()
        self._database.close()

    def _start(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread.start()

    # From the thread

    def call(self, function: Callable[..., None], *values: object) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                self._loop.call_soon_threadsafe(function, *values)

    def committed(self, kept: list[tuple[Tell, int]], ended: list[tuple[str, int]]) -> None:
        for id, size in ended:
            self._running.pop(id, None)
            self._sizes[id] = size
            self.size += size
        for tell, seq in kept:
            try:
                tell(seq)
            except Exception:  # a fault of ours with one log must not hold back the others
                log.exception("entries were kept, but could not be shown")
