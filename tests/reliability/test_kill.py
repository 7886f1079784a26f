"""kill -9 at random moments: nothing that was shown is lost, doubled or out of order, and every reply has an end afterwards."""

import asyncio
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx

from tests.reliability.following import Transcript, check_numbers, count, patient
from tests.serving import Served, served

KILLS = count("HEADRACE_KILLS", 5)
STREAMS = 20
SETTINGS = "[rehearsal]\nspeed = 200.0\n[storage]\nkeep = 10000\n"


async def test_what_was_shown_survives_a_kill(tmp_path: Path) -> None:
    random = Random(KILLS)
    shown: list[Transcript] = []
    told = {"kills": 0, "cut in the middle": 0, "frames shown before a kill": 0, "frames afterwards": 0}
    for _ in range(KILLS):
        with served(tmp_path, SETTINGS) as running:
            told["frames afterwards"] += await ends_well(running, shown)
            shown = await streams_until_killed(running, random)
        told["kills"] += 1
        told["cut in the middle"] += sum(not transcript.ended for transcript in shown)
        told["frames shown before a kill"] += sum(len(transcript.frames) for transcript in shown)
        check_integrity(tmp_path)
    with served(tmp_path, SETTINGS) as running:
        told["frames afterwards"] += await ends_well(running, shown)
        assert running.terminate() == 0
    print(told)  # noqa: T201
    assert told["cut in the middle"] >= KILLS


async def streams_until_killed(running: Served, random: Random) -> list[Transcript]:
    """Twenty replies, short and long, slow and fast; the kill comes after a random number of frames of all together."""
    enough = random.choice([1, 20, 300, 3000])
    left = random.randrange(enough, 4 * enough)

    def heard(frames: int) -> None:
        nonlocal left
        left -= frames
        if left <= 0:
            running.process.kill()

    transcripts = [Transcript(heard) for _ in range(STREAMS)]
    async with patient() as client:
        await asyncio.gather(*(one(client, running.url, transcript, random) for transcript in transcripts))
    running.process.kill()
    return [transcript for transcript in transcripts if transcript.id is not None]


async def one(client: httpx.AsyncClient, url: str, transcript: Transcript, random: Random) -> None:
    tokens, speed = random.choice([3, 30, 300, 3000, 3000]), random.choice(["fast", "at 100 tokens/s", "at 1000 tokens/s"])
    with suppress(httpx.TransportError):
        await transcript.ask(client, url, f"{tokens} tokens {speed}")
    transcript.cut()


async def ends_well(running: Served, shown: list[Transcript]) -> int:
    """How many frames came after the kill."""
    async with patient() as client:
        states = {line["id"]: line["state"] for line in (await client.get(f"{running.url}/chat")).json()["generations"]}
        assert not {"waiting", "streaming"} & set(states.values())
        more = 0
        for transcript in shown:
            before = list(transcript.frames)
            assert transcript.id in states
            await transcript.resume(client, running.url)
            check_numbers(transcript.frames)
            replayed = await client.get(f"{running.url}/chat/{transcript.id}?after=0")
            assert replayed.content == b"".join(frame + b"\n\n" for frame in transcript.frames)
            assert transcript.frames[: len(before)] == before
            more += len(transcript.frames) - len(before)
        return more


def check_integrity(folder: Path) -> None:
    """On a copy: to look is to repair."""
    copy = folder / "copy"
    copy.mkdir(exist_ok=True)
    for name in ("journal.db", "journal.db-wal"):
        shutil.copy(folder / "data" / name, copy)
    with sqlite3.connect(copy / "journal.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    shutil.rmtree(copy)
