"""What waits to be kept, and the commits of the SQLite journal. It belongs to one thread at a time: who has it may use all of it.

Encoding happens here, for all logs of a commit at once: who appends only passes references.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from services.events import Entry, Failed, Finished
from services.generations.database import Begun, Database, Ended
from services.metrics.house import SHORT
from services.metrics.instruments import Counter, Family, Histogram

HOT = 8 << 20  # bytes of entries in `hot` before what runs is written anew, and the rest deleted
HEAVY = 256 << 10  # bytes from which a commit takes more than a moment
BULKY = 64 << 10  # bytes of a commit's new entries from which each of its logs may be the one they are of
SLICE = 4000  # entries encoded at once: other threads stand still meanwhile

Tell = Callable[[int], None]
Lost = Callable[["Log", str], None]
encode = msgspec.json.encode


class Log:
    """A log that runs. `entries` were committed, `waiting` are not, `size` is about what the former take; all these are the writer's own.

    `number` is its row, once it has one; it has `begun` when that is committed.
    """

    __slots__ = ("about", "begun", "entries", "id", "kept", "label", "lost", "number", "size", "tell", "waiting")

    def __init__(self, id: str, about: bytes, label: bytes, kept: Tell, tell: Callable[[str], None]) -> None:
        self.id = id
        self.about = about
        self.label = label
        self.kept = kept
        self.tell = tell
        self.lost = False
        self.begun = False
        self.number = 0
        self.size = 0
        self.entries: list[Entry] = []
        self.waiting: list[Entry] = []


class Committed(NamedTuple):
    """What is safe now: whom to tell which number, and the logs that have ended, with their bytes."""

    kept: list[tuple[Tell, int]]
    ended: list[tuple[str, int]]


class Writer:
    """`lost` is called with a log, and why, when its entries have to be given up."""

    def __init__(self, database: Database, lost: Lost) -> None:
        self._database = database
        self._lost = lost
        self._logs: dict[Log, None] = {}  # those that run
        self._todo: list[Log] = []  # those with something waiting
        self._drops: list[str] = []
        self._weight = 0  # bytes in the next commit besides its new entries
        self._hot = 0  # bytes in `hot` since it was written anew
        self._enough = HOT
        self._commits = Histogram("headrace_journal_commit_seconds", "Of each commit, until what is in it is safe.", SHORT)
        self._entries = Counter("headrace_journal_entries_total", "Entries that were kept.")

    @property
    def waits(self) -> bool:
        return bool(self._todo or self._drops)

    @property
    def heavy(self) -> bool:
        return self._weight > HEAVY

    @property
    def untidy(self) -> bool:
        """There is something for `tidy` to do."""
        return self._hot > self._enough or self._database.garbage

    def add(self, about: Log, entries: Sequence[Entry], end: bool = False) -> None:
        """Of a log that was lost only its `end` is taken."""
        if about.lost and not end:
            return
        if not about.waiting:
            self._todo.append(about)
            if not about.begun:
                self._weight += len(about.about)
        about.waiting += entries
        if type(entries[-1].event) in _ENDS:
            self._weight += about.size

    def drop(self, id: str) -> None:
        self._drops.append(id)

    def dropped(self, id: str) -> bool:
        return id in self._drops

    def commit(self) -> Committed:
        """Everything that waits. Raises sqlite3.Error; then it still waits."""
        try:
            hot, ended = self._encoded()
        except _UNSAYABLE:
            self._lose_unsayable()
            hot, ended = self._encoded()
        began = time.perf_counter()
        begun = [Begun(about.number, about.id, about.label, about.about) for about in self._todo if not about.begun]
        self._database.write(begun, hot, ended, self._drops)
        self._commits.see(time.perf_counter() - began)
        self._entries.add(by=sum([len(about.waiting) for about in self._todo]))
        return self._noted(len(hot or b""), {row.log: row.size for row in ended})

    def _encoded(self) -> tuple[bytes | None, list[Ended]]:
        """A row of `hot`, if there is something for it, and rows of `finished`."""
        running: list[tuple[int, list[Entry]]] = []
        ended: list[Ended] = []
        for about in self._todo:
            if not about.number:
                about.number = self._database.next_number()
            waiting = about.waiting
            if type(waiting[-1].event) in _ENDS:
                whole = _bare(about.entries + waiting)
                ended.append(Ended(about.number, len(whole), time.time(), encode(waiting[-1]), whole))
            else:
                running.append((about.number, waiting))
        return encode(running) if running else None, ended

    def _noted(self, hot: int, ended: dict[int, int]) -> Committed:
        committed = Committed([(about.kept, about.waiting[-1].seq) for about in self._todo if not about.lost], [])
        self._hot += hot
        share = hot if hot > BULKY else hot // len(self._todo or "-")
        for about in self._todo:
            if not about.begun:
                about.begun = True
                self._logs[about] = None
            if ended and about.number in ended:
                self._logs.pop(about, None)
                committed.ended.append((about.id, ended[about.number] + len(about.about)))
                about.entries.clear()
            else:
                about.entries += about.waiting
                about.size += share
            about.waiting.clear()
        self._todo.clear()
        self._drops.clear()
        self._weight = 0
        return committed

    def _lose_unsayable(self) -> None:
        for about in self._todo[:]:
            try:
                encode(about.waiting)
            except _UNSAYABLE as exc:
                self.lose(about, f"What the model server sent cannot be written down: {str(exc)[:200]}.")

    def lose(self, about: Log, why: str) -> None:
        self._todo.remove(about)
        about.waiting.clear()
        about.lost = True
        self._lost(about, why)

    def lose_all(self, why: str) -> None:
        """What waits of logs that run is given up; their ends, and what is to be dropped, wait on."""
        for about in [about for about in self._todo if not about.lost]:
            self.lose(about, why)

    def figures(self) -> list[Family]:
        return [self._commits.family(), self._entries.family()]

    def tidy(self) -> None:
        """What runs is written once more and in one place, then everything before it deleted, some at a time. Raises sqlite3.Error."""
        if self._hot > self._enough:
            try:
                self._database.rebase(b"[[%d,[%b]]]" % (about.number, _bare(about.entries)) for about in self._logs if about.entries)
                self._hot = 0
            finally:
                self._enough = self._hot + HOT + 2 * sum(about.size for about in self._logs)
        if self._database.garbage:
            self._database.delete_garbage()

    def left(self) -> int:
        """How many logs have something waiting."""
        return len(self._todo)


def _bare(entries: Sequence[Entry]) -> bytes:
    """As JSON, without the brackets around them."""
    return b",".join([encode(entries[start : start + SLICE])[1:-1] for start in range(0, len(entries), SLICE)])


_ENDS = (Finished, Failed)
_UNSAYABLE = (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError)
