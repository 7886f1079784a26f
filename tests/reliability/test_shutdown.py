"""SIGTERM with fifty open streams: every one of them is told how it ends, and the next process has it all."""

import asyncio
import json
import signal
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread

import httpx
from playwright.sync_api import Browser, Page

from tests.reliability.following import Transcript, check_numbers, patient
from tests.serving import Served, served
from tests.ui.picking import choose
from tests.ui.test_chat_page import answers, ask, expect_state, expect_words, visit, wait_until_longer, whole

NATIVE, OPENAI, PAGES = 24, 24, 2
ENDLESS = "100000 tokens at 50 tokens/s, only prose"
SETTINGS = "[server]\ndrain = 0.5\n[storage]\nkeep = 1000\n"


class Streams(Thread):
    """The clients of the API: native and OpenAI streams, all open, until the server ends them."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.native = [Transcript(partial(self._heard, number)) for number in range(NATIVE)]
        self.openai: dict[str, list[bytes]] = {}
        self.all_run = Event()
        self._frames: Counter[int] = Counter()

    def _heard(self, stream: int, frames: int) -> None:
        """Ten frames are some words in any case."""
        self._frames[stream] += frames
        if sum(heard > 10 for heard in self._frames.values()) == NATIVE + OPENAI:
            self.all_run.set()

    def run(self) -> None:
        asyncio.run(self._read())

    async def _read(self) -> None:
        async with patient() as client:
            await asyncio.gather(
                *(each.ask(client, self.url, ENDLESS) for each in self.native),
                *(self._ask(client, NATIVE + number) for number in range(OPENAI)),
            )

    async def _ask(self, client: httpx.AsyncClient, stream: int) -> None:
        body = {"model": "rehearsal/longform", "stream": True, "messages": [{"role": "user", "content": ENDLESS}]}
        async with client.stream("POST", f"{self.url}/v1/chat/completions", json=body) as response:
            lines = self.openai[response.headers["headrace-generation"]] = []
            async for line in response.aiter_lines():
                if line:
                    lines.append(line.encode())
                    self._heard(stream, 1)


def test_fifty_streams_end_well_and_are_there_after_a_restart(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, SETTINGS) as running:
        pages = [begun(browser, running) for _ in range(PAGES)]
        streams = Streams(running.url)
        streams.start()
        assert streams.all_run.wait(60)
        began = time.monotonic()
        assert running.terminate() == 0
        told = {"streams": NATIVE + OPENAI, "pages": PAGES, "seconds until the end": round(time.monotonic() - began, 2)}
        print(f"\n{told}")  # noqa: T201
        streams.join(60)
        assert not streams.is_alive()
    for transcript in streams.native:
        check_numbers(transcript.frames)
        assert b"event: failed\n" in transcript.frames[-1]
        assert b'"code":"interrupted"' in transcript.frames[-1]
    for lines in streams.openai.values():
        assert b'"interrupted"' in lines[-1] or b'"interrupted"' in lines[-2]
    for page in pages:
        expect_state(answers(page), "interrupted")
    with served(tmp_path, SETTINGS) as again, httpx.Client(base_url=again.url) as client:
        states = [line["state"] for line in client.get("/chat").json()["generations"]]
        assert states == ["interrupted"] * (NATIVE + OPENAI + PAGES)
        for transcript in streams.native:
            replayed = client.get(f"/chat/{transcript.id}?after=0")
            assert replayed.content == b"".join(frame + b"\n\n" for frame in transcript.frames)
        for id, lines in streams.openai.items():
            assert said(client, id) == "".join(deltas(lines))
        for page in pages:
            fresh = browser.new_page()
            visit(fresh, f"{again.url}/c/{page.url.partition('/c/')[2]}")
            expect_state(answers(fresh), "interrupted")
            expect_words(answers(page), whole(answers(fresh)))
            fresh.close()
            page.context.close()


def begun(browser: Browser, running: Served) -> Page:
    page = browser.new_context().new_page()
    visit(page, running.url)
    choose(page, "longform")
    answer = ask(page, ENDLESS)
    wait_until_longer(page, answer, 50)
    return page


def deltas(lines: list[bytes]) -> list[str]:
    chunks = [json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: {")]
    return [choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", [])]


def said(client: httpx.Client, id: str) -> str:
    reply = client.get(f"/chat/{id}").json()
    assert reply["state"] == "interrupted"
    return "".join(part["text"] for part in reply["parts"])


def test_a_second_signal_does_not_wait_for_the_first_ones_patience(tmp_path: Path) -> None:
    with served(tmp_path, "[server]\ndrain = 60.0\n") as running:
        streams = Streams(running.url)
        streams.start()
        assert streams.all_run.wait(60)
        running.process.send_signal(signal.SIGTERM)
        wait_until_refused(running.url)
        assert running.terminate() == 0
        streams.join(60)
        assert not streams.is_alive()
    for transcript in streams.native:
        assert b'"code":"interrupted"' in transcript.frames[-1]
    assert len(streams.openai) == OPENAI


def wait_until_refused(url: str) -> None:
    """The first signal has been heard: nothing new is taken."""
    with httpx.Client() as client, suppress(httpx.TransportError):
        while (
            client.post(f"{url}/chat", json={"model": "rehearsal/echo", "messages": [{"role": "user", "content": "Hello"}]}).status_code
            != 503
        ):
            pass
