"""Conversations: what was asked and answered, as a tree. The only SQL but for the journal's.

    store.py        the contract
    memory.py       the store of throw-away use: nothing outlives the process
    worker.py       a database in threads of its own
    tables.py       the tables, for SQLite and PostgreSQL
    sql.py          the statements, for both
    problems.py     what is wrong with the database, for people
    index.py        the words of all messages, to be found quickly
    finding.py      what a search means, and what it shows: the same in all stores
    rows.py         a node as JSON with the version of its shape
    sqlite.py       the file: made, looked over, saved before it is changed
    new.sql         a new SQLite database
    postgresql.py   the other database, reached
    upgrade.py      migrations/, run when the stored revision is not the last

A store of another kind is one file that implements `Store` and a line in STORES, by its URL's scheme; the tests of this room run on all.
"""

import importlib
from collections.abc import Callable
from pathlib import Path

from services.store import sqlite
from services.store.memory import MemoryStore
from services.store.migrations import REVISIONS
from services.store.store import Store
from services.store.worker import Worker

SQLITE = "sqlite:///"
CONNECTIONS = 4  # to PostgreSQL


def open_store(url: str, home: Path) -> Store:
    """The store that `storage.database` names, its shape brought up to date; a relative path is meant from `home`.

    Raises SettingsError when it cannot be used.
    """
    return STORES[url.partition(":")[0]](url, home)


def _memory(url: str = "memory", home: Path = Path()) -> Store:
    return MemoryStore()


def _sqlite(url: str, home: Path) -> Store:
    path = home / url.removeprefix(SQLITE)
    revision = sqlite.prepare(path)
    if revision is None:
        sqlite.begin(path)
    elif revision != REVISIONS[-1]:
        sqlite.save(path, revision)
        # By name, because these imports take as long as all the rest of a start.
        importlib.import_module("services.store.upgrade").upgrade(f"{SQLITE}{path}")
    return Worker(lambda: importlib.import_module("services.store.sql").SQLDatabase(f"{SQLITE}{path}"))


def _postgresql(url: str, home: Path) -> Store:
    importlib.import_module("services.store.postgresql").prepare(url)
    return Worker(lambda: importlib.import_module("services.store.sql").SQLDatabase(url), CONNECTIONS)


STORES: dict[str, Callable[..., Store]] = {"memory": _memory, "sqlite": _sqlite, "postgresql": _postgresql}
