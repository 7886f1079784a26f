"""The page when it is hard: long lists, tables, code and lines, a slow browser, many pages at once.

    uv run python benchmarks/hard.py [name ...]        about four minutes for all

A model server in this process writes the text at a pace into a real Headrace, whose page is open in headless Chromium.
`sent` is how many patches were sent, `behind` how long after the model's last word the page had it, `longest` the longest
task of the page's main thread in ms. CPU is the processes' own. Linux only.
"""

import asyncio
import json
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, Page, async_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.page import CHROMIUM, LONG_TASKS, ROOT, browser_cpu, cpu, process, rss

CHARACTERS = 3.7  # of a token
# The page has the end: its state, and the last words.
END = """(tail) => document.querySelector('[data-role="assistant"][data-state="finished"]') &&
    [...document.querySelectorAll('.hr-prose')].at(-1).textContent.slice(-400).replace(/[^a-z]/g, '').endsWith(tail)"""
COUNT = """{
    const refs = document.querySelector('#app')._vnode.component.proxy.$refs;
    const text = refs['r' + [...document.querySelectorAll('.hr-prose')].at(-1).id.slice(1)];
    text.blocks.count ?? text.count;
}"""


class Case(NamedTuple):
    """`rate` in tokens per second; `slow` times the browser is slower; `pages` that ask at once."""

    text: str
    rate: float = 300.0
    slow: float = 1.0
    pages: int = 1


def lines(line: str, size: int) -> str:
    return "".join(line.format(n) + "\n" for n in range(size // len(line)))


WORDS = "the stream carries what the rain has left, and the wheel turns a little faster than it did"
REPLY = (
    f"## Part\n\n{WORDS}. {WORDS}, `code` and **more**.\n\n- {WORDS}\n- {WORDS}\n\n```python\nfor drop in stream:\n    turn(drop)\n```\n\n"
)
CASES = {
    "list": Case(lines("- item {} **of many**, " + WORDS[:40], 32_000)),
    "table": Case("| a | b | c |\n|---|---|---|\n" + lines("| row {} | **bold** | " + WORDS[:20] + " |", 32_000)),
    "code": Case("```python\n" + lines("value = f(value, {})  # " + WORDS[:20], 32_000) + "```\n"),
    "open code": Case("```python\n" + lines("value = f(value, {})  # " + WORDS[:20], 32_000)),
    "one line": Case((WORDS + ", ") * (200_000 // 92), rate=5000),
    "64k tokens": Case(REPLY * 720, rate=5000),
    "slow browser": Case(REPLY * 17, rate=100, slow=20),
    "10 pages": Case(REPLY * 4, rate=20, pages=10),
}


@asynccontextmanager
async def model_server(case: Case) -> AsyncIterator[tuple[int, list[float]]]:
    """Answers every chat with the text; its port, and when each answer's last word was written."""
    ended: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # a connection that was only made to see whether anybody is there
            await answer((await reader.readuntil(b"\r\n\r\n")).decode().lower(), reader, writer)
        writer.close()

    async def answer(head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "content-length: " in head:
            await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
        if head.startswith("get"):
            writer.write(response("application/json", json.dumps({"data": [{"id": "hard"}]})))
        else:
            writer.write(response("text/event-stream", ""))
            if await write(writer):
                ended.append(time.time())

    async def write(writer: asyncio.StreamWriter) -> bool:
        """Whether somebody heard the end: who only wants a title leaves early."""
        began, at = time.monotonic(), 0
        while at < len(case.text) and not writer.is_closing():
            upto = int((time.monotonic() - began) * case.rate * CHARACTERS) + 4
            chunk = {"choices": [{"index": 0, "delta": {"content": case.text[at:upto]}}]}
            writer.write(f"data: {json.dumps(chunk)}\n\n".encode())
            at = upto
            await asyncio.sleep(max(1 / case.rate, 0.005))
        if writer.is_closing():
            return False
        writer.write(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        await writer.drain()
        return True

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], ended


def response(kind: str, body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n{body}".encode()


async def measure(browser: Browser, case: Case) -> str:
    async with model_server(case) as (upstream, ended):
        settings = f'[[upstreams]]\nname = "hard"\ndialect = "openai_chat"\nbase_url = "http://127.0.0.1:{upstream}/v1"\n'
        async with process(str(ROOT / "main.py"), "--server.port", "0", ready=r":(\d+) ", settings=settings) as (pid, port):
            url = f"http://127.0.0.1:{port}"
            return await run(browser, case, pid, url, ended)


async def run(browser: Browser, case: Case, pid: int, url: str, ended: list[float]) -> str:
    pages = [await opened(browser, url, case) for _ in range(case.pages)]
    await asyncio.sleep(1)
    before, used, drawn = len(ended), cpu(pid), browser_cpu()
    tail = re.sub("[^a-z]", "", case.text[-60:])[-20:]
    for page in pages:
        await page.get_by_role("textbox", name="Message").press("Enter")
    await asyncio.gather(*(page.wait_for_function(END, arg=tail, polling=20, timeout=120_000) for page in pages))
    seen = time.time()
    used, drawn = cpu(pid) - used, browser_cpu() - drawn
    longest = max([float(await page.evaluate("Math.max(0, ...__tasks)")) for page in pages])
    sent = sum([int(await page.evaluate(COUNT)) for page in pages])
    for page in pages:
        await page.close()
    return f"{used:.1f} | {drawn:.1f} | {sent} | {longest:.0f} | {seen - max(ended[before:]):.2f} | {rss(pid):.0f}"


async def opened(browser: Browser, url: str, case: Case) -> Page:
    page = await browser.new_page()
    await page.add_init_script(LONG_TASKS)
    await page.goto(f"{url}/?model=hard/hard")
    await page.wait_for_function("window.did_handshake === true")
    await page.get_by_role("textbox", name="Message").fill("Go on")
    if case.slow > 1:
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": case.slow})
    return page


async def main(names: list[str]) -> None:
    print("| case | server CPU s | browser CPU s | patches | longest task ms | behind s | RSS MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for name in names or CASES:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
            try:
                print(f"| {name} | {await measure(browser, CASES[name])} |", flush=True)
            finally:
                await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
