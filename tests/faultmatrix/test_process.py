"""Our own process in trouble: it stands still, has no files left, cannot write its log, its clock jumps; and who leaves without a word."""

import asyncio
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.faultmatrix.playing import QUESTION, configured, mill, settled, sockets
from tests.faultmatrix.tables import CASES
from tests.reliability.following import Transcript, check_numbers, patient
from tests.reliability.test_storage import start, whole
from tests.serving import ROOT, Served, served
from tests.talks.house import LONG, House

SETTINGS = "[rehearsal]\nspeed = 200.0\n[server]\nheartbeat = 0.2\nwrite_timeout = 0.5\n"
STILL, ANSWERS = CASES["stands-still"], CASES["no-done"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path, str]]:
    """A Headrace, its folder, and the mill that answers it; another mill stands still as soon as it is asked."""
    folder = tmp_path_factory.mktemp("process")
    with mill() as (_, (port,)), mill() as (_, (alone,)):
        url = f"http://127.0.0.1:{port}"
        still = configured(STILL, f"http://127.0.0.1:{alone}").replace("gap = 0.5", "gap = 60.0")
        with served(folder, SETTINGS + configured(ANSWERS, url) + still) as running:
            yield running, folder, url


async def test_a_process_that_stood_still_goes_on_keeps_its_place_and_drops_nobody(place: tuple[Served, Path, str]) -> None:
    """As after a laptop's sleep: longer than any client may take to take what is written, and than a heartbeat."""
    running, folder, _ = place
    async with patient() as client:
        begun = [asyncio.Event() for _ in range(5)]
        transcripts = [Transcript(lambda _, began=began: began.set()) for began in begun]  # type: ignore[misc]
        asking = [asyncio.create_task(each.ask(client, running.url, "300 tokens at 200 tokens/s")) for each in transcripts]
        await asyncio.gather(*(each.wait() for each in begun))
        running.process.send_signal(signal.SIGSTOP)
        second = await asyncio.to_thread(start, folder)
        running.process.send_signal(signal.SIGCONT)
        assert second.returncode == 2
        assert "another Headrace is using this folder" in second.stderr
        await asyncio.gather(*asking)
        for each in transcripts:
            assert b"event: end\n" in each.frames[-1]
            check_numbers(each.frames)
            assert (await client.get(f"{running.url}/chat/{each.id}?after=0")).content == whole(each)


async def test_a_stop_does_not_wait_for_a_server_that_stands_still(place: tuple[Served, Path, str]) -> None:
    running, _, _ = place
    async with patient() as client:
        await client.get(f"{running.url}/chat")
        before = sockets(running.process.pid)
        begun = asyncio.Event()
        transcript = Transcript(lambda _: begun.set() if any(b"delta" in frame for frame in transcript.frames) else None)

        async def ask() -> None:
            async with client.stream("POST", f"{running.url}/chat", params={"model": f"{STILL.name}/m"}, json=QUESTION) as response:
                transcript.id = response.headers["headrace-generation"]
                async for data in response.aiter_raw():
                    transcript.feed(data)

        asking = asyncio.create_task(ask())
        await begun.wait()
        reply = (await client.delete(f"{running.url}/chat/{transcript.id}")).json()
        assert (reply["state"], reply["text"]) == ("stopped", "Hel")
        await asking
        check_numbers(transcript.frames)
    assert await settled(running.process.pid, before) <= before


def test_a_client_that_is_gone_before_it_is_answered_finds_its_one_reply_by_its_key(place: tuple[Served, Path, str]) -> None:
    running, _, url = place
    asked = httpx.get(f"{url}/seen", trust_env=False).json()["asked"].get(ANSWERS.name, 0)
    body = httpx.Request("POST", running.url, json=QUESTION).content
    head = f"POST /chat?model={ANSWERS.name}/m HTTP/1.1\r\nHost: {urlsplit(running.url).netloc}\r\nContent-Type: application/json\r\n"
    head += f"Idempotency-Key: once\r\nContent-Length: {len(body)}\r\n\r\n"
    for _ in range(10):
        with socket.create_connection((urlsplit(running.url).hostname, urlsplit(running.url).port)) as hasty:
            hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing it resets it
            hasty.sendall(head.encode() + body)
    found = httpx.post(
        f"{running.url}/chat?model={ANSWERS.name}/m", json=QUESTION, headers={"idempotency-key": "once"}, trust_env=False, timeout=20
    )
    assert b"event: end\n" in found.content
    assert httpx.get(f"{url}/seen", trust_env=False).json()["asked"][ANSWERS.name] == asked + 1


async def test_without_files_to_open_it_says_so_and_what_runs_goes_on(place: tuple[Served, Path, str]) -> None:
    running, _, _ = place
    pid = running.process.pid
    async with patient() as client:
        begun = asyncio.Event()
        transcript = Transcript(lambda _: begun.set())
        asking = asyncio.create_task(transcript.ask(client, running.url, "400 tokens at 200 tokens/s"))
        await begun.wait()
        with httpx.Client(base_url=running.url, trust_env=False, timeout=20) as known:
            await asyncio.to_thread(known.get, "/chat")  # its connection is open
            before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (10, before[1]))
            try:
                refused = await asyncio.to_thread(known.post, "/chat", params={"model": f"{ANSWERS.name}/m"}, json=QUESTION)
                assert b'"code":"too_many_files"' in refused.content
                assert b"Headrace may open no more files or connections" in refused.content
            finally:
                resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            after = await asyncio.to_thread(known.post, "/chat", params={"model": f"{ANSWERS.name}/m"}, json=QUESTION)
            assert b"event: end\n" in after.content
        await asking
        assert b"event: end\n" in transcript.frames[-1]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "main.py"), "--server.port", "0", "--storage.folder", str(tmp_path), "--log.level", "debug"]
    with Path("/dev/full").open("w") as full:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=full, text=True)
    assert process.stdout
    try:
        [url] = re.findall(r"http://\S+", process.stdout.readline())
        for _ in range(3):
            answered = httpx.post(f"{url}/chat?model=rehearsal/echo", json=QUESTION, trust_env=False, timeout=20)
            assert b"event: end\n" in answered.content
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def test_a_clock_that_jumps_changes_neither_order_nor_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days forward in the middle of a reply, then an hour back behind where it was."""
    house, now = House(tmp_path, "sqlite:///data/headrace.db"), time.time
    asked = await house.chat.send(None, LONG, "200 tokens")
    await house.begun(asked)
    monkeypatch.setattr(time, "time", lambda: now() + 2 * 86_400)
    first = await house.ended(asked)
    again = await house.chat.send(asked.conversation, LONG, "20 tokens")
    await house.begun(again)
    monkeypatch.setattr(time, "time", lambda: now() - 3600)
    second = await house.ended(again)
    third = await house.ended(await house.chat.send(asked.conversation, LONG, "21 tokens"))
    assert [node.reply.state if node.reply else None for node in (first, second, third)] == ["finished"] * 3
    assert (await house.shown(asked.conversation))[::2] == ["200 tokens", "20 tokens", "21 tokens"]
    assert all(node.reply and 0 <= (node.reply.ms or 0) < 60_000 for node in (first, second, third))
    await house.chat.close()
