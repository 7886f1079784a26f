"""A database that cannot be opened just now: whoever asks gets a sentence, until it can."""

import asyncio
import errno
import logging
import os
from pathlib import Path

import pytest

from services.chat import Chat
from services.errors import NotSaved
from services.generations.memory import MemoryJournal
from services.store import sqlite
from services.store.sql import SQLDatabase
from services.store.worker import Worker
from services.upstream.catalogue import Catalogue
from tests.store.test_sqlite import CONVERSATION, QUESTION


async def test_what_kept_a_database_from_being_opened_may_be_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its first import finds that the process may have no more files open, as others would."""
    path = tmp_path / "headrace.db"
    sqlite.begin(path)
    none_left = True

    def opened() -> SQLDatabase:
        if none_left:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return SQLDatabase(f"sqlite:///{path}")

    store = Worker(opened)
    chat = Chat(Catalogue([]), store, MemoryJournal())
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    with caplog.at_level(logging.ERROR):
        await chat.restore()
        while chat._tasks:
            await asyncio.gather(*chat._tasks)
    assert "what was thrown away earlier is not deleted yet: The database cannot be opened" in caplog.text
    with pytest.raises(NotSaved, match="Too many open files"):
        await store.create(CONVERSATION, [QUESTION])
    none_left = False
    await store.create(CONVERSATION, [QUESTION])
    assert [known.id for known in await store.list()] == ["c"]
    await chat.close()
    assert failures == []
