"""The database's file: who may read it, what is refused at the start, and what a spoiled row does."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from services.conversations import Conversation, Node
from services.errors import NotSaved, SettingsError
from services.messages import Message, Text
from services.store import open_store
from tests.serving import ROOT

URL = "sqlite:///data/headrace.db"
CONVERSATION = Conversation("c", "The mill", 1.0, 2.0, "m")
QUESTION = Node("q", None, Message("user", (Text("Hello"),)))


async def filled(home: Path) -> Path:
    """A database with one conversation, closed well; its file."""
    store = open_store(URL, home)
    await store.create(CONVERSATION, [QUESTION])
    await store.close()
    return home / "data" / "headrace.db"


def tamper(file: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement, values)


def refusal(home: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        open_store(URL, home)
    return str(caught.value)


def run(*command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False, timeout=60)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(URL, tmp_path)
        await store.create(CONVERSATION)
        assert mode(tmp_path / "data") == 0o700
        files = list((tmp_path / "data").iterdir())
        assert {file.name for file in files} == {"headrace.db", "headrace.db-wal", "headrace.db-shm"}
        assert {mode(file) for file in files} == {0o600}
        await store.close()
    finally:
        os.umask(before)


async def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    await filled(tmp_path)
    store = open_store(URL, tmp_path)
    assert await store.get("c") == CONVERSATION
    assert await store.nodes("c") == [QUESTION]
    await store.close()


async def test_a_start_imports_neither_sqlalchemy_nor_alembic_before_it_must(tmp_path: Path) -> None:
    """The store's thread imports the first; Alembic only comes with a migration."""
    code = (
        "import sys; from pathlib import Path; import services.store as s; from services.store import sqlite\n"
        "path = Path(sys.argv[1]) / 'data' / 'headrace.db'\n"
        "revision = sqlite.prepare(path); assert revision or not sqlite.begin(path)\n"
        "assert sqlite.prepare(path) == s.REVISIONS[-1]\n"
        "assert 'sqlalchemy' not in sys.modules, 'sqlalchemy'\n"
        "s.open_store('sqlite:///data/headrace.db', Path(sys.argv[1]))._database()\n"
        "assert 'sqlalchemy' in sys.modules; assert 'alembic' not in sys.modules, 'alembic'"
    )
    for _ in range(2):
        done = run(sys.executable, "-c", code, str(tmp_path))
        assert done.returncode == 0, done.stderr


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    tamper(file, "UPDATE alembic_version SET version_num = '9999'")
    before = file.read_bytes()
    assert "was written by a newer Headrace (revision '9999'" in refusal(tmp_path)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.write_bytes(b"not a database at all" * 100), "file is not a database"),
        (lambda file: file.write_bytes(file.read_bytes()[:8192] + os.urandom(12_288) + file.read_bytes()[20_480:]), ""),
        (lambda file: file.write_bytes(file.read_bytes()[:9000]), "malformed"),
    ],
    ids=["header", "middle", "cut"],
)
async def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, spoil: object, reason: str) -> None:
    file = await filled(tmp_path)
    spoil(file)  # type: ignore[operator]
    before = file.read_bytes()
    said = refusal(tmp_path)
    assert reason in said
    assert "cannot be used" in said
    assert file.read_bytes() == before


async def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    tamper(tmp_path / "data" / "headrace.db", "CREATE TABLE birds (name TEXT)")
    assert "they are not Headrace's" in refusal(tmp_path)


