"""What is let in: headers, bodies, connections, websockets and pages have their bounds, and who keeps to them notices nothing."""

import asyncio
import selectors
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.api.body import Body
from services.api.capacity import Capacity
from services.api.crowd import Crowd
from services.errors import RequestError
from tests.serving import QUIET, Served, served
from ui import sockets
from ui.sockets import greeted

GATE = f"""
[server]
max_body = 5000
[gate]
header_bytes = 4000
header_count = 20
header_time = 0.5
body_time = 0.5
sockets = 3
peer_sockets = 2
peer_pages = 5
messages = 50
{QUIET}"""
SMALL = """
[gate]
connections = 8
header_time = 600.0
[server]
drain = 0.0
[rehearsal]
speed = 5.0
"""
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("limits"), GATE) as running:
        yield running


def say(house: Served, *pieces: bytes) -> bytes:
    """Send this and nothing more; all that comes until the server hangs up."""
    address = urlsplit(house.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        came = b""
        while data := connection.recv(65536):
            came += data
    return came


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"connection: close\r\n\r\n", b"200"),
        (HEAD + b"A: b\r\n" * 17 + b"connection: close\r\n\r\n", b"200"),
        (HEAD + b"A: b\r\n" * 20 + b"\r\n", b"431"),
        (HEAD + b"A: " + b"b" * 4000 + b"\r\n\r\n", b"431"),
        (HEAD + b"A: " + b"b" * 4000, b"431"),
        (b"GET /" + b"b" * 4000, b"431"),
        (HEAD, b"408"),
        (b"GET", b"408"),
        (b"\r\n", b"408"),
        (b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{", b"408"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00", b"400"),
        (b"GET / HTTP/1.0\r\nConnection: close\r\n\r\n", b"421"),
        (HEAD + b"Host: localhost\r\nConnection: close\r\n\r\n", b"421"),
    ],
    ids=lambda case: repr(case[-30:]) if isinstance(case, bytes) else case,
)
def test_headers_and_bodies_have_their_bounds_and_their_time(house: Served, sent: bytes, status: bytes) -> None:
    answer = say(house, sent)
    assert answer[:12] == b"HTTP/1.1 " + status
    assert answer.count(b"HTTP/1.1 ") == 1
    if status != b"408":
        assert b"content-security-policy" in answer


def test_a_connection_that_says_nothing_is_closed_without_a_word(house: Served) -> None:
    assert say(house) == b""


