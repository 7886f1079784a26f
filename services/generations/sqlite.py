"""The journal of every day: one SQLite file. Many logs share one commit.

The event loop itself commits what is small, which is nearly everything: some 40 us each PACE, a fraction of what waking a thread for it
would cost. A lone stream is not delayed; under load commits are PACE apart, so that a thousand streams share them. A thread does what
takes longer: large replies, recalling, tidying up, waiting for the disk where the settings demand it, and everything while the
database cannot be written. Either the loop has the writer, or it has lent it to the thread, by putting something into its queue.
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
from services.generations.thread import Checkpoint, Drop, Item, Recall, Stop, Thread, Work
from services.generations.writer import HEAVY, Committed, Log, Writer
from services.metrics.instruments import Family

log = logging.getLogger(__name__)

PACE = 0.003  # seconds between two commits of the loop's; at 0.002 a busy relay needs a twentieth more CPU

MANY = 8  # logs in a commit from which that holds; fewer are hardly delayed
UNHURRIED = 0.03  # the same where nobody but pages reads, which draw a few times a second


class SQLiteJournal:
    """In `folder`, which is made if need be. Raises SettingsError when that cannot be used, or somebody else uses it.

    `full`: a commit waits for the disk, and survives a power cut.
    """

    def __init__(self, folder: Path, full: bool = False) -> None:
        self.problem: str | None = None
        self.size = 0
        self._full = full
        self._sizes: dict[str, int] = {}
        self._running: dict[str, Log] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._lent = 0  # items in the queue that are not done: as long as there are any, the thread has the writer
        self._due: asyncio.Handle | None = None  # the loop's next commit
        self._next = 0.0  # when it may be
        self._unhurried = False  # it waits for more, as nobody is in a hurry
        self._checkpointing = False
        self._database = Database(folder, full)
        self._writer = Writer(self._database, lambda about, why: self.call(about.tell, why))
        self._thread = threading.Thread(target=Thread(self._database, self._writer, self._queue, self).run, name="journal", daemon=True)

    def begin(self, log: str, about: bytes, label: bytes, kept: Callable[[int], None], lost: Callable[[str], None]) -> None:
        self._start()
        self._running[log] = Log(log, about, label, kept, lost)

    def append(self, log: str, entries: Sequence[Entry], soon: bool = True) -> None:
        if self._lent or self._full:
            self._lend((self._running[log], entries, False))
            return
        self._writer.add(self._running[log], entries)
        if self._due is None or (soon and self._unhurried):
            self._plan(soon)

    def _plan(self, soon: bool) -> None:
        if self._loop is None:
            return
        if self._due is not None:
            self._due.cancel()
        now = self._loop.time()
        when = self._next if soon else now + UNHURRIED
        self._due = self._loop.call_at(when, self._commit) if when > now else self._loop.call_soon(self._commit)
        self._unhurried = not soon

    def _commit(self) -> None:
        self._due = None
        if self._lent or not self._writer.waits:
            return  # the thread has it, with everything that waited
        if self._writer.heavy:
            self._lend(Work())
            return
        try:
            committed = self._writer.commit()
        except Exception:  # whatever it is: the thread finds out, says so, and tries again
            self._lend(Work())
            return
        if self._loop is not None:
            self._next = self._loop.time() + PACE * min(1.0, len(committed.kept) / MANY)
        self.committed(committed)

    def _lend(self, item: Item) -> None:
        self._lent += 1
        self._queue.put(item)

    def end(self, log: str, entries: Sequence[Entry]) -> None:
        self._lend((self._running[log], entries, True))

    async def recall(self, log: str) -> tuple[bytes, list[Entry]] | None:
        self._start()
        found: asyncio.Future[tuple[bytes, list[Entry]] | None] = asyncio.get_running_loop().create_future()
        self._lend(Recall(log, found))
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
        size = self._sizes.pop(log, 0)
        self.size -= size
        if self._lent or self._full or size > HEAVY:
            self._lend(Drop(log))
            return
        self._writer.drop(log)
        if self._due is None:
            self._plan(soon=False)

    def figures(self) -> list[Family]:
        return self._writer.figures()

    def close(self) -> None:
        if self._thread.is_alive():
            self._queue.put(Stop())
            self._thread.join()
        self._database.close()

    def _start(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread.start()

    # From the thread, and of the loop's own

    def call(self, function: Callable[..., None], *values: object) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                self._loop.call_soon_threadsafe(function, *values)

    def returned(self, items: int) -> None:
        self._lent -= items

    def committed(self, committed: Committed) -> None:
        for id, size in committed.ended:
            self._running.pop(id, None)
            self._sizes[id] = size
            self.size += size
        if not self._lent and self._writer.untidy:
            self._lend(Work())
        if self._database.long and not self._checkpointing:
            self._checkpointing = True
            threading.Thread(target=self._checkpoint, name="checkpoint", daemon=True).start()
        for tell, seq in committed.kept:
            try:
                tell(seq)
            except Exception:  # a fault of ours with one log must not hold back the others
                log.exception("entries were kept, but could not be shown")

    def _checkpoint(self) -> None:
        """In a thread of its own: nearly all of it while commits go on, the rest between two of them."""
        self._database.checkpoint()
        self.call(self._finish_checkpoint)

    def _finish_checkpoint(self) -> None:
        self._checkpointing = False
        self._lend(Checkpoint())
