"""What one streamed reply on the page costs: server CPU, bytes on the wire, browser CPU, stalls; and a cold start.

    uv run python benchmarks/page.py [--tokens 8000] [--rate 100] [--peer]

A real server, its model server in another process, headless Chromium, and between them a proxy on loopback that counts the
bytes of both directions, TCP payload after compression. CPU is the processes' own, from /proc (Linux). --peer measures the usual
ui.markdown page in the same run, which makes its text itself. Bounded: about tokens / rate seconds for each page.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
from playwright.async_api import Page, async_playwright

ROOT = Path(__file__).parent.parent
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
TICKS = os.sysconf("SC_CLK_TCK")
WINDOWS = (0.075, 0.175, 0.85, 0.95)  # parts of the reply: a tenth of it around its first eighth, and a tenth near its end
LONG_TASKS = (
    "window.__tasks = []; new PerformanceObserver(l => l.getEntries().forEach(e => __tasks.push(e.duration))).observe({type: 'longtask'});"
)
MOCK = '[[upstreams]]\nname = "mock"\ndialect = "openai_chat"\nbase_url = "http://127.0.0.1:{}/rehearsal/openai_chat"\n'
FINISHED = '[data-role="assistant"][data-state="finished"]'
END = f"""new Promise((done) => {{
    const look = () => document.querySelector('{FINISHED}') && done(Date.now() / 1000);
    new MutationObserver(look).observe(document.body, {{ subtree: true, attributes: true, childList: true }});
}})"""


Start = Callable[[Page], Awaitable[None]]


class Row(NamedTuple):
    """Seconds, milliseconds of CPU per thousand tokens, bytes, MB: as the table's head says"""

    page: str
    server: float
    early: float
    late: float
    wire: int
    browser: float
    longest: float
    lag: float | None
    rss: float


def cpu(pid: int) -> float:
    """Seconds of user and system time of a process and its descendants."""
    total = 0.0
    for process in (pid, *descendants(pid)):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for child in " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")).split():
        found += [int(child), *descendants(int(child))]
    return found


