"""The response that streams: heartbeats for who waits, an end for who takes nothing."""

import asyncio
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message

from services.api.native import Tail
from services.api.stream import EventStream
from services.downstream.native import EventsWriter
from services.events import Finished, PartDelta, PartStarted, Started
from services.generations.log import EventLog
from services.generations.memory import MemoryJournal
from tests.serving import Served, served


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = "[server]\nheartbeat = 0.2\nwrite_timeout = 0.4\n"
    with served(tmp_path_factory.mktemp("hurried"), settings) as running:
        yield running


def question(text: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], "on_disconnect": "keep"}


def test_an_idle_stream_has_a_heartbeat(hurried: Served) -> None:
    body = httpx.post(
        f"{hurried.url}/chat?model=rehearsal/longform", json=question("2 tokens at 1 tokens/s"), trust_env=False, timeout=20
    ).content
    first, *rest = body.split(b"\n\n")
    assert b"created" in first
    assert body.count(b":\n") >= 2
    assert all(line.split(b":")[0] in (b"", b"id", b"event", b"data") for frame in rest for line in frame.splitlines())


def test_a_busy_stream_has_none(hurried: Served) -> None:
    body = httpx.post(
        f"{hurried.url}/chat?model=rehearsal/longform", json=question("300 tokens at 300 tokens/s"), trust_env=False, timeout=20
    ).content
    assert b"\n:" not in body


def test_a_client_that_takes_nothing_is_dropped_and_can_come_back(hurried: Served) -> None:
    with httpx.Client(base_url=hurried.url, trust_env=False, timeout=20) as client:
        started = client.post("/chat?model=rehearsal/longform", json=question("60000 tokens fast"))
        id = started.headers["headrace-generation"]
        address = urlsplit(hurried.url)
        with socket.create_connection((address.hostname or "", address.port or 0)) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(f"GET /chat/{id}?after=0 HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
            deaf.recv(100)
            assert any(readers(client, id) == 0 for _ in range(3000))
        assert client.get(f"/chat/{id}?after=0").content == started.content


def readers(client: httpx.Client, id: str) -> int:
    (listed,) = [line for line in client.get("/chat").json()["generations"] if line["id"] == id]
    return int(listed["readers"])


def test_head_tells_the_headers_only(hurried: Served) -> None:
    with httpx.Client(base_url=hurried.url, trust_env=False, timeout=20) as client:
        id = client.post("/chat?model=rehearsal/echo", json=question("Hello")).headers["headrace-generation"]
        response = client.head(f"/chat/{id}?after=0")
        assert (response.status_code, response.content) == (200, b"")


class Client:
    """One that takes everything but what has the word `slow` in it, until it is let go."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.stuck, self.takes = asyncio.Event(), asyncio.Event()

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.sent.append(message.get("body", b""))
        if b"slow" in self.sent[-1]:
            self.stuck.set()
            await self.takes.wait()


def reading(client: Client, write_timeout: float = 30.0) -> tuple[EventLog, asyncio.Task[None]]:
    """A log that has begun, and its stream to this client."""
    log, started = EventLog("g", MemoryJournal()), Started("g", "m", 0)
    log.begin(b"", b"")
    log.append([started, PartStarted(0, "text")])
    stream = EventStream(log.follow(0), Tail(EventsWriter(started, {}), 0).write, headers=[], write_timeout=write_timeout)
    return log, asyncio.create_task(stream({"type": "http", "method": "GET"}, client.receive, client.send))


async def say(log: EventLog, *texts: str) -> None:
    for text in texts:
        await asyncio.sleep(0)
        log.append([PartDelta(0, text)])


async def test_a_reader_that_was_slow_for_a_moment_goes_on_when_it_has_caught_up() -> None:
    client = Client()
    log, streaming = reading(client)
    await say(log, "a word,", "a slow one,")
    await client.stuck.wait()
    client.takes.set()
    for _ in range(3):  # it catches up, and finds nothing more
        await asyncio.sleep(0)
    await say(log, "and the rest")
    log.append([Finished("stop")])
    await asyncio.wait_for(streaming, 5)
    assert b"and the rest" in b"".join(client.sent)
    assert b"event: end" in client.sent[-2]


async def test_nobody_is_dropped_for_time_in_which_we_stood_still() -> None:
    client = Client()
    log, streaming = reading(client, write_timeout=1.0)
    await say(log, "a word,", "a slow one,")
    await client.stuck.wait()
    await asyncio.sleep(0.3)  # it has been looked at
    time.sleep(1.2)  # noqa: ASYNC251  all of us
    asyncio.get_running_loop().call_later(0.02, client.takes.set)
    log.append([Finished("stop")])
    await asyncio.wait_for(streaming, 5)
    assert b"event: end" in client.sent[-2]
