"""A store that cannot be read for a while."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from services.store.sql import SQLDatabase
from services.store.store import Store
from services.store.worker import Worker


async def connection(store: Store) -> sqlite3.Connection:
    """That of a store in SQLite, once it is open."""
    await store.list()
    assert isinstance(store, Worker)
    database = store._database()
    assert isinstance(database, SQLDatabase)
    found = database._engine.raw_connection().driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


@contextmanager
def unreadable(table: str, column: str, database: sqlite3.Connection) -> Iterator[None]:
    """What is in it can be replaced all the same, as after a connection that broke for a moment."""

    def judge(action: int, name: str | None, of: str | None, *_: str | None) -> int:
        return sqlite3.SQLITE_DENY if (action, name, of) == (sqlite3.SQLITE_READ, table, column) else sqlite3.SQLITE_OK

    database.set_authorizer(judge)
    yield
    database.set_authorizer(None)
