"""Connections that break all the time: what a client has at last is the log, byte for byte."""

import asyncio
from pathlib import Path
from random import Random

import httpx

from tests.reliability.following import Transcript, check_numbers, count, patient
from tests.serving import Served, served

CUTS = count("HEADRACE_CUTS", 100)
EACH = 20  # of one generation


async def test_every_transcript_is_the_log_however_often_it_was_cut(tmp_path: Path) -> None:
    random = Random(CUTS)
    with served(tmp_path) as running:
        async with patient() as client:
            cuts = await asyncio.gather(*(broken_often(client, running, Random(random.random())) for _ in range(CUTS // EACH)))
        assert running.terminate() == 0
    print({"generations": len(cuts), "cuts": sum(cuts)})  # noqa: T201
    assert sum(cuts) == CUTS


async def broken_often(client: httpx.AsyncClient, running: Served, random: Random) -> int:
    transcript = Transcript()
    tokens, speed = random.choice([200, 1000]), random.choice(["fast", "at 300 tokens/s"])
    question = {"messages": [{"role": "user", "content": f"{tokens} tokens {speed}"}], "on_disconnect": "keep"}
    async with client.stream("POST", f"{running.url}/chat?model=rehearsal/longform", json=question) as response:
        transcript.id = response.headers["headrace-generation"]
    for _ in range(EACH - 1):  # the first cut was that of the POST
        await transcript.resume(client, running.url, random.randrange(1, 2000))
    await transcript.resume(client, running.url)
    check_numbers(transcript.frames)
    replayed = await client.get(f"{running.url}/chat/{transcript.id}?after=0")
    assert replayed.content == b"".join(frame + b"\n\n" for frame in transcript.frames)
    whole = (await client.get(f"{running.url}/chat/{transcript.id}")).json()
    assert (whole["seq"], whole["state"]) == (transcript.last, "finished")
    return EACH
