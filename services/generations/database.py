"""The file of the SQLite journal: its tables, what is read from them, and one method that writes. No threads, no event loop.

    logs      one row per log: its id, and what its generation was
    hot       one row per commit: the new entries of all logs that run, as [[log, [entry, ...]], ...]. No index: a commit
              touches the end of one table, however many logs take part. What runs is written anew now and then, and all
              before that deleted bit by bit: of an entry that is there twice the first one counts
    finished  one row per log that has ended: all its entries, at once
    gone      the ids of logs that were dropped
    meta      how often the file was opened

Measured on SQLite 3.40 with synchronous=NORMAL: whatever was committed survives the kill of the process. A power cut may take the
last commits along, never more; storage.synchronous = "full" closes that, at a fraction of the speed.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from services.errors import Interrupted, SettingsError
from services.events import Entry
from services.generations.journal import Kept
from services.generations.log import broken_off
from services.generations.problems import is_busy, sentence

NAME = "journal.db"
APPLICATION = 0x48656164  # "Head", in the header of the file
VERSION = 1
SCHEMA = """
    CREATE TABLE meta (opened INTEGER NOT NULL);
    CREATE TABLE logs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, label BLOB NOT NULL, about BLOB NOT NULL);
    CREATE TABLE hot (number INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE finished (
        number INTEGER PRIMARY KEY, log INTEGER NOT NULL UNIQUE, size INTEGER NOT NULL, ended REAL NOT NULL, last BLOB NOT NULL,
        entries BLOB NOT NULL
    );
    CREATE TABLE gone (number INTEGER PRIMARY KEY, id TEXT NOT NULL);
    INSERT INTO meta VALUES (0);
"""
GONE = 10_000  # ids of dropped logs that are remembered
ROWS = 100  # in one INSERT
SLICE = 200  # rows of garbage deleted at once
PAGE = 4096  # bytes
CHECKPOINT = 4000  # pages, 16 MB
START_PATIENCE = 3.0  # seconds to wait for another process at the start; it may be ending

_entries = msgspec.json.Decoder(list[Entry])
_pieces = msgspec.json.Decoder(list[tuple[int, msgspec.Raw]])


class Begun(NamedTuple):
    """A row of `logs`."""

    number: int
    id: str
    label: bytes
    about: bytes


class Ended(NamedTuple):
    """A row of `finished`; `entries` without the brackets around them."""

    log: int
    size: int
    ended: float
    last: bytes
    entries: bytes


class Database:
    """Raises SettingsError, in its constructor and in `recover`, when the file cannot be used; nothing is then changed in it."""

    def __init__(self, folder: Path, full: bool) -> None:
        self._file = folder / NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in (folder / "lock", self._file):
                os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives the files beside it the same mode
        except OSError as exc:
            raise SettingsError(f"{exc.filename or folder}: cannot be written: {exc.strerror}. {ELSEWHERE}") from exc
        self._lock = _locked(folder)
        try:
            self._db = sqlite3.connect(self._file, timeout=START_PATIENCE, isolation_level=None, check_same_thread=False)
            self._prepare(full)
        except sqlite3.Error as exc:
            self.close()
            raise self._unusable(exc) from exc
        except SettingsError:
            self.close()
            raise

    def _prepare(self, full: bool) -> None:
        application, version = self._one("PRAGMA application_id"), self._one("PRAGMA user_version")
        tables = self._one("SELECT count(*) FROM sqlite_schema")
        if tables and application != APPLICATION:
            raise SettingsError(f"{self._file}: this is a database of something else. {ELSEWHERE}")
        if version > VERSION:
            raise SettingsError(
                f"{self._file}: a newer Headrace has written this (version {version}, known here: {VERSION}). Use that one."
            )
        if self._one("PRAGMA journal_mode = WAL") != "wal":
            raise SettingsError(f"{self._file}: its file system does not take SQLite's write-ahead log. {ELSEWHERE}")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
        self._db.execute("PRAGMA wal_autocheckpoint = 0")  # `checkpoint`: it waits for the disk
        self._db.execute("PRAGMA journal_size_limit = 67108864")
        with _Transaction(self._db):
            if not tables:
                for statement in SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {VERSION}")
            self._db.execute("UPDATE meta SET opened = opened + 1")  # shows that the file can be written
        self._row: int = self._one("SELECT ifnull(max(number), 0) FROM hot") + 1
        self._base = 0  # rows of `hot` before this one are garbage
        self._deleted = 0  # and are deleted already before this one
        self._number: int = self._one("SELECT ifnull(max(number), 0) FROM logs")
        self._db.execute("PRAGMA busy_timeout = 0")  # who writes has other ways to wait
        self._pages = 0  # in SQLite's log since it began anew, about

    def next_number(self) -> int:
        """Of a log."""
        self._number += 1
        return self._number

    # Reading

    def recover(self) -> list[str]:
        """Finish every log that an earlier process left open, in one transaction: a kill in the middle changes nothing."""
        try:
            with _Transaction(self._db):
                left = self._db.execute("SELECT number, id FROM logs WHERE number NOT IN (SELECT log FROM finished)").fetchall()
                told = self._left({number for number, _ in left})
                interrupted = Interrupted("Headrace ended while this reply was running.").event()
                now = time.time()
                ended = []
                for number, _ in left:
                    entries = told[number]
                    entries += broken_off(entries, interrupted)
                    data = msgspec.json.encode(entries)[1:-1]
                    ended.append(Ended(number, len(data), now, msgspec.json.encode(entries[-1]), data))
                self._write([], None, ended, [])
            self._base = self._row
        except (sqlite3.Error, msgspec.DecodeError) as exc:
            raise self._unusable(exc) from exc
        return [id for _, id in left]

    def _left(self, logs: set[int]) -> dict[int, list[Entry]]:
        """The entries of these logs in `hot`: each once, without gaps."""
        data: dict[int, list[bytes]] = {number: [] for number in logs}
        for (row,) in self._db.execute("SELECT data FROM hot ORDER BY number"):
            for number, raw in _pieces.decode(row):
                if number in data:
                    data[number].append(bytes(raw)[1:-1])
        told: dict[int, list[Entry]] = {}
        for number, pieces in data.items():
            kept = told[number] = []
            for entry in _entries.decode(b"[" + b",".join(pieces) + b"]"):
                if entry.seq == len(kept) + 1:
                    kept.append(entry)
        return told

    def recent(self) -> list[tuple[Kept, int]]:
        """Finished logs, and the bytes that each takes."""
        rows = self._db.execute(
            "SELECT id, label, last, ended, size + length(about) FROM finished JOIN logs ON logs.number = log ORDER BY finished.number"
        )
        return [(Kept(id, label, msgspec.json.decode(last, type=Entry), ended), size) for id, label, last, ended, size in rows]

    def gone(self) -> list[str]:
        return [id for (id,) in self._db.execute("SELECT id FROM gone ORDER BY number")]

    def recall(self, id: str) -> tuple[bytes, list[Entry]] | None:
        """Raises sqlite3.Error, and msgspec.DecodeError for what is damaged."""
        row = self._db.execute("SELECT about, entries FROM finished JOIN logs ON logs.number = log WHERE id = ?", (id,)).fetchone()
        return (row[0], _entries.decode(b"[" + row[1] + b"]")) if row else None

    # Writing

    def write(self, begun: Sequence[Begun], hot: bytes | None, ended: Sequence[Ended], dropped: Sequence[str]) -> None:
        """One commit. Raises sqlite3.Error; then nothing of it is there.

        Every call into SQLite gives the interpreter's lock away and may wait for it afterwards: the common case is one call.
        """
        if hot is not None and not (begun or ended or dropped):
            self._db.execute("INSERT INTO hot VALUES (?, ?)", (self._row, hot))
            self._row += 1
            self._pages += 2 + len(hot) // PAGE
            return
        with _Transaction(self._db):
            self._write(begun, hot, ended, dropped)
        self._pages += 4 + (len(hot or b"") + sum(len(row.about) for row in begun) + sum(row.size for row in ended)) // PAGE

    def _write(self, begun: Sequence[Begun], hot: bytes | None, ended: Sequence[Ended], dropped: Sequence[str]) -> None:
        self._insert("logs (number, id, label, about)", begun)
        if hot is not None:
            self._insert("hot (number, data)", [(self._row, hot)])
            self._row += 1
        self._insert("finished (log, size, ended, last, entries)", ended)
        for id in dropped:
            self._db.execute("DELETE FROM finished WHERE log = (SELECT number FROM logs WHERE id = ?)", (id,))
            self._db.execute("DELETE FROM logs WHERE id = ?", (id,))
        if dropped:
            self._insert("gone (id)", [(id,) for id in dropped])
            self._db.execute("DELETE FROM gone WHERE number <= (SELECT max(number) FROM gone) - ?", (GONE,))

    def _insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            values = ", ".join(["(" + ", ".join("?" * len(some[0])) + ")"] * len(some))
            self._db.execute(f"INSERT INTO {table} VALUES {values}", [value for row in some for value in row])

    def rebase(self, running: Iterable[bytes]) -> None:
        """Write what the running logs have so far anew, as rows of `hot`, and make garbage of everything before. Raises sqlite3.Error."""
        base = self._row
        with _Transaction(self._db):
            for data in running:
                self._insert("hot (number, data)", [(self._row, data)])
                self._row += 1
                self._pages += 2 + len(data) // PAGE
        self._base = base  # not before it is committed: what lies before it is deleted

    @property
    def garbage(self) -> bool:
        return self._deleted < self._base

    def delete_garbage(self) -> None:
        """Some of it. Raises sqlite3.Error."""
        first = self._one("SELECT min(number) FROM hot")
        end = self._base if first is None else min(self._base, first + SLICE)
        self._db.execute("DELETE FROM hot WHERE number < ?", (end,))
        self._deleted = end

    # SQLite's own log, beside the file: it is brought into the file, synced, and begun anew

    @property
    def long(self) -> bool:
        """It is time for a checkpoint."""
        return self._pages > CHECKPOINT

    def checkpoint(self) -> None:
        """Most of it, from any thread: commits go on meanwhile."""
        self._pages = 0
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._file, timeout=0.0)) as other:
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def finish_checkpoint(self) -> None:
        """What has come since. Whatever hinders it now will be no hindrance for the next one."""
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        for connection in (getattr(self, "_db", None), self._lock):
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()

    def _one(self, query: str) -> Any:
        return self._db.execute(query).fetchone()[0]

    def _unusable(self, exc: Exception) -> SettingsError:
        return SettingsError(f"{self._file}: {sentence(exc)} Nothing was changed in it. {ELSEWHERE}")


ELSEWHERE = "Put it right, or choose another place: --storage.folder FOLDER"


def _locked(folder: Path) -> sqlite3.Connection:
    """A lock for as long as this process lives, by SQLite's own means, which every system has. Raises SettingsError."""
    lock = sqlite3.connect(folder / "lock", timeout=START_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("PRAGMA journal_mode = MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as exc:
        lock.close()
        if is_busy(exc):
            raise SettingsError(
                f"{folder}: another Headrace is using this folder. End it, or choose another one: --storage.folder FOLDER"
            ) from exc
        raise SettingsError(f"{folder / 'lock'}: {sentence(exc)} {ELSEWHERE}") from exc
    return lock


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
