"""The public mock as an ASGI app: chunk by chunk, until the end or until the client leaves; never more than allowed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from services.api.rehearsal import Mock
from services.persons import ANYBODY, WHO
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.server import Rehearsal
from services.upstream.rehearsal.tellers import VENDORS
from tests.serving import Served, served

ECHO = {"model": "echo", "messages": [{"role": "user", "content": "one two three"}], "stream": True}
PATH = "/rehearsal/openai_chat/chat/completions"
SLOW = [{"role": "user", "content": "slow"}]


class Client:
    """One request; `leave()` is the moment its socket closes."""

    def __init__(self, mock: Mock, body: Any, path: str = PATH, *, takes: bool = True) -> None:
        self.got: list[Message] = []
        self._body = json.dumps(body).encode()
        self._takes = takes
        self._left = asyncio.Event()
        self._asked = False
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": [], "server": ("t", 80), "scheme": "http"}
        scope[WHO] = ANYBODY
        self.task = asyncio.ensure_future(mock(scope, self._receive, self._send))

    def leave(self) -> None:
        self._left.set()

    @property
    def status(self) -> int:
        return int(self.got[0]["status"])

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.got).decode()

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.got.append(message)
        if not self._takes and message["type"] == "http.response.body":
            await asyncio.Event().wait()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_chunk_by_chunk() -> None:
    clock = Stepped()
    client = Client(Mock({"openai_chat": Rehearsal(clock=clock)}), ECHO)
    counts = []
    for _ in range(5):
        await settled()
        counts.append(client.text.count("data: "))
        clock.step()
    await client.task
    assert counts == [1, 2, 3, 4, 6]
    assert (client.status, client.got[-1]["more_body"]) == (200, False)


async def test_it_stops_when_the_client_leaves() -> None:
    clock = Stepped()
    client = Client(Mock({"openai_chat": Rehearsal(clock=clock)}), ECHO)
    await settled()
    assert clock.resting == 1
    client.leave()
    await client.task
    assert clock.resting == 0
    assert all(message.get("more_body", True) for message in client.got)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_it_stops_for_a_client_that_takes_nothing() -> None:
    mock = Mock({"openai_chat": Rehearsal(clock=Stepped())}, write_timeout=0.0)
    client = Client(mock, ECHO, takes=False)
    await client.task
    assert client.got[-1]["more_body"] is True


async def test_never_more_than_allowed() -> None:
    clock = Stepped()
    mock = Mock({"openai_chat": Rehearsal(clock=clock), "anthropic": Rehearsal(clock=clock, dialect="anthropic")}, most=1)
    first = Client(mock, ECHO)
    await settled()
    second = Client(mock, ECHO, "/rehearsal/anthropic/v1/messages")
    await second.task
    assert (second.status, json.loads(second.text)["error"]["type"]) == (529, "overloaded_error")
    first.leave()
    await first.task
    third = Client(mock, ECHO)
    await settled()
    assert third.status == 200
    third.leave()
    await third.task


@pytest.mark.parametrize("path", ["/rehearsal", "/rehearsal/", "/rehearsal/nope/models"])
def test_an_unknown_dialect_is_told_which_there_are(headrace: Served, path: str) -> None:
    response = httpx.get(headrace.url + path, trust_env=False, timeout=20, follow_redirects=True)
    assert response.status_code == 404
    assert all(dialect in response.json()["error"]["message"] for dialect in VENDORS)


def test_the_rehearsal_can_be_switched_off(tmp_path: Path) -> None:
    with served(tmp_path, "[rehearsal]\nenabled = false\n") as off:
        response = httpx.get(f"{off.url}/rehearsal/openai_chat/models", trust_env=False, timeout=20)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_a_stream_that_never_ends_does_not_keep_the_server(tmp_path: Path) -> None:
    slow = {**ECHO, "model": "scenes", "messages": SLOW}
    with served(tmp_path) as running:
        with httpx.stream("POST", running.url + PATH, json=slow, trust_env=False, timeout=20) as response:
            assert next(response.iter_bytes())
            assert running.terminate() == 0
        assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("dialect", "path", "body"),
    [
        ("openai_chat", "/chat/completions", {"messages": SLOW, "stream": True}),
        ("openai_completions", "/completions", {"prompt": "slow", "stream": True}),
        ("openai_responses", "/responses", {"input": "slow", "stream": True}),
        ("anthropic", "/v1/messages", {"messages": SLOW, "stream": True, "max_tokens": 5000}),
        ("gemini", "/v1beta/models/scenes:streamGenerateContent?alt=sse", {"contents": [{"parts": [{"text": "slow"}]}]}),
        ("ollama", "/api/chat", {"messages": SLOW}),
        ("ollama_generate", "/api/generate", {"prompt": "slow"}),
    ],
)
def test_slow_comes_word_by_word(headrace: Served, dialect: str, path: str, body: dict[str, Any]) -> None:
    url = f"{headrace.url}/rehearsal/{dialect}{path}"
    with httpx.stream("POST", url, json={"model": "scenes", **body}, trust_env=False, timeout=20) as response:
        read = b""
        for chunk in response.iter_bytes():
            read += chunk
            if b"drop" in read:
                break
    assert b"pond" not in read