async def test_a_missing_file_is_not_begun_anew_where_there_was_one(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    file.rename(tmp_path / "elsewhere")
    (backup := file.parent / "backup").mkdir()
    (backup / "headrace-0001-20260101-000000.db").touch()
    assert "The newest backup is" in refusal(tmp_path)
    (backup / "headrace-0001-20260101-000000.db").unlink()
    file.with_name("headrace.db-wal").touch()
    assert "is missing, but its journal" in refusal(tmp_path)
    assert not file.exists()


async def test_a_database_that_somebody_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await filled(tmp_path)
    monkeypatch.setattr("services.store.sqlite.BUSY", 0.01)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "is held by another program" in refusal(tmp_path)


async def test_a_file_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    """As a user who is not root, to whom everything may be written."""
    file = await filled(tmp_path)
    file.chmod(0o444)
    file.parent.chmod(0o555)
    code = f"from pathlib import Path; from services.store import open_store; open_store({URL!r}, Path({str(tmp_path)!r}))"
    command = (
        ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", code] if os.getuid() == 0 else [sys.executable, "-c", code]
    )
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    done = run(*command)
    file.parent.chmod(0o755)
    assert "SettingsError: storage.database" in done.stderr, done.stderr
    assert "cannot be written" in done.stderr


async def test_the_start_stops_with_exit_code_2_and_a_sentence(tmp_path: Path) -> None:
    tamper(await filled(tmp_path), "UPDATE alembic_version SET version_num = '9999'")
    (tmp_path / "settings.toml").write_text("[server]\nport = 0\n")
    done = run(sys.executable, "main.py", HEADRACE_SETTINGS=str(tmp_path / "settings.toml"))
    assert done.returncode == 2
    assert done.stderr.startswith("storage.database: ")
    assert done.stderr.count("\n") == 1


POISON = [
    ("UPDATE nodes SET body = ? WHERE id = 'q'", b"{"),
    ("UPDATE nodes SET body = ? WHERE id = 'q'", b'{"v":1}'),
    ("UPDATE nodes SET body = ? WHERE id = 'q'", b'{"v":77,"message":{"role":"user","parts":[]}}'),
    ("UPDATE nodes SET body = ? WHERE id = 'q'", b'{"v":1,"message":{"role":"user","parts":[{"type":"text","text":"\xff"}]}}'),
    ("UPDATE nodes SET body = ? WHERE id = 'q'", b'{"v":1,"message":{"role":"user","parts":' + b"[" * 100_000),
    ("UPDATE nodes SET body = ? WHERE id = 'q'", 5),
    ("UPDATE nodes SET body = ? WHERE id = 'q'", "text"),
    ("UPDATE nodes SET generation = CAST(? AS TEXT) WHERE id = 'q'", b"\xff"),
]


@pytest.mark.parametrize(("statement", "value"), POISON)
async def test_a_spoiled_row_is_damaged_and_the_others_open(tmp_path: Path, statement: str, value: object) -> None:
    file = await filled(tmp_path)
    store = open_store(URL, tmp_path)
    await store.put("c", Node("r", None, Message("user", (Text("Fine"),))))
    tamper(file, statement, value)
    spoiled, fine = await store.nodes("c")
    assert (spoiled.id, spoiled.damaged, spoiled.message) == ("q", True, None)
    assert fine.message == Message("user", (Text("Fine"),))
    await store.close()


async def test_a_conversation_of_wrong_types_is_listed(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    tamper(file, "UPDATE conversations SET created = 'x', updated = x'ff', title = CAST(x'41ff' AS TEXT), shown = 7")
    store = open_store(URL, tmp_path)
    assert await store.list() == [Conversation("c", "A\ufffd", 0.0, 0.0, "m", "7")]
    await store.close()


async def test_a_full_disk_is_a_sentence_and_passes(tmp_path: Path) -> None:
    store = open_store(URL, tmp_path)
    await store.create(CONVERSATION)
    database = store._database()  # type: ignore[attr-defined]
    with database._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    large = Node("n", None, Message("user", (Text("x" * 100_000),)))
    with pytest.raises(NotSaved, match="the disk is full"):
        await store.put("c", large)
    assert await store.nodes("c") == []
    with database._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    assert await store.put("c", large)
    assert len(await store.nodes("c")) == 1
    await store.close()
