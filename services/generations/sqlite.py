"""The journal of every day: one SQLite file, one thread that writes it. Many logs share one commit.

The event loop puts entries into a queue and goes on. The thread takes everything that is there, writes it down in one commit, and
tells the loop with one call what is kept now. It begins as soon as there is something, so that a lone stream is not delayed; under load
commits are PACE apart, so that a thousand streams share them. Encoding happens here, too: the loop only passes references.

What cannot be written is kept and tried again. After GIVE_UP seconds the logs that wait are told that they are lost, which ends them;
their ends wait on, so it is also noticed when there is room again.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from services.events import Entry, Failed, Finished
from services.generations.database import Begun, Database, Ended, is_busy, sentence
from services.generations.journal import Kept

log = logging.getLogger(__name__)

PACE = 0.0025  # seconds between the beginnings of two commits; at 0.0015 a busy relay needs a tenth more CPU
RETRY = 0.5  # seconds until what failed is tried again
UNNOTICED = 1.5  # seconds that another program may hold the database before anybody is told
GIVE_UP = 4.0  # seconds until the logs that wait are ended
CLOSE_PATIENCE = 2.0  # seconds that the last commit may take at the end
HOT = 8 << 20  # bytes of entries in `hot` before what runs is written anew, and the rest deleted

Kept_ = Callable[[int], None]
encode = msgspec.json.encode


class _Log:
    """A log that runs. `data` is what was committed of it, `number` its row once it has begun to be; the thread's own."""

    __slots__ = ("about", "data", "id", "label", "lost", "number", "tell")

    def __init__(self, id: str, about: bytes, label: bytes, tell: Callable[[str], None]) -> None:
        self.id = id
        self.about = about
        self.label = label
        self.tell = tell
        self.lost = False
        self.number = 0
        self.data = bytearray()


Append = tuple[_Log, Sequence[Entry], Kept_ | None]  # None: the end of a log that was lost


class _Drop:
    def __init__(self, id: str) -> None:
        self.id = id


class _Recall:
    def __init__(self, id: str, found: "asyncio.Future[tuple[bytes, list[Entry]] | None]") -> None:
        self.id = id
        self.found = found


class _Stop:
    pass


class SQLiteJournal:
    """In `folder`, which is made if need be. Raises SettingsError when that cannot be used, or somebody else uses it.

    `full`: a commit waits for the disk, and survives a power cut.
    """

    def __init__(self, folder: Path, full: bool = False) -> None:
        self.problem: str | None = None
        self.size = 0
        self._sizes: dict[str, int] = {}
        self._running: dict[str, _Log] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: queue.SimpleQueue[Append | _Drop | _Recall | _Stop] = queue.SimpleQueue()
        self._database = Database(folder, full)
        self._writer = _Writer(self._database, self._queue, self)
        self._thread = threading.Thread(target=self._writer.run, name="journal", daemon=True)

    # On the event loop

    def begin(self, log: str, about: bytes, label: bytes, lost: Callable[[str], None]) -> None:
        self._start()
        self._running[log] = _Log(log, about, label, lost)

    def append(self, log: str, entries: Sequence[Entry], kept: Callable[[int], None]) -> None:
        self._queue.put((self._running[log], entries, kept))

    def end(self, log: str, entries: Sequence[Entry]) -> None:
        self._queue.put((self._running[log], entries, None))

    async def recall(self, log: str) -> tuple[bytes, list[Entry]] | None:
        self._start()
        found: asyncio.Future[tuple[bytes, list[Entry]] | None] = asyncio.get_running_loop().create_future()
        self._queue.put(_Recall(log, found))
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
        self._queue.put(_Drop(log))

    def close(self) -> None:
        if self._thread.is_alive():
            self._queue.put(_Stop())
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

    def committed(self, kept: list[tuple[Kept_, int]], ended: list[tuple[str, int]]) -> None:
        for id, size in ended:
            self._running.pop(id, None)
            self._sizes[id] = size
            self.size += size
        for tell, seq in kept:
            tell(seq)


