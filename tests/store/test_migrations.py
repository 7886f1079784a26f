"""The shape of the database: new, brought up to date from every older one, twice, by two at once, and killed on the way."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.conversations import Conversation, Node
from services.errors import SettingsError
from services.messages import Message, Text
from services.store import open_store, sqlite
from services.store.migrations import REVISIONS
from services.store.sql import engine
from services.store.tables import metadata
from services.store.upgrade import FOLDER, upgrade
from tests.serving import ROOT
from tests.store.conftest import POSTGRESQL, emptied

URL = "sqlite:///data/headrace.db"
LAST = REVISIONS[-1]
BODY = b'{"v":1,"message":{"role":"user","parts":[{"type":"text","text":"Hello"}]}}'


def shape(file: Path) -> set[tuple[str, str, str]]:
    """Everything there is, but for how its statement was typed."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {
        (kind, name, " ".join(sql.replace("IF NOT EXISTS ", "").replace("(", "( ").replace(")", " )").split())) for kind, name, sql in found
    }


def revision(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def older(home: Path, to: str) -> Path:
    """A database as an older Headrace left it, with a conversation in it."""
    file = home / "data" / "headrace.db"
    file.parent.mkdir(parents=True)
    upgrade(f"sqlite:///{file}", to)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO conversations (id, title, model, shown, created, updated) VALUES ('c', 'The mill', 'm', 'q', 1.0, 2.0)"
        )
        connection.execute("INSERT INTO nodes (id, conversation, body) VALUES ('q', 'c', ?)", [BODY])
    return file


async def expect_conversation(home: Path) -> None:
    store = open_store(URL, home)
    assert await store.list() == [Conversation("c", "The mill", 1.0, 2.0, "m", "q")]
    assert await store.nodes("c") == [Node("q", None, Message("user", (Text("Hello"),)))]
    await store.prefer("ada", "theme", "dark")
    await store.close()


def test_the_revisions_are_those_that_alembic_finds() -> None:
    found = [script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()]
    assert list(REVISIONS) == found[::-1]


def test_a_new_database_is_what_the_migrations_make(tmp_path: Path) -> None:
    sqlite.begin(new := tmp_path / "new.db")
    sqlite.begin(new)  # twice is once
    upgrade(f"sqlite:///{tmp_path / 'migrated.db'}")
    assert shape(new) == shape(tmp_path / "migrated.db")
    assert revision(new) == revision(tmp_path / "migrated.db") == LAST


@pytest.mark.parametrize("url", ["sqlite:///{}/migrated.db", *([POSTGRESQL] if POSTGRESQL else [])], ids=lambda url: url.partition(":")[0])
def test_the_migrations_make_the_tables_that_the_statements_mean(tmp_path: Path, url: str) -> None:
    url = emptied(url.format(tmp_path))
    upgrade(url)
    upgrade(url)
    made = engine(url)
    with made.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    made.dispose()


@pytest.mark.parametrize("start", REVISIONS[:-1])
async def test_an_older_database_is_saved_and_brought_up_to_date(tmp_path: Path, start: str) -> None:
    file = older(tmp_path, start)
    await expect_conversation(tmp_path)
    assert revision(file) == LAST
    (backup,) = (file.parent / "backup").iterdir()
    assert backup.name.startswith(f"headrace-{start}-")
    assert (backup.stat().st_mode & 0o777, backup.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert revision(backup) == start
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT body FROM nodes").fetchall() == [(BODY,)]
    await expect_conversation(tmp_path)
    assert list((file.parent / "backup").iterdir()) == [backup]


async def test_a_database_that_cannot_be_saved_is_not_changed(tmp_path: Path) -> None:
    file = older(tmp_path, "0001")
    (file.parent / "backup").touch()
    with pytest.raises(SettingsError, match="cannot be saved"):
        open_store(URL, tmp_path)
    assert revision(file) == "0001"


DYING = """
import os, sys, signal
from pathlib import Path
from sqlalchemy import Engine, event
import services.store.upgrade
from services.store import open_store, sqlite

left = int(sys.argv[2])

def die(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, "before_cursor_execute", die)
event.listen(Engine, "commit", die)
save = sqlite.save
sqlite.save = lambda *given: (die(), save(*given), die())[1]
open_store("sqlite:///data/headrace.db", Path(sys.argv[1]))
os._exit(0)
"""


async def test_killed_before_any_statement_it_starts_again(tmp_path: Path) -> None:
    deaths = 0
    for moment in range(100):
        home = tmp_path / str(moment)
        file = older(home, "0001")
        done = subprocess.run([sys.executable, "-c", DYING, str(home), str(moment)], cwd=ROOT, check=False)  # noqa: ASYNC221
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        deaths += 1
        assert revision(file) == "0001"
        await expect_conversation(home)
        assert revision(file) == LAST
    assert deaths >= 5


def test_two_at_once_do_it_once(tmp_path: Path) -> None:
    file = older(tmp_path, "0001")
    code = f"from pathlib import Path; from services.store import open_store; open_store({URL!r}, Path({str(tmp_path)!r})); print(1)"
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in both] == ["1\n", "1\n"]
    assert revision(file) == LAST
