"""The file of an SQLite database, before anybody uses it: made so that others cannot read it, looked over, saved before it is changed.

Every reason not to start is a SettingsError. A file that is missing where there was one, damaged, or newer than this Headrace is left
alone: what it needs is a person. Nothing here imports SQLAlchemy, so that a start is quick.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from services.errors import SettingsError
from services.store.migrations import REVISIONS

NEW = Path(__file__).with_name("new.sql")
BUSY = 5.0  # seconds that another process may hold the database
LARGE = 200_000_000  # bytes; a larger file that was closed well is not read through at every start


def prepare(path: Path) -> str | None:
    """The revision of the database, None when there is none yet. Makes the folder (0700) and the file (0600)."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _refuse_to_replace(path)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as exc:
        raise SettingsError(f"storage.database: {path} cannot be made: {exc.strerror}.") from exc
    try:
        with closing(_open(path)) as connection:
            revision = _look(connection, _is_small(path) or _wal(path).exists())
    except sqlite3.Error as exc:
        raise _unusable(path, str(exc)) from exc
    if revision and revision not in REVISIONS:
        raise SettingsError(
            f"storage.database: {path} was written by a newer Headrace (revision {revision[:40]!r}; this one knows up to {REVISIONS[-1]}). "
            f"Use that one, or another database.{_newest_backup(path)}"
        )
    return revision


def begin(path: Path) -> None:
    """A new database at the last revision, in one transaction: what the migrations make, without the second that they take."""
    try:
        with closing(_open(path)) as connection:
            connection.executescript(NEW.read_text("utf-8"))
    except sqlite3.Error as exc:
        raise _unusable(path, str(exc)) from exc


def save(path: Path, revision: str) -> Path:
    """A copy of the database in backup/ beside it, complete under its name or not there at all. Others may go on using the original."""
    folder = path.parent / "backup"
    copy = folder / f"{path.stem}-{revision}-{time.strftime('%Y%m%d-%H%M%S')}.db"
    part = copy.with_suffix(f".{os.getpid()}.part")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_open(path)) as source, closing(_open(part)) as target:
            source.backup(target)
        part.replace(copy)
    except (OSError, sqlite3.Error) as exc:
        raise SettingsError(f"storage.database: {path} cannot be saved to {folder} before it is brought up to date: {exc}.") from exc
    return copy


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY, isolation_level=None)


def _look(connection: sqlite3.Connection, through: bool) -> str | None:
    connection.execute("BEGIN IMMEDIATE")  # raises if it may not be written
    connection.execute("ROLLBACK")
    if through and (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(str(found).replace("\n", " ")[:200])
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise sqlite3.DatabaseError("it has tables, and they are not Headrace's")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _is_small(path: Path) -> bool:
    return path.stat().st_size <= LARGE


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _refuse_to_replace(path: Path) -> None:
    """A database that was there and is not any more is not silently begun anew."""
    if _wal(path).exists():
        raise SettingsError(f"storage.database: {path} is missing, but its journal {_wal(path)} is there. Put both back, or move it away.")
    if backup := _newest_backup(path):
        raise SettingsError(f"storage.database: {path} is missing.{backup} To begin anew instead, move the backup away.")


def _newest_backup(path: Path) -> str:
    copies = sorted((path.parent / "backup").glob(f"{path.stem}-*.db"), key=lambda copy: copy.stat().st_mtime)
    return f" The newest backup is {copies[-1]}: to use it, copy it to {path}." if copies else ""


def _unusable(path: Path, reason: str) -> SettingsError:
    match reason:
        case "database is locked":
            return SettingsError(f"storage.database: {path} is held by another program; this one waited {BUSY:g} s for it.")
        case "attempt to write a readonly database" | "unable to open database file":
            return SettingsError(f"storage.database: {path} cannot be written: {reason}.")
    return SettingsError(
        f"storage.database: {path} cannot be used: {reason}. It was left as it is.{_newest_backup(path)} "
        "To begin anew, move the file away, with those beside it that begin with its name."
    )