class _Writer:
    """What the thread does. Nothing here may run on the event loop, nor anything of the loop here."""

    def __init__(self, database: Database, waiting: "queue.SimpleQueue[Append | _Drop | _Recall | _Stop]", journal: SQLiteJournal) -> None:
        self._database = database
        self._queue = waiting
        self._journal = journal
        self._logs: dict[_Log, None] = {}  # those that run
        self._todo: dict[_Log, list[Entry]] = {}
        self._kept: dict[_Log, Kept_ | None] = {}
        self._drops: list[str] = []
        self._stopping: float | None = None
        self._failing: float | None = None  # since when
        self._next = 0.0  # when the next commit may begin
        self._hot = 0  # bytes in `hot` since it was written anew
        self._enough = HOT

    def run(self) -> None:
        while True:
            try:
                self._work()
                return
            except Exception:  # a thread that dies would hang every stream
                log.exception("the journal's thread failed")
                self._journal.problem = "Headrace's journal has failed. Its log has the details."
                for about in [about for about, kept in self._kept.items() if kept is not None]:
                    self._lose(about, self._journal.problem)
                self._failing = self._failing or time.monotonic()
                self._next = time.monotonic() + RETRY

    def _work(self) -> None:
        while self._stopping is None or self._waits():
            self._take()
            if not self._waits() and self._failing is None:
                if self._database.garbage and self._queue.empty():
                    self._clean()
                continue
            rest = self._next - time.monotonic()
            if rest > 0 and self._failing is None:
                time.sleep(rest)
                continue  # for what came meanwhile
            if rest <= 0:
                self._commit()
            if self._stopping is not None and self._failing is not None and time.monotonic() > self._stopping:
                log.error("the last entries of %d replies could not be kept: %s", len(self._todo), self._journal.problem)
                return

    def _waits(self) -> bool:
        return bool(self._todo or self._drops)

    def _take(self) -> None:
        """Everything that is there. Waits for the first one, if there is nothing else to do."""
        timeout: float | None = None
        if self._failing is not None:
            timeout = max(0.001, self._next - time.monotonic())
        elif self._waits():
            timeout = 0.0
        elif self._database.garbage:
            timeout = 0.05
        try:
            item = self._queue.get(timeout != 0.0, timeout)
            while True:
                if type(item) is tuple:
                    self._add(*item)
                else:
                    self._do(item)
                item = self._queue.get_nowait()
        except queue.Empty:
            pass

    def _add(self, about: _Log, entries: Sequence[Entry], kept: Kept_ | None) -> None:
        if about.lost and kept is not None:
            return
        if about in self._todo:
            self._todo[about] += entries
        else:
            self._todo[about] = list(entries)
        self._kept[about] = kept

    def _do(self, item: object) -> None:
        match item:
            case _Drop(id=id):
                self._drops.append(id)
            case _Recall():
                try:
                    found = self._database.recall(item.id) if item.id not in self._drops else None
                except (sqlite3.Error, msgspec.DecodeError) as exc:
                    log.error("generation %s cannot be read back: %s", item.id, sentence(exc))
                    found = None
                self._journal.call(_answer, item.found, found)
            case _Stop():
                self._stopping = time.monotonic() + CLOSE_PATIENCE

    def _commit(self) -> None:
        now = time.monotonic()
        self._next = now + PACE
        begun: list[Begun] = []
        ended: list[Ended] = []
        pieces: list[bytes] = []
        new: list[tuple[_Log, bytes]] = []
        for about, entries in list(self._todo.items()):
            try:
                data = encode(entries)[1:-1]
            except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError) as exc:
                self._lose(about, f"What the model server sent cannot be written down: {str(exc)[:200]}.")
                continue
            new.append((about, data))
            if about not in self._logs:
                about.number = about.number or self._database.next_number()
                begun.append(Begun(about.number, about.id, about.label, about.about))
            if isinstance(entries[-1].event, Finished | Failed):
                whole = b"".join((about.data, b",", data)) if about.data else data
                ended.append(Ended(about.number, len(whole), time.time(), encode(entries[-1]), whole))
            else:
                pieces.append(b"[%d,[%b]]" % (about.number, data))
        hot = b"[" + b",".join(pieces) + b"]" if pieces else None
        try:
            self._database.write(begun, hot, ended, self._drops)
        except sqlite3.Error as exc:
            self._failed(exc, now)
            return
        self._succeeded(new, {row.log: row.size for row in ended})
        self._hot += len(hot or b"")
        if self._hot > self._enough:
            self._rewrite()
        if self._database.garbage:
            self._clean()

    def _succeeded(self, new: list[tuple[_Log, bytes]], ended: dict[int, int]) -> None:
        kept: list[tuple[Kept_, int]] = []
        sizes: list[tuple[str, int]] = []
        for about, data in new:
            if (tell := self._kept[about]) is not None:
                kept.append((tell, self._todo[about][-1].seq))
            if about.number in ended:
                self._logs.pop(about, None)
                sizes.append((about.id, ended[about.number] + len(about.about)))
            else:
                self._logs[about] = None
                if about.data:
                    about.data += b","
                about.data += data
        self._todo.clear()
        self._kept.clear()
        self._drops.clear()
        self._failing = None
        self._journal.problem = None
        self._journal.call(self._journal.committed, kept, sizes)

    def _failed(self, exc: sqlite3.Error, now: float) -> None:
        """It is all still there, and is tried again."""
        if self._failing is None:
            self._failing = now
            log.error("the journal cannot be written: %s (%s)", sentence(exc), exc)
        self._next = time.monotonic() + RETRY
        lasted = now - self._failing
        if not is_busy(exc) or lasted > UNNOTICED:
            self._journal.problem = sentence(exc)
        if lasted >= GIVE_UP:
            for about in [about for about, kept in self._kept.items() if kept is not None]:
                self._lose(about, sentence(exc))

    def _lose(self, about: _Log, why: str) -> None:
        del self._todo[about], self._kept[about]
        about.lost = True
        self._journal.call(about.tell, why)

    def _rewrite(self) -> None:
        """What runs, once more and in one place: then everything before is garbage."""
        try:
            self._database.rebase([b"[[%d,[%b]]]" % (about.number, bytes(about.data)) for about in self._logs if about.data])
            self._hot = 0
        except sqlite3.Error as exc:
            log.warning("the journal's file cannot be tidied up: %s", sentence(exc))
        self._enough = self._hot + HOT + 2 * sum(len(about.data) for about in self._logs)

    def _clean(self) -> None:
        try:
            self._database.delete_garbage()
        except sqlite3.Error as exc:
            log.warning("the journal's file cannot be tidied up: %s", sentence(exc))
            time.sleep(PACE)


def _answer(future: "asyncio.Future[tuple[bytes, list[Entry]] | None]", found: tuple[bytes, list[Entry]] | None) -> None:
    if not future.done():
        future.set_result(found)
