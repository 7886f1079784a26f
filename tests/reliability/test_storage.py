"""A real server whose storage is taken away, and what its clients are told; what stops its start."""

import asyncio
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.reliability.following import Transcript, check_numbers, patient
from tests.serving import ROOT, Served, served

SETTINGS = "[rehearsal]\nspeed = 200.0\n"


@contextmanager
def no_larger_file(running: Served, folder: Path) -> Iterator[None]:
    """The kernel refuses every byte beyond the journal's present size, as a disk does that fails."""
    size = (folder / "data" / "journal.db-wal").stat().st_size
    pid, unlimited = running.process.pid, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)


@contextmanager
def locked(running: Served, folder: Path) -> Iterator[None]:
    other = sqlite3.connect(folder / "data" / "journal.db", isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("COMMIT")
    other.close()


@pytest.mark.parametrize(("harm", "says"), [(no_larger_file, "disk reports an error"), (locked, "locked the database")])
async def test_replies_end_new_ones_are_refused_and_it_works_again_by_itself(
    harm: Callable[[Served, Path], AbstractContextManager[None]], says: str, tmp_path: Path
) -> None:
    with served(tmp_path, SETTINGS) as running:
        async with patient() as client:
            first = [Transcript() for _ in range(5)]
            begun = asyncio.Event()
            last = Transcript(lambda _: begun.set())
            tasks = [asyncio.create_task(each.ask(client, running.url, "100000 tokens at 200 tokens/s")) for each in [*first, last]]
            await begun.wait()
            with harm(running, tmp_path):
                await asyncio.gather(*tasks)
                for each in [*first, last]:
                    assert b"event: failed\n" in each.frames[-1]
                    assert b'"code":"storage"' in each.frames[-1]
                    assert says.encode() in each.frames[-1]
                    check_numbers(each.frames)
                    assert (await client.get(f"{running.url}/chat/{each.id}?after=0")).content == whole(each)
                refused = await client.post(
                    f"{running.url}/chat?model=rehearsal/echo", json={"messages": [{"role": "user", "content": "Hi"}]}
                )
                assert refused.status_code == 503
                assert refused.json()["error"]["code"] == "storage"
                assert says in refused.json()["error"]["message"]
            after = Transcript()
            while after.id is None:  # tried again every half second
                with suppress(AssertionError):
                    await after.ask(client, running.url, "20 tokens fast")
            assert b"event: end\n" in after.frames[-1]
        assert running.terminate() == 0
    with served(tmp_path, SETTINGS) as again:
        async with patient() as client:
            for each in [*first, last, after]:
                assert (await client.get(f"{again.url}/chat/{each.id}?after=0")).content == whole(each)


def whole(transcript: Transcript) -> bytes:
    return b"".join(frame + b"\n\n" for frame in transcript.frames)


async def test_a_lock_of_a_second_is_a_pause(tmp_path: Path) -> None:
    with served(tmp_path, SETTINGS) as running:
        async with patient() as client:
            begun = asyncio.Event()
            transcript = Transcript(lambda _: begun.set())
            asking = asyncio.create_task(transcript.ask(client, running.url, "300 tokens at 200 tokens/s"))
            await begun.wait()
            with locked(running, tmp_path):
                await asyncio.sleep(1)
            await asking
            assert b"event: end\n" in transcript.frames[-1]
            assert (await client.get(f"{running.url}/chat/{transcript.id}?after=0")).content == whole(transcript)


async def test_a_signal_ends_every_reply_and_keeps_it(tmp_path: Path) -> None:
    with served(tmp_path, f"{SETTINGS}[server]\ndrain = 0.2\n") as running:
        async with patient() as client:
            transcripts = [Transcript(lambda _: running.process.send_signal(signal.SIGTERM)) for _ in range(10)]
            asking = (each.ask(client, running.url, "100000 tokens at 200 tokens/s") for each in transcripts)
            results = await asyncio.gather(*asking, return_exceptions=True)
            assert running.process.wait(30) == 0
    told = [each for each, result in zip(transcripts, results, strict=True) if result is None]
    assert told
    assert not (tmp_path / "data" / "journal.db-wal").exists()
    with served(tmp_path, SETTINGS) as again:
        async with patient() as client:
            for each in told:
                assert b'"code":"interrupted"' in each.frames[-1]
                assert (await client.get(f"{again.url}/chat/{each.id}?after=0")).content == whole(each)


# What stops the start


def start(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "main.py"), "--server.port", "0"]
    env = {"HEADRACE_SETTINGS": str(folder / "settings.toml"), "PATH": ""}
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_a_second_server_on_the_same_folder_does_not_start(tmp_path: Path) -> None:
    with served(tmp_path, SETTINGS) as running:
        second = start(tmp_path)
        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr.count("\n") == 1
        assert "another Headrace is using this folder" in second.stderr
        assert httpx.get(f"{running.url}/chat", trust_env=False).status_code == 200


def test_a_damaged_journal_stops_the_start_and_stays_as_it_is(tmp_path: Path) -> None:
    with served(tmp_path, SETTINGS) as running:
        assert httpx.get(f"{running.url}/chat", trust_env=False).status_code == 200
        assert running.terminate() == 0
    file = tmp_path / "data" / "journal.db"
    file.write_bytes(b"\0" * 100 + file.read_bytes()[100:])
    before = file.read_bytes()
    done = start(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"{file}: The database is damaged." in done.stderr
    assert file.read_bytes() == before
