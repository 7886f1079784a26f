"""The file: what a new process finds in it, whatever happened to the one before, and what it refuses to touch."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from services.errors import SettingsError
from services.events import Entry, Failed, PartFinished
from services.generations import database, writer
from services.generations.database import GONE, NAME, VERSION, Database
from services.generations.sqlite import SQLiteJournal
from tests.generations.stories import begun, kept, story
from tests.reliability.following import count
from tests.serving import ROOT

CUTS = count("HEADRACE_WAL_CUTS", 20)


def left_behind(journal: SQLiteJournal, folder: Path, cut: int | None = None) -> Path:
    """The files as a kill would leave them now; the write-ahead log cut after so many bytes."""
    copy = Path(tempfile.mkdtemp(dir=folder))
    for name in (NAME, f"{NAME}-wal"):
        shutil.copy(folder / name, copy)
    if cut is not None:
        os.truncate(copy / f"{NAME}-wal", cut)
    return copy


def found(folder: Path) -> dict[str, list[Entry]]:
    """All logs after a restart."""
    opened = Database(folder, full=False)
    try:
        opened.recover()
        logs = {}
        for line, _ in opened.recent():
            about = opened.recall(line.id)
            assert about is not None
            assert (about[0], line.label) == (f"about {line.id}".encode(), f"label {line.id}".encode())
            assert about[1][-1] == line.end
            logs[line.id] = about[1]
        return logs
    finally:
        opened.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SQLiteJournal]:
    opened = SQLiteJournal(tmp_path)
    yield opened
    opened.close()


async def test_what_ran_is_interrupted_and_its_parts_are_closed(journal: SQLiteJournal, tmp_path: Path) -> None:
    done = await kept("done", journal)
    running = await kept("running", journal, end=None)
    short = begun("short", journal)
    short.append(story("short", 0)[:1])
    await short.until(1)
    logs = found(left_behind(journal, tmp_path))
    assert list(logs) == ["done", "running", "short"]
    assert logs["done"] == done.entries
    *before, closed, end = logs["running"]
    assert before == running.entries
    assert closed.event == PartFinished(1)
    assert isinstance(end.event, Failed)
    assert (end.event.code, end.event.phase, end.event.retryable, end.event.ms) == ("interrupted", "streaming", True, round(end.at, 3))
    assert [entry.seq for entry in logs["running"]] == list(range(1, len(logs["running"]) + 1))
    *first, end = logs["short"]
    assert first == short.entries
    assert isinstance(end.event, Failed)
    assert (end.event.code, end.event.phase) == ("interrupted", "before")


async def test_hundreds_of_running_logs_and_what_was_written_anew(
    journal: SQLiteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The common rows are written anew many times, in the middle of everything, and the old ones are still there, in part."""
    monkeypatch.setattr(writer, "HOT", 10_000)
    monkeypatch.setattr(database, "SLICE", 1)
    logs = [begun(str(number), journal) for number in range(200)]
    journal._writer._enough = 10_000
    leftovers: list[bool] = []
    for step, events in enumerate(zip(*(story(log.id, 60, None) for log in logs), strict=True)):
        for log, event in zip(logs, events, strict=True):
            log.append([event])
        for log in logs:
            await log.until(len(log.entries))
        leftovers.append(journal._database.garbage)
        if step in (20, 40, 60):
            after = found(left_behind(journal, tmp_path))
            assert all(after[log.id][: len(log.entries)] == log.entries for log in logs)
    assert any(leftovers)
    assert journal._database._deleted > 1


async def test_a_log_cut_anywhere_is_a_prefix(journal: SQLiteJournal, tmp_path: Path) -> None:
    logs = {id: await kept(id, journal, deltas=10, end=None) for id in "abc"}
    logs |= {id: await kept(id, journal, deltas=10) for id in "de"}
    journal.drop("d")
    logs |= {id: await kept(id, journal, deltas=10) for id in "fg"}
    size = (tmp_path / f"{NAME}-wal").stat().st_size
    random = Random(CUTS)
    told = [0, 0]
    for _ in range(CUTS):
        after = found(left_behind(journal, tmp_path, random.randrange(size)))
        for id, entries in after.items():
            whole = logs[id].entries
            ours = [entry for entry, original in zip(entries, whole, strict=False) if entry == original]
            rest = entries[len(ours) :]
            assert all(isinstance(entry.event, PartFinished | Failed) for entry in rest)
            assert (len(rest) == 0) == (entries == whole)
            assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
            told[0] += entries == whole
            told[1] += entries != whole
    assert told[1] > 0
    print({"cuts": CUTS, "logs found whole": told[0], "logs found in part": told[1]})  # noqa: T201


