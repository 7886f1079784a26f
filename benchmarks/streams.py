"""Many streams at once through the relay, and clients that never read: are all answered, at what cost, and who is dropped when?

    uv run python -m benchmarks.streams [--streams 1000] [--silent 100]

Headrace, a model server and the clients are a process each. First N clients ask at once; each is sent 100 events at 10/s, and has to get
all of them, in order, and an end. Then other clients ask for replies of 800 kB and read nothing, while 100 that read are timed; the
silent ones have to be hung up on after `server.write_timeout` (30 s). Figures: CPU and memory of Headrace's process, gaps between the
events of those that read. Ends by itself after about a minute and a half. Linux, for /proc.
"""

import argparse
import asyncio
import json
import multiprocessing
import re
import resource
import socket
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.serving import served

EVENTS, RATE = 100, 10
LARGE = "x" * 8_000
SETTINGS = """
[server]
max_streams = 3000
[gate]
connections = 5000
[storage]
database = "memory"
[record]
on = false
[[upstreams]]
name = "bench"
dialect = "openai_chat"
base_url = "http://127.0.0.1:{port}/v1"
models = ["small", "large"]
"""
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def model_server(told: Connection) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # a connection that was not needed after all
            writer.close()
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        large = json.loads(await reader.readexactly(length))["model"] == "large"
        writer.write(HEAD)
        began = asyncio.get_running_loop().time()
        for n in range(EVENTS):
            text = LARGE if large else f"{n} "
            chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
            writer.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            await writer.drain()
            await asyncio.sleep(began + (n + 1) / (RATE * (2 if large else 1)) - asyncio.get_running_loop().time())
        if large:
            await asyncio.sleep(60)
        writer.write(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=4096)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    _many_files()
    asyncio.run(serve())


def request(url: str, model: str) -> bytes:
    body = json.dumps({"model": f"bench/{model}", "messages": [{"role": "user", "content": "Count"}]}).encode()
    address = urlsplit(url).netloc
    head = f"POST /chat?format=text HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def read(url: str, gaps: list[float]) -> str:
    """One client that reads; what went wrong, or nothing."""
    try:
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        writer.write(request(url, "small"))
        if b" 200 " not in await reader.readline():
            return "status"
        words, last = b"", None
        await reader.readuntil(b"\r\n\r\n")
        while size := int(await reader.readline(), 16):
            words += await reader.readexactly(size)
            await reader.readline()
            now = time.perf_counter()
            if last is not None:
                gaps.append(now - last)
            last = now
        writer.close()
    except (OSError, ValueError, asyncio.IncompleteReadError) as exc:
        return type(exc).__name__
    said = b" ".join(re.findall(rb"^data:(.*)$", words, re.MULTILINE)).split()
    return "" if said == [*(b"%d" % n for n in range(EVENTS)), b"DONE"] else "text"


async def crowd(url: str, count: int, gaps: list[float]) -> list[str]:
    return [wrong for wrong in await asyncio.gather(*(read(url, gaps) for _ in range(count))) if wrong]


def silent(url: str) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((urlsplit(url).hostname, urlsplit(url).port))
    connection.sendall(request(url, "large"))
    return connection


async def dropped(url: str, count: int, within: float) -> list[float]:
    """When Headrace had given up each of the silent ones: nobody else reads their replies, so these are stopped then."""
    began = time.perf_counter()
    times: list[float] = []
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        while len(times) < count and time.perf_counter() - began < within:
            known = (await client.get("/chat")).json()["generations"]
            stopped = sum(each["model"] == "bench/large" and each["state"] == "stopped" for each in known)
            times += [time.perf_counter() - began] * (stopped - len(times))
            await asyncio.sleep(0.5)
    return times


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def rss(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


def _many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def measure(url: str, pid: int, streams: int, silents: int) -> bool:
    gaps: list[float] = []
    before, spent, began = rss(pid), cpu(pid), time.perf_counter()
    running = asyncio.create_task(crowd(url, streams, gaps))
    peak = before
    while not running.done():
        await asyncio.sleep(0.5)
        peak = max(peak, rss(pid))
    wrong, took, used = running.result(), time.perf_counter() - began, cpu(pid) - spent
    print(f"{streams} streams of {EVENTS} events at {RATE}/s: {len(wrong)} errors {sorted(set(wrong))}, {took:.1f} s")
    print(f"  CPU {used:.1f} s, {100 * used / took:.0f} % of a core, {1e6 * used / streams / EVENTS:.0f} us per event")
    print(f"  memory {before:.0f} -> {peak:.0f} MB, {1000 * (peak - before) / streams:.0f} kB per stream; gaps {told(gaps)}")

    gaps, others = [], [silent(url) for _ in range(silents)]
    dropping = asyncio.create_task(dropped(url, silents, 60))
    wrong += await crowd(url, 100, gaps) + await crowd(url, 100, gaps) + await crowd(url, 100, gaps)
    times = await dropping
    for connection in others:
        connection.close()
    print(f"{silents} that never read: {len(times)} dropped, the last after {max(times, default=0):.1f} s; 100 that do: gaps {told(gaps)}")
    return not wrong and len(times) == silents


def told(gaps: list[float]) -> str:
    cuts = statistics.quantiles(gaps, n=1000)
    return f"p50 {1000 * cuts[499]:.0f}, p99 {1000 * cuts[989]:.0f}, max {1000 * max(gaps):.0f} ms"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--streams", type=int, default=1000)
    options.add_argument("--silent", type=int, default=100)
    given = options.parse_args()
    _many_files()
    hear, say = multiprocessing.Pipe()
    upstream = multiprocessing.get_context("spawn").Process(target=model_server, args=(say,), daemon=True)
    upstream.start()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), SETTINGS.format(port=hear.recv())) as headrace:
        good = asyncio.run(measure(headrace.url, headrace.process.pid, given.streams, given.silent))
    upstream.terminate()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