def rss(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


class Counter:
    """A proxy on loopback; `bytes` counts what went through, both ways."""

    def __init__(self, port: int) -> None:
        self.bytes = 0
        self._to = port

    async def start(self) -> str:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self._server = server
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._pass(reader, up_writer), self._pass(up_reader, writer), return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            self.bytes += len(data)
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def process(*command: str, ready: str, settings: str = "") -> AsyncIterator[tuple[int, int]]:
    """A server: its pid and port, once its standard output says `ready` (or its port answers)."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "NICEGUI_"))}
    with tempfile.TemporaryDirectory() as folder:
        env |= {"HEADRACE_SETTINGS": str(Path(folder) / "settings.toml"), "PYTHONUNBUFFERED": "1"}
        (Path(folder) / "settings.toml").write_text(settings)
        running = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=folder, env=env, stdout=asyncio.subprocess.PIPE)
        try:
            assert running.stdout
            yield running.pid, int(await asyncio.wait_for(port_of(running.stdout, ready), 30))
        finally:
            running.send_signal(signal.SIGTERM)
            await running.wait()


async def port_of(out: asyncio.StreamReader, ready: str) -> int:
    if ready.isdigit():
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", int(ready))
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return int(ready)
    line = (await out.readline()).decode()
    return int(re.findall(ready, line)[0])


async def measure(name: str, pid: int, port: int, tokens: int, rate: float, prepare: Start, start: Start) -> Row:
    counter = Counter(port)
    url = await counter.start()
    async with async_playwright() as playwright:
        chromium = shutil.which("chromium")
        assert chromium, "install Chromium, on Debian with `apt-get install chromium`"
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        page = await browser.new_page()
        await page.add_init_script(LONG_TASKS)
        await page.goto(url)
        await page.wait_for_function("window.did_handshake === true")
        await prepare(page)
        await asyncio.sleep(2)
        await page.evaluate("__tasks.length = 0")
        end = asyncio.ensure_future(page.evaluate(END))
        wire, drawn, used, began = counter.bytes, browser_cpu(), cpu(pid), time.monotonic()
        await start(page)
        seconds = tokens / rate
        ended = asyncio.ensure_future(ending(port, seconds)) if start is send else None
        marks = [await cpu_at(pid, began + part * seconds) for part in WINDOWS]
        seen = await asyncio.wait_for(end, seconds * 3 + 60)
        lag = seen - await ended if ended else None
        used, drawn, wire = cpu(pid) - used, browser_cpu() - drawn, counter.bytes - wire
        longest = await page.evaluate("Math.max(0, ...window.__tasks)")
        await browser.close()
    early, late = ((till - since) / 0.1 / tokens * 1e6 for since, till in (marks[:2], marks[2:]))
    return Row(name, used, early, late, wire, drawn, longest, lag, rss(pid))


async def cpu_at(pid: int, moment: float) -> float:
    await asyncio.sleep(max(moment - time.monotonic(), 0))
    return cpu(pid)


def browser_cpu() -> float:
    return sum(cpu(pid) for pid in descendants(os.getpid()) if "chrom" in name_of(pid) and "chrom" not in name_of(parent(pid)))


def name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text()


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def write_question(page: Page, question: str) -> None:
    await page.goto(f"{page.url}?model=mock/longform")
    await page.wait_for_function("window.did_handshake === true")
    await page.get_by_role("textbox", name="Message").fill(question)


async def send(page: Page) -> None:
    await page.get_by_role("textbox", name="Message").press("Enter")


async def nothing(page: Page) -> None:
    """The peer's page starts by itself."""


async def cold_start() -> float:
    """Seconds from the command to the first page in a browser that has never seen it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        page = await browser.new_page()
        began = time.monotonic()
        async with process(str(ROOT / "main.py"), "--server.port", "0", ready=r":(\d+) ") as (_, port):
            await page.goto(f"http://127.0.0.1:{port}")
            await page.wait_for_selector('[aria-label="Message"]')
            took = time.monotonic() - began
        await browser.close()
    return took


async def ending(port: int, seconds: float) -> float:
    """When another reader saw the end of the last reply. It joins near the end, so that the server writes to it only then."""
    await asyncio.sleep(seconds * 0.97)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=None) as client:
        (last, *_) = (await client.get("/chat")).json()["generations"]
        async with client.stream("GET", f"/chat/{last['id']}?after={last['seq']}") as answer:
            async for _ in answer.aiter_bytes():
                pass
    return time.time()


async def text_bytes(port: int) -> int:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        (last, *_) = (await client.get("/chat")).json()["generations"]
        return len((await client.get(f"/chat/{last['id']}")).json()["text"].encode())


def table(rows: list[Row], size: int) -> str:
    """`early` and `late`: milliseconds of server CPU per thousand tokens, at an eighth of the reply and near its end.

    `lag`: from the reply's end, as another reader of the server sees it, to its end on the page.
    """
    head = (
        "page",
        "server CPU s",
        "early",
        "late",
        "late / early",
        "wire bytes per byte",
        "browser CPU s",
        "longest task ms",
        "lag s",
        "RSS MB",
    )
    lines = [head, ("---",) * len(head)]
    for row in rows:
        ratio, wire = f"{row.late / max(row.early, 1):.2f}", f"{row.wire / size:.2f}"
        times = f"{row.server:.2f}", f"{row.early:.0f}", f"{row.late:.0f}", ratio, wire, f"{row.browser:.1f}"
        lag = f"{row.lag:.3f}" if row.lag is not None else "-"
        lines.append((row.page, *times, f"{row.longest:.0f}", lag, f"{row.rss:.0f}"))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=8000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--peer", action="store_true")
    given = parser.parse_args()
    question = f"{given.tokens} tokens at {given.rate:g} tokens/s"
    starts = sorted([await cold_start() for _ in range(3)])
    print(f"cold start to first page: median {starts[1]:.2f} s of 3 ({starts[0]:.2f}-{starts[2]:.2f})\n", flush=True)
    main = str(ROOT / "main.py"), "--server.port", "0"
    async with process(*main, ready=r":(\d+) ") as (_, mock), process(*main, ready=r":(\d+) ", settings=MOCK.format(mock)) as (pid, port):
        rows = [await measure("Headrace", pid, port, given.tokens, given.rate, partial(write_question, question=question), send)]
        size = await text_bytes(port)
    if given.peer:
        async with process(str(ROOT / "benchmarks/markdown_page.py"), "18099", question, ready="18099") as (pid, port):
            rows.append(await measure("ui.markdown, 30 Hz", pid, port, given.tokens, given.rate, nothing, nothing))
    print(f"{question}, {size:,} bytes of text\n")
    print(table(rows, size))


if __name__ == "__main__":
    asyncio.run(main())
