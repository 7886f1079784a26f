"""The thread of the SQLite journal: what takes more than a moment, and everything while the database cannot be written.

It has the writer while it has work, and gives it back when there is none left. What cannot be written is kept and tried again. After
GIVE_UP seconds the logs that wait are told that they are lost, which ends them; their ends wait on, so it is also noticed when there
is room again. It may not touch the event loop.
"""

import asyncio
import logging
import queue
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from services.events import Entry
from services.generations.database import Database
from services.generations.problems import is_busy, sentence
from services.generations.writer import Committed, Log, Writer

log = logging.getLogger(__name__)

PACE = 0.0025  # seconds between the beginnings of two commits
RETRY = 0.5  # seconds until what failed is tried again
BRIEFLY = 0.02  # the same, where another program holds the database for a moment
UNNOTICED = 1.5  # seconds that another program may hold the database before anybody is told
GIVE_UP = 4.0  # seconds until the logs that wait are ended
CLOSE_PATIENCE = 2.0  # seconds that the last commit may take at the end

Append = tuple[Log, Sequence[Entry], bool]  # whether they are the end of one that was lost


class Drop:
    def __init__(self, id: str) -> None:
        self.id = id


class Recall:
    def __init__(self, id: str, found: "asyncio.Future[tuple[bytes, list[Entry]] | None]") -> None:
        self.id = id
        self.found = found


class Work:
    """Commit what the writer has, and tidy up."""


class Checkpoint:
    """Let the file's log begin anew."""


class Stop:
    pass


Item = Append | Drop | Recall | Work | Checkpoint | Stop


class Loop(Protocol):
    """What the thread tells. `problem` may be set from any thread; `call` calls on the event loop."""

    problem: str | None

    def call(self, function: Callable[..., None], *values: object) -> None: ...

    def committed(self, committed: Committed) -> None: ...

    def returned(self, items: int) -> None:
        """So many items are done, and the writer is the loop's, unless there are others."""


class Thread:
    """`run` is what the thread does; it returns after a Stop."""

    def __init__(self, database: Database, writer: Writer, waiting: "queue.SimpleQueue[Item]", journal: Loop) -> None:
        self._database = database
        self._writer = writer
        self._queue = waiting
        self._journal = journal
        self._taken = 0  # items since the writer was given back
        self._stopping: float | None = None
        self._failing: float | None = None  # since when
        self._next = 0.0  # when the next commit may begin

    def run(self) -> None:
        while True:
            try:
                self._work()
                return
            except Exception:  # a thread that dies would hang every stream
                log.exception("the journal's thread failed")
                self._journal.problem = "Headrace's journal has failed. Its log has the details."
                self._writer.lose_all(self._journal.problem)
                self._failing = self._failing or time.monotonic()
                self._next = time.monotonic() + RETRY

    def _work(self) -> None:
        while self._stopping is None or self._writer.waits:
            self._take()
            if self._failing is None and not self._writer.waits:
                if self._writer.untidy and self._taken:
                    self._tidy()
                continue
            rest = self._next - time.monotonic()
            if rest > 0 and self._failing is None:
                time.sleep(rest)
                continue  # for what came meanwhile
            if rest <= 0:
                self._commit()
            if self._stopping is not None and self._failing is not None and time.monotonic() > self._stopping:
                log.error("the last entries of %d replies could not be kept: %s", self._writer.left(), self._journal.problem)
                return

    def _take(self) -> None:
        """Everything that is there. Without anything else to do it gives the writer back, and waits."""
        timeout: float | None = 0.0
        if self._failing is not None:
            timeout = max(0.001, self._next - time.monotonic())
        elif not self._writer.waits and not (self._taken and self._writer.untidy):
            if self._taken:
                self._journal.call(self._journal.returned, self._taken)
                self._taken = 0
            timeout = None
        try:
            item = self._queue.get(timeout != 0.0, timeout)
            while True:
                self._taken += 1
                if type(item) is tuple:
                    self._writer.add(*item)
                else:
                    self._do(item)
                item = self._queue.get_nowait()
        except queue.Empty:
            pass

    def _do(self, item: object) -> None:
        match item:
            case Drop(id=id):
                self._writer.drop(id)
            case Recall():
                try:
                    found = None if self._writer.dropped(item.id) else self._database.recall(item.id)
                except (sqlite3.Error, msgspec.DecodeError) as exc:
                    log.error("generation %s cannot be read back: %s", item.id, sentence(exc))
                    found = None
                self._journal.call(_answer, item.found, found)
            case Checkpoint():
                self._database.finish_checkpoint()
            case Stop():
                self._stopping = time.monotonic() + CLOSE_PATIENCE

    def _commit(self) -> None:
        now = time.monotonic()
        self._next = now + PACE
        try:
            committed = self._writer.commit()
        except sqlite3.Error as exc:
            self._failed(exc, now)
            return
        self._failing = None
        self._journal.problem = None
        self._journal.call(self._journal.committed, committed)
        if self._writer.untidy:
            self._tidy()

    def _failed(self, exc: sqlite3.Error, now: float) -> None:
        """It is all still there, and is tried again."""
        if self._failing is None:
            self._failing = now
            if not is_busy(exc):
                log.error("the journal cannot be written: %s (%s)", sentence(exc), exc)
        lasted = now - self._failing
        self._next = time.monotonic() + (BRIEFLY if is_busy(exc) and lasted < UNNOTICED else RETRY)
        if not is_busy(exc) or lasted > UNNOTICED:
            self._journal.problem = sentence(exc)
        if lasted >= GIVE_UP:
            self._writer.lose_all(sentence(exc))

    def _tidy(self) -> None:
        try:
            self._writer.tidy()
        except sqlite3.Error as exc:
            log.warning("the journal's file cannot be tidied up: %s", sentence(exc))
            time.sleep(PACE)


def _answer(future: "asyncio.Future[tuple[bytes, list[Entry]] | None]", found: tuple[bytes, list[Entry]] | None) -> None:
    if not future.done():
        future.set_result(found)
