"""Network reads, events and writes on one clock, in rows: what came in one read, what it meant, and what was written because of it.

    timeline = Timeline()
    timeline.grow(record, entries)      takes what is new since the last time; the work is that of what is new
    timeline.rows[n]                    which reads, entries and writes are in a row

A row begins with each read, and where nothing happened for APART ms before.
"""

from collections.abc import Sequence
from heapq import merge
from typing import Literal, NamedTuple

from services.events import Entry
from services.record.record import Record

APART = 3.0  # ms: what one read sets off is over within them, unless the journal's disk is slow
BUSY = 100.0  # ms

Note = Literal["asked", "answered", "closed"]


class Piece(NamedTuple):
    """The read number `at` of an exchange or the write number `at` of a reader; both are meant by their numbers."""

    of: int
    at: int


class Row:
    """`at` in ms; `gap` from the row before; `last` is when the last thing in it happened."""

    __slots__ = ("at", "entries", "gap", "last", "notes", "reads", "writes")

    def __init__(self, at: float, gap: float) -> None:
        self.at = self.last = at
        self.gap = gap
        self.notes: list[tuple[Note, int]] = []  # what happened to an exchange, by its number
        self.reads: list[Piece] = []
        self.entries: list[int] = []  # places in the log
        self.writes: list[Piece] = []


_Item = tuple[float, int, int, int]  # when; what: a note, _READ, _ENTRY or _WRITE; of, at


class Timeline:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._entries = 0
        self._reads: list[int] = []  # how many of each exchange are in rows
        self._writes: list[int] = []
        self._noted: set[tuple[Note, int]] = set()

    def grow(self, record: Record | None, entries: Sequence[Entry]) -> int | None:
        """Returns the number of the first row that is another one than before; None when there is nothing new."""
        before = max(0, len(self.rows) - 1)
        new = [self._new_entries(entries)]
        if record is not None and not record.dropped:
            new += [self._new_notes(record), *self._new_reads(record), *self._new_writes(record)]
        for item in merge(*new):
            self._put(item)
        return before if any(new) else None

    def _put(self, item: _Item) -> None:
        at, kind, of, number = item
        row = self.rows[-1] if self.rows else None
        if row is None or kind == _READ or at - row.last > _apart(kind, row) or (kind < _READ and (row.reads or row.entries)):
            row = Row(at, at - row.at if row else 0.0)
            self.rows.append(row)
        row.last = at
        if kind == _READ:
            row.reads.append(Piece(of, number))
        elif kind == _ENTRY:
            row.entries.append(number)
        elif kind == _WRITE:
            row.writes.append(Piece(of, number))
        else:
            row.notes.append((_NOTES[kind], of))

    def _new_entries(self, entries: Sequence[Entry]) -> list[_Item]:
        start, self._entries = self._entries, len(entries)
        return [(entry.at, _ENTRY, 0, number) for number, entry in enumerate(entries[start:], start)]

    def _new_notes(self, record: Record) -> list[_Item]:
        found: list[_Item] = []
        for number, exchange in enumerate(record.exchanges):
            for kind, moment in enumerate((exchange.asked, exchange.answered_at, exchange.closed_at)):
                if moment is not None and (_NOTES[kind], number) not in self._noted:
                    self._noted.add((_NOTES[kind], number))
                    found.append((record.ms(moment), kind, number, 0))
        return sorted(found)

    def _new_reads(self, record: Record) -> list[list[_Item]]:
        self._reads += [0] * (len(record.exchanges) - len(self._reads))
        found = []
        for number, exchange in enumerate(record.exchanges):
            start, end = self._reads[number], len(exchange.reads)
            self._reads[number] = end
            found.append([(exchange.reads.ms(at), _READ, number, at) for at in range(start, end)])
        return found

    def _new_writes(self, record: Record) -> list[list[_Item]]:
        self._writes += [0] * (len(record.readers) - len(self._writes))
        found = []
        for number, reader in enumerate(record.readers):
            start, end = self._writes[number], len(reader.entries)
            self._writes[number] = end
            found.append([(reader.writes.ms(at), _WRITE, number, at) for at in range(start, end)])
        return found


def _apart(kind: int, row: Row) -> float:
    """The first event after a read is what it meant, even if the machine was busy in between."""
    return BUSY if kind == _ENTRY and row.reads and not row.entries else APART


_NOTES: tuple[Note, ...] = ("asked", "answered", "closed")
_READ, _ENTRY, _WRITE = 3, 4, 5  # in the order in which things of one moment happen
