"""Faults in the answers of real generations: the client's stream breaks, and everything behind it stays whole."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from services.api.connection import CONNECTION
from services.api.faults import Faults
from services.events import Finished
from services.faults import FAULTS
from services.persons import ANYBODY, WHO
from services.wire.sse import SSEDecoder
from tests.faults.asking import SAID, TEXT
from tests.faults.wire import Heard, asked, hear, post
from tests.serving import Served, served

MODEL = "rehearsal/scenes"
SURFACES: dict[str, dict[str, Any]] = {
    "/chat": {"messages": SAID},
    "/chat?format=messages": {"messages": SAID},
    "/chat?format=text": {"messages": SAID},
    "/chat?format=ollama": {"messages": SAID},
    "/v1/chat/completions": {"messages": SAID, "stream": True},
    "/v1/completions": {"prompt": "text", "stream": True},
    "/v1/responses": {"input": "text", "stream": True},
    "/v1/messages": {"messages": SAID, "stream": True, "max_tokens": 500},
    "/api/chat": {"messages": SAID},
    "/api/generate": {"prompt": "text"},
    "/ai/chat": {"messages": [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "text"}]}]},
}


def get(url: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(url + path, headers=headers, trust_env=False, timeout=20)


def settled(url: str, id: str) -> dict[str, Any]:
    """The reply, once it does not run any more."""
    until = time.monotonic() + 20
    while (reply := get(url, f"/chat/{id}").json())["state"] in ("waiting", "streaming"):
        assert time.monotonic() < until, reply
    return dict(reply)


def fault(surface: str, path: str, fault: str) -> Heard:
    return asked(surface, path, {"model": MODEL, **SURFACES[path]}, f"Headrace-Fault: {fault}")


@pytest.mark.parametrize("name", ["reset-middle", "end-middle", "no-terminator", "reset-first-byte"])
@pytest.mark.parametrize("path", SURFACES)
def test_the_stream_is_broken_and_the_reply_is_whole(mock: Served, path: str, name: str) -> None:
    whole = asked(mock.url, path, {"model": MODEL, **SURFACES[path]})
    before = {summary["id"] for summary in get(mock.url, "/chat").json()["generations"]}
    heard = fault(mock.url, path, name)
    [id] = {summary["id"] for summary in get(mock.url, "/chat").json()["generations"]} - before
    assert heard.header("headrace-generation") == ("" if name == "reset-first-byte" else id)
    assert len(heard.body) < len(whole.body)
    assert heard.end == ("rst" if name.startswith("reset") else "fin")
    reply = settled(mock.url, id)
    assert (reply["text"], reply["state"], reply["done"]) == (TEXT, "finished", True)


@pytest.mark.parametrize("path", SURFACES)
def test_a_refusal_in_the_dialect_begins_no_generation(mock: Served, path: str) -> None:
    before = get(mock.url, "/chat").json()
    heard = fault(mock.url, path, "http-429=3600")
    assert (heard.status, heard.header("retry-after")) == (429, "3600")
    assert (heard.body[:1] == b"{") is not path.startswith("/ai")
    assert get(mock.url, "/chat").json() == before


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/chat", b'event: failed\ndata: {"type":"failed","code":"fault"'),
        ("/v1/chat/completions", b'data: {"error":{"message":'),
        ("/v1/responses", b'event: error\ndata: {"type":"error","sequence_number":'),
        ("/v1/messages", b'event: error\ndata: {"type":"error","error":{"type":"api_error"'),
        ("/api/chat", b'{"error":"This'),
        ("/ai/chat", b'data: {"type":"error","errorText":"This'),
    ],
)
def test_an_error_in_the_middle_is_one_of_the_dialect(mock: Served, path: str, told: bytes) -> None:
    heard = fault(mock.url, path, "error-frame")
    before, found, after = heard.body.rpartition(told)
    assert found
    assert before.endswith(b"\n")
    assert after.count(b"\n") == (1 if path.startswith("/api") else 2)
    assert heard.whole


def test_what_was_missed_is_there_to_resume(mock: Served) -> None:
    heard = fault(mock.url, "/chat", "reset-middle")
    got = [(data, int(id)) for _, data, id in SSEDecoder().feed(heard.body)]
    settled(mock.url, heard.header("headrace-generation"))
    rest = get(mock.url, heard.header("location"), **{"last-event-id": str(got[-1][1])})
    got += [(data, int(id)) for _, data, id in SSEDecoder().feed(rest.content)]
    said = [json.loads(data) for data, _ in got]
    assert "".join(each["text"] for each in said if each["type"] == "delta") == TEXT
    assert [id for _, id in got] == sorted({id for _, id in got})
    assert said[-1]["type"] == "end"


def test_a_resumed_stream_can_break_again(mock: Served) -> None:
    place = fault(mock.url, "/chat", "burst").header("location")
    with post(mock.url, f"{place}?after=0&fault=cut-middle", None, "Accept: text/event-stream", method="GET") as connection:
        heard = hear(connection)
    assert b'"type":"delta"' in heard.body
    assert (heard.whole, b'"type":"end"' in heard.body) == (False, False)


def test_what_is_broken_off_for_a_client_is_no_leaving(mock: Served) -> None:
    heard = asked(
        mock.url, "/chat?fault=reset-middle", {"model": MODEL, "messages": [{"role": "user", "content": "slow"}], "on_disconnect": "stop"}
    )
    place = heard.header("location")
    until, sooner = time.monotonic() + 20, len(get(mock.url, place).json()["text"])
    while (reply := get(mock.url, place).json())["state"] == "streaming" and len(reply["text"]) < sooner + 20:
        assert time.monotonic() < until
    httpx.delete(mock.url + place, trust_env=False)
    assert (reply["state"], heard.end) == ("streaming", "rst")


def test_a_client_that_leaves_while_nothing_comes_has_left(mock: Served) -> None:
    slow = {"model": MODEL, "messages": [{"role": "user", "content": "slow"}]}
    with post(mock.url, "/chat?fault=stall-middle=3000", slow, close=False) as connection:
        head = b""
        while b'"type":"delta"' not in head:
            head += connection.recv(65536)
    id = head.partition(b"headrace-generation: ")[2].partition(b"\r\n")[0].decode()
    assert settled(mock.url, id)["reason"] == "stopped"


class Stuck(asyncio.Transport):
    """A connection whose client takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = asyncio.Event()

    def abort(self) -> None:
        self.aborted.set()

    def is_closing(self) -> bool:
        return self.aborted.is_set()