DIES = """
import os, signal, sys
from pathlib import Path
import sqlite3
from services.generations.database import Database
left = int(sys.argv[2])
connect = sqlite3.connect
def counted(file, **more):
    made = connect(file, **more)
    def statement(text):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    made.set_trace_callback(statement)
    return made
sqlite3.connect = counted
Database(Path(sys.argv[1]), False).recover()
"""


@pytest.fixture
async def two_left(journal: SQLiteJournal, tmp_path: Path) -> tuple[Path, Path]:
    """Twice what a kill leaves while two logs run."""
    for id in "ab":
        await kept(id, journal, end=None)
    return left_behind(journal, tmp_path), left_behind(journal, tmp_path)


def test_a_start_that_is_killed_at_any_statement_is_made_up_for(two_left: tuple[Path, Path]) -> None:
    copy, other = two_left
    whole = {id: [entry.event for entry in entries] for id, entries in found(other).items()}
    for statements in range(100):
        done = subprocess.run([sys.executable, "-c", DIES, str(copy), str(statements)], cwd=ROOT, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert statements > 10
    assert {id: [entry.event for entry in entries] for id, entries in found(copy).items()} == whole


def test_a_first_start_that_is_killed_at_any_statement_is_made_up_for(tmp_path: Path) -> None:
    for statements in range(100):
        done = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "new"), str(statements)], cwd=ROOT, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert statements > 10
    assert found(tmp_path / "new") == {}


async def test_what_is_gone_stays_known(journal: SQLiteJournal, tmp_path: Path) -> None:
    for id in "abc":
        await kept(id, journal)
        journal.drop(id)
    await kept("d", journal)
    opened = Database(left_behind(journal, tmp_path), full=False)
    assert opened.gone() == ["a", "b", "c"]
    opened.write([], None, [], [str(number) for number in range(GONE)])
    assert opened.gone() == [str(number) for number in range(GONE)]
    opened.close()


@pytest.fixture
async def used(journal: SQLiteJournal, tmp_path: Path) -> Path:
    """A journal's folder while it is open."""
    await kept("g", journal)
    return tmp_path


def test_the_files_are_for_their_owner_only(used: Path) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in used.iterdir()}
    assert modes == dict.fromkeys(["lock", NAME, f"{NAME}-wal", f"{NAME}-shm"], 0o600)
    made = used / "a" / "b"
    Database(made, full=False).close()
    assert made.stat().st_mode & 0o777 == 0o700


# What it refuses


def newer(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()


def foreign(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    db.close()


def text(file: Path) -> None:
    file.write_text("This is no database, but somebody's notes. " * 100)


def torn(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def scribbled(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 200] = b"\xff" * 200
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "says"),
    [(newer, "newer Headrace"), (foreign, "something else"), (text, "damaged"), (torn, "damaged"), (scribbled, "damaged")],
)
async def test_a_file_that_cannot_be_used_is_left_as_it_is(harm: Callable[[Path], None], says: str, tmp_path: Path) -> None:
    opened = SQLiteJournal(tmp_path)
    await kept("g", opened)
    opened.close()
    file = tmp_path / NAME
    harm(file)
    before = file.read_bytes()
    with pytest.raises(SettingsError, match=says) as refused:
        found(tmp_path)
    assert str(file) in str(refused.value)
    assert file.read_bytes() == before


async def test_one_process_at_a_time(journal: SQLiteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "START_PATIENCE", 0.1)
    with pytest.raises(SettingsError, match="another Headrace is using this folder"):
        SQLiteJournal(tmp_path)
    journal.close()
    SQLiteJournal(tmp_path).close()


@contextmanager
def nobody() -> Iterator[None]:
    """Root may write everything: so be somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o555)
        with nobody(), pytest.raises(SettingsError, match="cannot be written: Permission denied"):
            Database(folder / "data", full=False)
        folder.chmod(0o755)
        (folder / "data").write_text("")
        with pytest.raises(SettingsError, match="cannot be written: File exists"):
            Database(folder / "data", full=False)
    finally:
        shutil.rmtree(folder)


def test_a_file_that_cannot_be_written() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        Database(folder, full=False).close()
        folder.chmod(0o777)
        (folder / "lock").chmod(0o666)
        (folder / NAME).chmod(0o444)
        with nobody(), pytest.raises(SettingsError, match="cannot be written: Permission denied"):
            Database(folder, full=False)
    finally:
        shutil.rmtree(folder)
