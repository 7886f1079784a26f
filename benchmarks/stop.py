"""How long a stop takes to reach the model server: from DELETE /chat/{id} to the end of the server's connection.

    uv run python -m benchmarks.stop [--stops 1000] [--within MS]

A real Headrace, a real socket, 20 generations at a time, each stopped at a random moment of its life. Every one must end with
exactly one terminal event.
"""

import argparse
import asyncio
import json
import logging
import random
import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.serving import Served, served
from tests.upstream.model_server import HEAD, chunk, delta

AT_ONCE = 20
WORDS = 400
SETTINGS = """
[[upstreams]]
name = "mill"
dialect = "openai_chat"
base_url = "http://127.0.0.1:{port}/v1"
models = ["m"]
[rehearsal]
enabled = false
"""


class Mill:
    """A model server that talks until its client leaves, and knows when the client of each question did."""

    def __init__(self) -> None:
        self.left: dict[str, asyncio.Future[float]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # stopped before it asked
            writer.close()
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        question = json.loads(await reader.readexactly(length))["messages"][-1]["content"]
        self.left[question] = asyncio.get_running_loop().create_future()
        talking = asyncio.create_task(_talk(writer))
        with suppress(ConnectionError):  # a client that closes with words unread resets the connection
            await reader.read()
        self.left[question].set_result(time.monotonic())
        talking.cancel()
        writer.close()


async def _talk(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(random.uniform(0, 0.05))
    writer.write(HEAD)
    for _ in range(WORDS):
        writer.write(chunk(delta("word ")))
        await asyncio.sleep(0.002)
    await asyncio.Event().wait()


async def stop_one(session: aiohttp.ClientSession, url: str, number: int, mill: Mill) -> float | None:
    """Milliseconds; None when it was stopped before the server was asked at all."""
    question = f"question {number}"
    body = {"model": "mill/m", "messages": [{"role": "user", "content": question}], "on_disconnect": "keep"}
    async with session.post(f"{url}/chat", json=body) as response:
        id = response.headers["headrace-generation"]
        await asyncio.sleep(random.uniform(0, 0.4))
        asked = time.monotonic()
        async with session.delete(f"{url}/chat/{id}") as stopped:
            reply = await stopped.json()
        told = await response.text()
    ends = told.count('"done":true')
    if reply["state"] != "stopped" or ends != 1:
        raise SystemExit(f"{id}: {reply['state']}, {ends} terminal events")
    if question not in mill.left:
        return None
    return (await asyncio.wait_for(mill.left[question], 10) - asked) * 1000


async def measure(headrace: Served, stops: int, mill: Mill) -> list[float]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(session: aiohttp.ClientSession, number: int) -> float | None:
        async with slots:
            return await stop_one(session, headrace.url, number, mill)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        taken = await asyncio.gather(*(one(session, number) for number in range(stops)))
    return [ms for ms in taken if ms is not None]


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--stops", type=int, default=1000)
    asked.add_argument("--within", type=float, metavar="MS", help="fail where the 99th hundredth takes longer")
    wishes = asked.parse_args()
    stops = wishes.stops
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # of words that are written to clients that have left
    mill = Mill()
    listening = await asyncio.start_server(mill.serve, "127.0.0.1", 0)
    settings = SETTINGS.format(port=listening.sockets[0].getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        serving = served(Path(folder), settings)
        headrace = await asyncio.to_thread(serving.__enter__)
        try:
            taken = await measure(headrace, stops, mill)
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
    listening.close()
    hundredths = statistics.quantiles(taken, n=100)
    p50, p99 = hundredths[49], hundredths[98]
    print(f"{len(taken)} of {stops} stops found a connection: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {max(taken):.1f} ms")
    if wishes.within and p99 > wishes.within:
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main())
