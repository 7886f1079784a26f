"""How exactly a recording keeps its times: every gap between two reads, as it was and as it is played, at the original pace.

    uv run python -m benchmarks.replay [--replays 20] [--load 0]

A model server on a real socket answers with uneven gaps (0 to 250 ms); a real Headrace records it and plays it again and again.
Compared are the reads that the inspector's record has of each replay, and the chunks that a client gets from /rehearsal over a
socket. `--load` generations at 100 tokens/s run meanwhile. A machine that is busy otherwise shows in the last line, and needs
`chrt -f 10` in front of the command for figures of Headrace itself.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.serving import Served, served
from tests.upstream.model_server import HEAD, chunk, delta

READS = 120
SETTINGS = """
[[upstreams]]
name = "mill"
dialect = "openai_chat"
base_url = "http://127.0.0.1:{port}/v1"
models = ["m"]
"""
QUESTION = {"messages": [{"role": "user", "content": "10k tokens at 100 tokens/s"}]}
LIMIT = 10.0  # ms


async def mill(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One answer, its gaps the same each time."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(length)
        writer.write(HEAD)
        dice = random.Random(4)
        for number in range(READS):
            await asyncio.sleep(dice.choice([0.004, 0.012, 0.03, 0.03, 0.08, dice.uniform(0, 0.25)]))
            writer.write(chunk(delta(f" word {number}")))
            await writer.drain()
        writer.write(chunk(delta("", '"stop"')) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await writer.drain()
    writer.close()


def gaps(moments: Sequence[float]) -> list[float]:
    return [after - before for before, after in zip([0.0, *moments], moments, strict=False)]


async def reads(session: aiohttp.ClientSession, generation: str) -> list[float]:
    """Milliseconds since the request was sent."""
    async with session.get(f"/chat/{generation}/record") as answer:
        [exchange] = (await answer.json())["requests"]
    return [read["at"] - exchange["at"] for read in exchange["reads"]]


async def ask(session: aiohttp.ClientSession, model: str) -> str:
    async with session.post("/chat", params={"model": model}, json=QUESTION) as answer:
        await answer.read()
        return str(answer.headers["headrace-generation"])


async def chunks(session: aiohttp.ClientSession) -> list[float]:
    """Of a client of /rehearsal, milliseconds since it asked."""
    body = {"model": "replay:bench", "stream": True, **QUESTION}
    began = time.monotonic()
    async with session.post("/rehearsal/openai_chat/v1/chat/completions", json=body) as answer:
        moments, complete = [], True
        async for _, ends in answer.content.iter_chunks():
            if complete:
                moments.append((time.monotonic() - began) * 1000)
            complete = ends
        return moments


async def bare(errors: list[float]) -> None:
    """How late a timer of this machine is, with nothing of ours behind it."""
    while True:
        due = time.monotonic() + 0.03
        await asyncio.sleep(0.03)
        errors.append((time.monotonic() - due) * 1000)


async def load(session: aiohttp.ClientSession) -> None:
    with suppress(aiohttp.ClientError):
        await ask(session, "rehearsal/longform")


def told(name: str, errors: list[float]) -> float:
    ordered = sorted(errors)
    p50, p99, most = statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]
    print(f"{name:<34} {len(ordered):>7,} gaps   p50 {p50:6.3f} ms   p99 {p99:6.3f} ms   longest {most:6.3f} ms")
    return most


async def run(server: Served, replays: int, loads: int) -> int:
    async with aiohttp.ClientSession(server.url, timeout=aiohttp.ClientTimeout(None)) as session:
        original = await ask(session, "mill/m")
        async with session.post(f"/chat/{original}/recording", json={"name": "bench"}) as answer:
            kept: dict[str, Any] = await answer.json()
        was = gaps(await reads(session, original))
        print(f"recorded: {kept['reads']} reads in {kept['ms']:.0f} ms")
        noise = [asyncio.create_task(load(session)) for _ in range(loads)]
        timers: list[float] = []
        noise.append(asyncio.create_task(bare(timers)))
        inside: list[float] = []
        outside: list[float] = []
        for _ in range(replays):
            again, heard = await asyncio.gather(ask(session, "rehearsal/replay:bench"), chunks(session))
            now = gaps(await reads(session, again))
            assert len(now) == len(was)
            inside += [abs(one - other) for one, other in zip(now, was, strict=True)]
            if len(heard) == len(was):  # else two came in one piece: what a socket does
                outside += [abs(one - other) for one, other in zip(gaps(heard)[1:], was[1:], strict=True)]
        for task in noise:
            task.cancel()
        worst = told("reads of the replayed generation", inside)
        if outside:
            told("chunks of a client of /rehearsal", outside)
        told("timers of another process meanwhile", timers)
        return 0 if worst <= LIMIT else 1


async def main() -> int:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--replays", type=int, default=20)
    given.add_argument("--load", type=int, default=0)
    options = given.parse_args()
    upstream = await asyncio.start_server(mill, "127.0.0.1", 0)
    port = upstream.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), SETTINGS.format(port=port)) as server:
        return await run(server, options.replays, options.load)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
