"""What many open pages cost the server: all idle, or some of them streaming.

    uv run python benchmarks/pages.py [--pages 40] [--streaming 40] [--rate 20] [--seconds 20]

A model server in this process writes to a real Headrace, and every page is one of its sockets, spoken to as the browser speaks: it loads
the page, answers patches at once, acknowledges, and draws nothing; forty browsers would measure the browsers. First all pages are idle,
then `--streaming` of them ask at once, each for `rate` tokens per second over `seconds`. `idle` is milliseconds of server CPU per second
and page over the server's own, `streaming` the cores the server takes from the first question to the last page's end, `ask` the
seconds from the questions to the last first word, `behind` from the model's last word to the last page's end. Linux only.
"""

import argparse
import asyncio
import json
import re
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import socketio

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.hard import CHARACTERS, REPLY, Case, model_server
from benchmarks.page import ROOT, cpu, process

UNESCAPED = {"&#36;": "$", "&#96;": "`", "&gt;": ">", "&lt;": "<", "&amp;": "&"}
IDLE = 10.0  # seconds


class Tab:
    """One page without a browser. `elements` are those of the page, as they were last told."""

    def __init__(self) -> None:
        self.elements: dict[str, dict[str, Any]] = {}
        self.began = asyncio.Event()
        self.ended = asyncio.Event()
        self.packets = 0
        self._next = 0
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("update", self._update)
        self._socket.on("prose", self._patch)
        self._socket.on("*", self._other)

    async def open(self, client: httpx.AsyncClient, url: str) -> None:
        html = (await client.get(url)).raise_for_status().text
        raw = html.partition("parseElements(String.raw`")[2].partition("`)")[0]
        for escaped, character in UNESCAPED.items():
            raw = raw.replace(escaped, character)
        self.elements = json.loads(raw)
        self._id = re.findall(r"'client_id': '([^']+)'", html)[0]
        own = f"document_id={secrets.token_hex(8)}&tab_id={secrets.token_hex(8)}"
        query = f"client_id={self._id}&next_message_id=0&implicit_handshake=true&{own}"
        base = url.split("/?")[0]
        await self._socket.connect(f"{base}?{query}", socketio_path="/_nicegui_ws/socket.io", transports=["websocket"])
        self._acking = asyncio.create_task(self._ack())

    async def ask(self, text: str) -> None:
        box, event = next(
            (id, event)
            for id, element in self.elements.items()
            if element.get("props", {}).get("aria-label") == "Message"
            for event in element.get("events", ())
            if event["type"] == "keydown"
        )
        await self._emit(int(box), event["listener_id"], {"text": text, "id": secrets.token_hex(16)})

    async def close(self) -> None:
        self._acking.cancel()
        await self._socket.disconnect()

    async def _emit(self, id: int, listener: str, *args: object) -> None:
        message = {"id": id, "client_id": self._id, "listener_id": listener, "args": [json.dumps(arg) for arg in args]}
        await self._socket.emit("event", message)

    def _count(self, message: dict[str, Any]) -> None:
        self.packets += 1
        self._next = max(self._next, message.get("_id", -1) + 1)

    async def _update(self, message: dict[str, Any]) -> None:
        self._count(message)
        message.pop("_id", None)
        self.elements.update({id: element for id, element in message.items() if element})
        for id, element in message.items():
            props = (element or {}).get("props", {})
            if props.get("data-state") == "finished":
                self.ended.set()
            elif props.get("data-state") == "failed":
                raise SystemExit(f"a reply failed: {self.elements}")
            if "blocks" in props and props.get("count", 0) > 1:
                await self._shown(int(id), props["count"])

    async def _patch(self, message: dict[str, Any]) -> None:
        self._count(message)
        self.began.set()
        id, n, *_, wish = message["patch"]
        if wish:
            await self._shown(id, n)

    async def _shown(self, id: int, count: int) -> None:
        for event in self.elements.get(str(id), {}).get("events", ()):
            if event["type"] == "shown":
                await self._emit(id, event["listener_id"], count)

    async def _other(self, event: str, message: object = None) -> None:
        if isinstance(message, dict):
            self._count(message)

    async def _ack(self) -> None:
        acked = 0
        while True:
            await asyncio.sleep(3)
            if acked < self._next:
                acked = self._next
                await self._socket.emit("ack", {"client_id": self._id, "next_message_id": acked})


async def measure(pages: int, streaming: int, rate: float, seconds: float) -> None:
    size = int(rate * seconds * CHARACTERS)
    case = Case((REPLY * (size // len(REPLY) + 1))[:size] + " end", rate)
    async with model_server(case) as (upstream, ended):
        settings = f'[[upstreams]]\nname = "hard"\ndialect = "openai_chat"\nbase_url = "http://127.0.0.1:{upstream}/v1"\n'
        async with process(str(ROOT / "main.py"), "--server.port", "0", ready=r":(\d+) ", settings=settings) as (pid, port):
            await asyncio.sleep(2)
            alone = await idle(pid)
            tabs = [Tab() for _ in range(pages)]
            async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                used = cpu(pid)
                for tab in tabs:
                    await tab.open(client, f"http://127.0.0.1:{port}/?model=hard/hard")
                opened = (cpu(pid) - used) / pages * 1000
            await asyncio.sleep(2)
            waiting = (await idle(pid) - alone) / pages * 1000
            print(f"{pages} pages: {opened:.1f} ms of CPU to open one; idle {waiting:.2f} ms/s each", flush=True)
            if streaming:
                await ask(pid, tabs, streaming, rate, ended)
            for tab in tabs:
                await tab.close()


async def idle(pid: int) -> float:
    """Cores"""
    used = cpu(pid)
    await asyncio.sleep(IDLE)
    return (cpu(pid) - used) / IDLE


async def ask(pid: int, tabs: list[Tab], streaming: int, rate: float, ended: list[float]) -> None:
    packets, used, began = sum(tab.packets for tab in tabs), cpu(pid), time.time()
    asking = tabs[:streaming]
    for number, tab in enumerate(asking):
        await tab.ask(f"Question {number}")
    await asyncio.wait_for(asyncio.gather(*(tab.began.wait() for tab in asking)), 120)
    first = time.time() - began
    await asyncio.wait_for(asyncio.gather(*(tab.ended.wait() for tab in asking)), 300)
    done = time.time()
    used, packets = cpu(pid) - used, sum(tab.packets for tab in tabs) - packets
    print(
        f"{streaming} streaming, {rate:g} tokens/s each: {used / (done - began):.3f} cores ({used:.2f} s in {done - began:.1f} s), "
        f"{packets / len(tabs) / (done - began):.1f} packets/s per page, ask {first:.2f} s, behind {done - max(ended):.2f} s"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--streaming", type=int, default=40)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    await measure(given.pages, min(given.streaming, given.pages), given.rate, given.seconds)


if __name__ == "__main__":
    asyncio.run(main())
