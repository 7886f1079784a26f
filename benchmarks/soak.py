"""Whether anything is left behind: twenty users for a long time, at a model server that breaks, dies and comes back at random.

    uv run python -m benchmarks.soak [--minutes 30] [--users 20]

A user asks, reads to the end, or leaves and resumes, or stops, or never comes back; one more opens pages and leaves them. At the end
nobody is there: as few connections as before, nothing that runs, no Traceback. After 20 minutes memory may grow by 1 MB an hour.
"""

import argparse
import asyncio
import logging
import random
import re
import statistics
import tempfile
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx

from tests.faultmatrix.playing import settled, sockets
from tests.reliability.following import Transcript, patient
from tests.serving import Served, served
from tests.upstream.model_server import DONE, HEAD, answer, chunk, delta

# What may grow up to a limit is at its limit soon: logs, records, conversations.
SETTINGS = """
[storage]
keep = 300
database = "memory"
[record]
all_bytes = 4_000_000
[timeouts]
first_byte = 5.0
gap = 5.0
[log]
level = "warning"
[[upstreams]]
name = "mill"
dialect = "openai_chat"
base_url = "http://127.0.0.1:{port}/v1"
models = ["m"]
"""
ASK = {"messages": [{"role": "user", "content": "Go on"}], "on_disconnect": "keep"}
SETTLED = 20 * 60.0  # seconds until memory is what it will be


class Mill:
    """A model server that is whole three times of four; `die` ends it with all its connections, `live` brings it back."""

    def __init__(self) -> None:
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def live(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def die(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")))
            await self._say(writer)
        self._open.discard(writer)
        writer.close()

    async def _say(self, writer: asyncio.StreamWriter) -> None:
        dice = random.random()
        if dice < 0.05:
            writer.write(answer("503 Busy", b"{}", "connection: close"))
            return
        writer.write(HEAD)
        words = random.randint(10, 300)
        for number in range(words):
            if dice < 0.15 and number > words / 2:
                writer.transport.abort()
                return
            writer.write(chunk(delta(f"word {number} ")))
            await writer.drain()
            await asyncio.sleep(0.005)
        if dice > 0.25:  # else it ends without saying so
            writer.write(chunk(delta("", '"stop"') + DONE) + b"0\r\n\r\n")
        await writer.drain()


class Users:
    def __init__(self, url: str) -> None:
        self.did: Counter[str] = Counter()
        self._url = url

    async def use(self, client: httpx.AsyncClient, until: float) -> None:
        while time.monotonic() < until:
            doing = random.choice((self._read, self._read, self._leave_and_resume, self._stop, self._leave))
            try:
                await doing(client)
                self.did[doing.__name__.strip("_")] += 1
            except (httpx.HTTPError, AssertionError) as exc:
                where = traceback.extract_tb(exc.__traceback__)[-1]
                self.did[f"failed: {type(exc).__name__} {exc} in {where.line}"[:200]] += 1
            await asyncio.sleep(random.uniform(0, 0.2))

    async def look(self, client: httpx.AsyncClient, until: float) -> None:
        """Opens pages and leaves them before they are shown."""
        while time.monotonic() < until:
            self.did[f"page {(await client.get(self._url)).status_code}"] += 1
            await asyncio.sleep(3)

    async def _read(self, client: httpx.AsyncClient, most: int | None = None) -> Transcript:
        transcript = Transcript()
        async with client.stream("POST", f"{self._url}/chat?model=mill/m", json=ASK) as response:
            assert response.status_code == 200
            transcript.id = response.headers["headrace-generation"]
            async for data in response.aiter_raw():
                transcript.feed(data)
                if most is not None and len(transcript.frames) > most:
                    break
        return transcript

    async def _leave_and_resume(self, client: httpx.AsyncClient) -> None:
        transcript = await self._read(client, random.randint(0, 100))
        await transcript.resume(client, self._url)
        assert transcript.ended

    async def _stop(self, client: httpx.AsyncClient) -> None:
        transcript = await self._read(client, random.randint(0, 100))
        assert (await client.delete(f"{self._url}/chat/{transcript.id}")).json()["done"]

    async def _leave(self, client: httpx.AsyncClient) -> None:
        await self._read(client, random.randint(0, 50))


async def trouble(mill: Mill, until: float) -> int:
    """The model server dies for a second, now and then."""
    deaths = 0
    while time.monotonic() < until:
        await asyncio.sleep(random.uniform(5, 20))
        mill.die()
        deaths += 1
        await asyncio.sleep(1)
        await mill.live()
    return deaths


async def watch(pid: int, until: float) -> list[tuple[float, float]]:
    """Seconds since the beginning, and MB that are resident, every 5 s."""
    began, seen = time.monotonic(), []
    while time.monotonic() < until:
        seen.append((time.monotonic() - began, resident(pid)))
        await asyncio.sleep(5)
    return seen


def resident(pid: int) -> float:
    """MB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


async def soak(running: Served, mill: Mill, minutes: float, users: int) -> dict[str, object]:
    pid, until = running.process.pid, time.monotonic() + minutes * 60
    people = Users(running.url)
    async with patient() as client:
        await people.use(client, 0)
        await client.get(running.url)
    before = sockets(pid)
    async with patient() as client:
        using = [people.use(client, until) for _ in range(users)]
        watching = asyncio.create_task(watch(pid, until))
        deaths, *_ = await asyncio.gather(trouble(mill, until), people.look(client, until), *using)
        seen = await watching
    after = await settled(pid, before)
    async with patient() as client:
        states = Counter(line["state"] for line in (await client.get(f"{running.url}/chat")).json()["generations"])
    late = [each for each in seen if each[0] >= min(SETTLED, minutes * 30)]
    growth = statistics.linear_regression(*zip(*late, strict=True)).slope * 3600 if len(late) > 2 else 0.0
    return {
        "minutes": minutes,
        **people.did,
        "deaths": deaths,
        "MB": [round(seen[0][1]), round(late[0][1]), round(seen[-1][1])],
        "MB/h": round(growth, 2),
        "connections": [before, after],
        "running": states["waiting"] + states["streaming"],
    }


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=30)
    asked.add_argument("--users", type=int, default=20)
    wishes = asked.parse_args()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # of clients that have left
    mill = Mill()
    await mill.live()
    with tempfile.TemporaryDirectory() as folder:
        serving = served(Path(folder), SETTINGS.format(port=mill.port))
        running = await asyncio.to_thread(serving.__enter__)
        try:
            told = await soak(running, mill, wishes.minutes, wishes.users)
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
        told["tracebacks"] = (Path(folder) / "log").read_text().count("Traceback")
    print(told)
    connections = told["connections"]
    assert isinstance(connections, list)
    grows = wishes.minutes * 60 > SETTLED and float(str(told["MB/h"])) >= 1.0
    if connections[1] > connections[0] or told["running"] or told["tracebacks"] or grows:
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main())
