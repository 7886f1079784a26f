"""What waits to be kept, and the commits of the SQLite journal. It belongs to one thread at a time: who has it may use all of it.

Encoding happens here: who appends only passes references.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from services.events import Entry, Failed, Finished
from services.generations.database import Begun, Database, Ended

HOT = 8 << 20  # bytes of entries in `hot` before what runs is written anew, and the rest deleted
HEAVY = 256 << 10  # bytes from which a commit takes more than a moment

Tell = Callable[[int], None]
Lost = Callable[["Log", str], None]
encode = msgspec.json.encode


class Log:
    """A log that runs. `data` is what was committed of it, `number` its row once it has begun to be; the writer's own."""

    __slots__ = ("about", "data", "id", "label", "lost", "number", "tell")

    def __init__(self, id: str, about: bytes, label: bytes, tell: Callable[[str], None]) -> None:
        self.id = id
        self.about = about
        self.label = label
        self.tell = tell
        self.lost = False
        self.number = 0
        self.data = bytearray()


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
        self._todo: dict[Log, list[Entry]] = {}
        self._kept: dict[Log, Tell | None] = {}
        self._drops: list[str] = []
        self._weight = 0  # bytes in the next commit besides its new entries
        self._hot = 0  # bytes in `hot` since it was written anew
        self._enough = HOT

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

    def add(self, about: Log, entries: Sequence[Entry], kept: Tell | None) -> None:
        """`kept` is None for the end of a log that was lost."""
        if about.lost and kept is not None:
            return
        if about in self._todo:
            self._todo[about] += entries
        else:
            self._todo[about] = list(entries)
            if not about.number:
                self._weight += len(about.about)
        if type(entries[-1].event) in _ENDS:
            self._weight += len(about.data)
        self._kept[about] = kept

    def drop(self, id: str) -> None:
        self._drops.append(id)

    def dropped(self, id: str) -> bool:
        return id in self._drops

    def commit(self) -> Committed:
        """Everything that waits. Raises sqlite3.Error; then it still waits."""
        begun: list[Begun] = []
        ended: list[Ended] = []
        pieces: list[bytes] = []
        new: list[tuple[Log, bytes]] = []
        unsayable: list[tuple[Log, str]] = []
        for about, entries in self._todo.items():
            try:
                data = encode(entries)[1:-1]
            except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError) as exc:
                unsayable.append((about, f"What the model server sent cannot be written down: {str(exc)[:200]}."))
                continue
            new.append((about, data))
            if about not in self._logs:
                about.number = about.number or self._database.next_number()
                begun.append(Begun(about.number, about.id, about.label, about.about))
            if type(entries[-1].event) in _ENDS:
                whole = b"".join((about.data, b",", data)) if about.data else data
                ended.append(Ended(about.number, len(whole), time.time(), encode(entries[-1]), whole))
            else:
                pieces.append(b"[%d,[%b]]" % (about.number, data))
        for about, why in unsayable:
            self.lose(about, why)
        hot = b"[" + b",".join(pieces) + b"]" if pieces else None
        self._database.write(begun, hot, ended, self._drops)
        self._hot += len(hot or b"")
        return self._noted(new, {row.log: row.size for row in ended})

    def _noted(self, new: list[tuple[Log, bytes]], ended: dict[int, int]) -> Committed:
        committed = Committed([], [])
        for about, data in new:
            if (tell := self._kept[about]) is not None:
                committed.kept.append((tell, self._todo[about][-1].seq))
            if about.number in ended:
                self._logs.pop(about, None)
                committed.ended.append((about.id, ended[about.number] + len(about.about)))
            else:
                self._logs[about] = None
                if about.data:
                    about.data += b","
                about.data += data
        self._todo.clear()
        self._kept.clear()
        self._drops.clear()
        self._weight = 0
        return committed

    def lose(self, about: Log, why: str) -> None:
        del self._todo[about], self._kept[about]
        about.lost = True
        self._lost(about, why)

    def lose_all(self, why: str) -> None:
        """What waits of logs that run is given up; their ends, and what is to be dropped, wait on."""
        for about in [about for about, kept in self._kept.items() if kept is not None]:
            self.lose(about, why)

    def tidy(self) -> None:
        """What runs is written once more and in one place, then everything before it deleted, some at a time. Raises sqlite3.Error."""
        if self._hot > self._enough:
            try:
                self._database.rebase([b"[[%d,[%b]]]" % (about.number, bytes(about.data)) for about in self._logs if about.data])
                self._hot = 0
            finally:
                self._enough = self._hot + HOT + 2 * sum(len(about.data) for about in self._logs)
        if self._database.garbage:
            self._database.delete_garbage()

    def left(self) -> int:
        """How many logs have something waiting."""
        return len(self._todo)


_ENDS = (Finished, Failed)