async def test_a_client_that_takes_nothing_is_dropped() -> None:
    connection, heard = Stuck(), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append((await receive())["type"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: word\n\n", "more_body": True})
        heard.append((await receive())["type"])

    async def receive() -> Message:
        if not heard:
            return {"type": "http.request", "body": b"{}", "more_body": False}
        await connection.aborted.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    scope = {"type": "http", "method": "POST", "path": "/chat", "query_string": b"fault=endless", "headers": [], WHO: ANYBODY}
    await Faults(app, write_timeout=0.01)({**scope, "extensions": {CONNECTION: {"transport": connection}}}, receive, send)
    assert connection.aborted.is_set()
    assert heard == ["http.request", "http.disconnect"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    ("path", "faults", "words"),
    [
        ("/chat", "nope", [*FAULTS]),
        ("/chat", "crlf=2", ["'crlf' takes no parameter"]),
        ("/chat", "split-bytes=0", ["bytes from 1 to"]),
        ("/chat", "stall-middle=nan", ["seconds from 0 to 3600", "'nan'"]),
        ("/chat", "http-429=later", ["or date, or ms, or soon"]),
        ("/api/chat", "cr", ["'cr' is for server-sent events", "split-bytes", "blank-lines"]),
        ("/v1/messages", ",".join([*FAULTS][:20]), ["At most 16"]),
    ],
)
def test_what_cannot_be_is_refused_by_name(mock: Served, path: str, faults: str, words: list[str]) -> None:
    before = get(mock.url, "/chat").json()
    heard = fault(mock.url, path, faults)
    assert heard.status == 422
    assert [word for word in words if word not in heard.body.decode()] == []
    assert get(mock.url, "/chat").json() == before


def test_a_fault_of_streams_is_refused_where_nothing_streams(mock: Served) -> None:
    heard = asked(mock.url, "/v1/chat/completions", {"model": MODEL, "messages": SAID}, "Headrace-Fault: ids")
    assert (heard.status, "split-bytes" in heard.body.decode()) == (422, True)
    whole = asked(mock.url, "/v1/chat/completions", {"model": MODEL, "messages": SAID}, "Headrace-Fault: split-bytes=9, burst")
    assert json.loads(whole.body)["choices"][0]["message"]["content"] == TEXT


@pytest.mark.parametrize(
    "path", ["/v1/models", "/models", "/chat", "/rehearsal/+http-500/openai_chat/models", "/rehearsal/+http-500/gemini/v1beta/models"]
)
def test_lists_are_answered_as_ever(mock: Served, path: str) -> None:
    assert get(mock.url, path, **{"headrace-fault": "http-500"}).status_code == 200


def test_pages_of_other_origins_may_not(mock: Served) -> None:
    heard = asked(mock.url, "/chat?fault=http-500", {"model": MODEL, "messages": SAID}, "Origin: https://evil.example")
    assert heard.status == 403


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    with served(tmp_path, "[server]\nfaults = false\n[rehearsal]\nspeed = 1e9\n") as off:
        assert get(off.url, "/rehearsal/faults").status_code == 404
        assert asked(off.url, "/chat?fault=http-500", {"model": MODEL, "messages": SAID}).status == 400
        assert TEXT[:3] in fault(off.url, "/chat", "http-500").body.decode()


def test_a_pause_does_not_keep_the_server(tmp_path: Path) -> None:
    with served(tmp_path, "[rehearsal]\nspeed = 1e9\n") as running:
        with post(running.url, "/chat?fault=stall-middle=3000", {"model": MODEL, "messages": SAID}, close=False) as connection:
            assert connection.recv(65536)
            assert running.terminate() == 0
        log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "ASGI" not in log


def test_behind_other_middleware_connections_break_as_well(tmp_path: Path) -> None:
    with served(tmp_path, '[server]\ncors_origins = ["https://app.example"]\n[rehearsal]\nspeed = 1e9\n') as running:
        body = {"model": MODEL, "messages": SAID}
        heard = asked(running.url, "/chat", body, "Headrace-Fault: reset-middle", "Origin: https://app.example")
    assert (heard.header("access-control-allow-origin"), heard.end) == ("https://app.example", "rst")


@contextlib.contextmanager
def relaying(folder: Path, url: str, **faults: str) -> Iterator[Served]:
    """A Headrace with an upstream for each of these, which is the mock with that fault."""
    upstreams = [
        f'[[upstreams]]\nname = "{name}"\ndialect = "openai_chat"\nbase_url = "{url}/rehearsal/+{asked}/openai_chat/v1"\n'
        for name, asked in faults.items()
    ]
    with served(folder, "\n".join(upstreams)) as running:
        yield running


def test_a_headrace_in_front_of_it(mock: Served, tmp_path: Path) -> None:
    """The whole way: models are listed, and what the log says of each fault is what a person reads."""
    faults = {
        "whole": "crlf,bom,split-bytes",
        "lost": "reset-middle",
        "never": "reset-first-byte",
        "later": "http-429=3600",
        "page": "html-200",
    }
    with relaying(tmp_path, mock.url, **faults) as relay:
        known = get(relay.url, "/models?refresh").json()["models"]
        assert {f"{name}/scenes" for name in faults} <= set(known)
        ends = {}
        for name in faults:
            heard = asked(relay.url, "/chat", {"model": f"{name}/scenes", "messages": SAID})
            told = [json.loads(data) for _, data, _ in SSEDecoder().feed(heard.body)]
            text = "".join(each["text"] for each in told if each["type"] == "delta")
            ends[name] = (told[-1].get("code") or told[-1]["reason"], text, sum(each.get("state") == "retrying" for each in told))
    assert ends["whole"] == (Finished("stop", None).reason, TEXT, 0)
    assert ends["lost"] == ("connection_lost", "The mill", 0)  # text was said: never again by itself
    assert ends["never"] == ("reset", "", 2)
    assert ends["later"] == ("rate_limited", "", 0)
    assert ends["page"] == ("not_a_stream", "", 0)
