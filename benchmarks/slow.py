"""Clients that take nothing, or hardly anything: when they are dropped, and what the others notice.

    uv run python -m benchmarks.slow [--readers 200]

Half of them never read, half read 10 bytes a second, each a stream that has no end. Five honest streams run beside them.
"""

import argparse
import asyncio
import json
import re
import socket
import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.soak import resident
from tests.reliability.following import patient
from tests.serving import Served, served

SETTINGS = "[rehearsal]\nspeed = 2000.0\n[server]\nmax_streams = 1000\n[log]\nlevel = 'warning'\n"
MOST = 60.0  # seconds until everybody must have been dropped


def ask(url: str) -> socket.socket:
    """An endless stream, of which next to nothing fits between us."""
    split = urlsplit(url)
    question = {"messages": [{"role": "user", "content": "100000 tokens at 500 tokens/s"}]}
    body = json.dumps(question).encode()
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((split.hostname, split.port))
    head = f"POST /chat?model=rehearsal/longform HTTP/1.1\r\nHost: {split.netloc}\r\nContent-Type: application/json\r\n"
    reader.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    reader.setblocking(False)
    return reader


async def hold(url: str, readers: list[socket.socket], others: int) -> float:
    """Seconds until no stream but the others' is open; MOST where that is not so."""
    began = time.monotonic()
    async with patient() as client:
        while (taken := time.monotonic() - began) < MOST:
            await asyncio.sleep(1)
            figures = (await client.get(f"{url}/metrics")).text
            found = re.search(r"^headrace_streams_open (\d+)", figures, re.M)
            assert found, figures
            if int(found[1]) <= others:
                return taken
            for reader in readers[1::2]:
                with suppress(OSError):
                    reader.recv(10)
    return MOST


async def honest(url: str, until: asyncio.Event) -> list[float]:
    """Seconds between what came."""
    gaps = []
    question = {"messages": [{"role": "user", "content": "100000 tokens at 50 tokens/s"}]}
    async with patient() as client, client.stream("POST", f"{url}/chat?model=rehearsal/longform", json=question) as response:
        last = time.monotonic()
        async for _ in response.aiter_raw():
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
            if until.is_set():
                break
    return gaps


async def measure(running: Served, many: int) -> dict[str, object]:
    over = asyncio.Event()
    beside = [asyncio.create_task(honest(running.url, over)) for _ in range(5)]
    readers = await asyncio.to_thread(lambda: [ask(running.url) for _ in range(many)])
    before = resident(running.process.pid)
    taken = await hold(running.url, readers, len(beside))
    over.set()
    gaps = [gap for each in await asyncio.gather(*beside) for gap in each]
    for reader in readers:
        reader.close()
    return {
        "readers": many,
        "dropped after s, at most": round(taken, 1),
        "others: p99 of gaps in ms": round(statistics.quantiles(gaps, n=100)[98] * 1000),
        "MB more": round(resident(running.process.pid) - before),
    }


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--readers", type=int, default=200)
    many = asked.parse_args().readers
    with tempfile.TemporaryDirectory() as folder:
        serving = served(Path(folder), SETTINGS)
        running = await asyncio.to_thread(serving.__enter__)
        try:
            told = await measure(running, many)
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
    print(told)
    if float(str(told["dropped after s, at most"])) > 40 or int(str(told["others: p99 of gaps in ms"])) > 250:
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main())