def test_who_sends_headers_byte_by_byte_is_hung_up_on_and_nobody_else_notices(house: Served) -> None:
    """However often a byte comes: the time of the headers is that of all of them."""
    address = urlsplit(house.url)
    with ExitStack() as until_the_end:
        slow = [until_the_end.enter_context(socket.create_connection((address.hostname, address.port), timeout=20)) for _ in range(5)]
        for connection in slow:
            connection.sendall(HEAD)
        dripping, answers = dict(enumerate(slow)), until_the_end.enter_context(selectors.DefaultSelector())
        for number, connection in dripping.items():
            answers.register(connection, selectors.EVENT_READ, number)
        for drip in range(900):  # a byte of a header's name each time: 900 are fewer than gate.header_bytes
            for hung_up, _ in answers.select(0.02):
                answers.unregister(hung_up.fileobj)
                del dripping[hung_up.data]
            for connection in dripping.values():
                with suppress(ConnectionError):
                    connection.sendall(b"a")
            if drip % 10 == 0:
                assert httpx.get(f"{house.url}/healthz", trust_env=False).status_code == 200
            if not dripping:
                break
        assert not dripping
        for connection in slow:
            with suppress(ConnectionResetError):  # a byte that crossed with the answer
                assert connection.recv(12) in (b"HTTP/1.1 408", b"")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With few places, and all the time of the world."""
    with served(tmp_path_factory.mktemp("small"), SMALL) as running:
        yield running


def test_who_asks_nothing_gives_way_where_all_places_are_taken(small: Served) -> None:
    address = urlsplit(small.url)
    with ExitStack() as until_the_end:
        slow = [until_the_end.enter_context(socket.create_connection((address.hostname, address.port), timeout=20)) for _ in range(8)]
        for connection in slow[1:]:
            connection.sendall(HEAD)
        slow[0].sendall(HEAD + b"\r\n")  # asked, and is idle since: the last one to go
        assert slow[0].recv(12) == b"HTTP/1.1 200"
        for _ in range(3):
            assert httpx.get(f"{small.url}/healthz", trust_env=False).status_code == 200
        refused = slow[1].recv(65536)
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"(gate.connections)" in refused
        slow[7].sendall(b"connection: close\r\n\r\n")
        assert slow[7].recv(12) == b"HTTP/1.1 200"


def test_who_is_being_answered_gives_way_to_nobody(small: Served) -> None:
    question = b'{"model":"rehearsal/echo","messages":[{"role":"user","content":"' + b"word " * 400 + b'"}]}'
    address = urlsplit(small.url)
    with ExitStack() as until_the_end:
        asking = [until_the_end.enter_context(socket.create_connection((address.hostname, address.port), timeout=20)) for _ in range(8)]
        for connection in asking:
            connection.sendall(POST % (len(question), question))
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert say(small).startswith(b"HTTP/1.1 503")
        assert all(connection.recv(1) for connection in asking)


def test_requests_one_after_the_other_and_at_once_are_answered(house: Served) -> None:
    once = HEAD + b"\r\n"
    assert say(house, once * 3 + HEAD + b"connection: close\r\n\r\n").count(b"200 OK") == 4
    with httpx.Client(base_url=house.url, trust_env=False) as client:
        large = client.post("/chat", content=iter([b"a" * 4000] * 4), headers={"content-type": "application/json"})
        assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
        assert client.get("/healthz").status_code == 200


def test_an_upload_for_the_pages_is_counted_too(house: Served) -> None:
    content = iter([b"a" * 4000] * 4)
    response = httpx.post(
        f"{house.url}/_nicegui/client/none/upload/1", content=content, headers={"content-type": "text/plain"}, trust_env=False
    )
    assert response.status_code in (404, 413)


async def test_so_many_websockets_of_one_address(house: Served) -> None:
    url = house.url.replace("http", "ws") + SOCKET
    async with connect(url) as one, connect(url) as two:
        assert (await one.recv())[:1] == (await two.recv())[:1] == "0"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url)
        assert refused.value.response.status_code == 403
    for _ in range(200):  # soon, once the server has seen the others go
        with suppress(InvalidStatus):
            async with connect(url) as again:
                assert str(await again.recv()).startswith("0")
                return
        await asyncio.sleep(0.05)
    raise AssertionError("the places of those that went are not free again")


@pytest.mark.parametrize("origin", ["null", "http://evil.test", "http://127.0.0.1:1", "http://127.0.0.1.evil.test"])
async def test_a_websocket_of_another_origin_is_refused(house: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(house.url.replace("http", "ws") + SOCKET, origin=origin)  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403


NONSENSE: list[str | bytes] = [
    "zzz",
    "9",
    "42[",
    '42["event"]',
    '42["event",5]',
    '42["event",{}]',
    '42["handshake",{}]',
    '42["log",{"client_id":[]}]',
    b"\0\1",
    "4" * 5,
]


async def test_what_is_no_message_ends_the_websocket_at_most_and_fills_no_log(
    house: Served, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = house.url.replace("http", "ws") + SOCKET
    for nonsense in NONSENSE:
        async with connect(url) as websocket:
            await websocket.recv()
            await websocket.send("40")
            assert str(await websocket.recv()).startswith("40")
            await websocket.send(nonsense)
            with suppress(ConnectionClosed):
                await websocket.send('420["handshake",{}]')
                assert await websocket.recv() in ("430[false]", "1")
    (folder,) = tmp_path_factory.getbasetemp().glob("limits?")
    assert "Traceback" not in (folder / "log").read_text()


def test_so_many_pages_that_are_asked_for_and_left(house: Served) -> None:
    with httpx.Client(base_url=house.url, trust_env=False) as client:
        answers = [client.get("/inspect") for _ in range(8)]
        assert {answer.status_code for answer in answers[:3]} == {200}
        assert (answers[-1].status_code, answers[-1].json()["error"]["code"]) == (429, "rate_limited")
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60
        shown = client.get("/inspect", headers={"accept": "text/html,*/*;q=0.8"})
        assert (shown.status_code, shown.headers["content-type"]) == (429, "text/html; charset=utf-8")
        assert '<p role="alert">Too many pages' in shown.text
        assert client.get("/static/headrace.css").status_code == client.get("/healthz").status_code == 200


# The same without a server, where time can be had for nothing


async def nothing(message: Message) -> None:
    pass


async def test_a_page_whose_websocket_opens_is_not_counted() -> None:
    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x-nicegui-content", b"page")]})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    said: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    crowd = Crowd(pages, Capacity(peer_pages=2), str)
    page = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("127.0.0.1", 1)}
    for _ in range(5):
        await crowd(page, receive, send)
        await crowd({**page, "type": "websocket"}, receive, nothing)
    for _ in range(3):
        await crowd(page, receive, send)
    await crowd({**page, "client": ("127.0.0.2", 1)}, receive, send)
    assert said == [200] * 7 + [429, 200]


@pytest.mark.parametrize("path", ["/", "/_nicegui/a.js", "/static/a.css"])
async def test_who_leaves_before_their_page_is_there_is_no_error(path: str) -> None:
    """What the framework is built on takes it for one, and its traceback would fill the log."""

    async def leaves(scope: Scope, receive: Receive, send: Send) -> None:
        """Without an answer: nobody is there who would get it."""

    async def passes(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    page = {"type": "http", "method": "GET", "path": path, "headers": [], "client": ("127.0.0.1", 1)}
    app = BaseHTTPMiddleware(leaves, passes)
    with pytest.raises(RuntimeError):
        await app(page, receive, nothing)
    await Crowd(app, Capacity(), str)(page, receive, nothing)


@pytest.fixture
async def heard() -> list[int]:
    """What an app hears of a body of 9 bytes that may have 5."""
    pieces, sizes = iter([b"aaa", b"aaa", b"aaa"]), []

    async def receive() -> Message:
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            sizes.append(len(message["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})  # it goes nowhere: the client has its answer

    async def refuse(error: RequestError, scope: Scope, receive: Receive, send: Send) -> None:
        sizes.append(error.status)

    async def told(message: Message) -> None:
        sizes.append(message["status"])

    await asyncio.wait_for(Body(app, refuse, {"type": "http"}, receive, told, most=5, patience=9).run(), 5)
    return sizes


async def test_an_app_hears_that_the_client_has_left(heard: list[int]) -> None:
    assert heard == [3, 413]


async def test_a_websocket_that_is_of_no_page_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HANDSHAKE", 0.01)
    said: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {}

    async def send(message: Message) -> None:
        said.append(message)

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass

    await asyncio.wait_for(greeted(pages)({"type": "websocket", "query_string": b"client_id=none"}, receive, send), 5)
    assert [message["type"] for message in said] == ["websocket.close"]
