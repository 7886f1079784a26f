"""The client check over HTTP: our own readers pass all of it, a careless client is found out, and what was on the wire is noted."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.errors import HeadraceError
from services.events import Event, Failed, PartDelta
from services.messages import Message, Text, Turn
from services.upstream import READERS
from services.upstream.connections import Connections
from services.upstream.http import HTTPUpstream
from services.upstream.patience import Timeouts
from services.wire.sse import SSEDecoder
from tests.serving import Served, served

TURN = Turn("any", (Message("user", (Text("Hello, who are you?"),)),))
PATIENT = Timeouts(connect=5, first_byte=20, gap=20, total=40)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("lab")
    with served(folder, "[rehearsal]\nspeed = 1e9\n") as running:
        yield running
    log = (folder / "log").read_text()
    assert "ERROR" not in log, log


def call(method: str, url: str, body: object = None) -> Any:
    answer = httpx.request(method, url, json=body, trust_env=False, timeout=20)
    assert answer.is_success, answer.text
    return answer.json()


def begin(url: str, dialect: str, *only: str) -> Any:
    return call("POST", f"{url}/lab/runs", {"dialect": dialect, "client": "a test", "only": only})


async def read(base_url: str, dialect: str) -> dict[str, Any]:
    events: list[Event] = []
    connections = Connections()
    upstream = HTTPUpstream("checked", READERS[dialect], base_url, connections, max_reply=400_000, timeouts=PATIENT)
    error = None
    try:
        await upstream.read(TURN, events.extend)
    except HeadraceError as exc:
        error = exc.message
    finally:
        await connections.close()
    failed = [event.message for event in events if isinstance(event, Failed)]
    return {"text": "".join(event.text for event in events if isinstance(event, PartDelta)), "error": error or next(iter(failed), None)}


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "ollama"])
async def test_our_own_readers_pass(lab: Served, dialect: str) -> None:
    run = await asyncio.to_thread(begin, lab.url, dialect)

    async def check(case: dict[str, Any]) -> None:
        reported = await read(case["base_url"], dialect)
        await asyncio.to_thread(call, "POST", case["report_url"], reported)

    waiting = [case for case in run["cases"] if not case["name"].startswith("stall") or dialect == "anthropic"]
    await asyncio.gather(*map(check, waiting))
    told = await asyncio.to_thread(call, "GET", f"{lab.url}/lab/runs/{run['id']}")
    bad = {case["name"]: case["result"] for case in told["cases"] if case["result"] and case["result"]["verdict"] != "correct"}
    assert bad == {}
    assert told["good"] == len(waiting)
    assert all(case["seen"]["asked"] == 1 for case in told["cases"] if case["result"])


def careless(case: dict[str, Any], path: str, body: object) -> dict[str, Any]:
    """It takes whatever came for all of it, as long as the server says 200."""
    text, heard = "", b""
    try:
        with httpx.stream("POST", case["base_url"] + path, json=body, trust_env=False, timeout=20) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                heard += piece
    except httpx.HTTPStatusError as exc:
        return {"text": "", "error": str(exc)}
    except httpx.TransportError:
        pass
    for event, said, _ in SSEDecoder().feed(heard):
        if event == "delta":
            text += httpx.Response(200, content=said).json()["text"]
    return {"text": text, "error": None}


def test_a_careless_client_is_found_out(lab: Served) -> None:
    names = {"none": "correct", "reset-middle": "false_success", "no-terminator": "false_success", "http-500": "correct"}
    run = begin(lab.url, "headrace", "bom", *names)
    for case in run["cases"]:
        if case["name"] in names:
            body = {"model": "gpt-9", "messages": [{"role": "user", "content": "What is the weather?"}]}
            result = call("POST", case["report_url"], careless(case, "/chat?model=rehearsal/guide", body))
            assert result["verdict"] == names[case["name"]], case["name"]
    card = httpx.get(run["card_url"], trust_env=False).text
    assert "2 of 5 correct; 2 false success, 1 not run." in card


def test_who_resumes_meets_the_fault_once(lab: Served) -> None:
    run = begin(lab.url, "event_source", "cut-middle")
    (case,) = run["cases"]
    started = httpx.post(f"{case['base_url']}/chat", json={"on_disconnect": "keep"}, trust_env=False, timeout=20)
    url = f"{case['base_url']}/chat/{started.headers['headrace-generation']}"
    events = {"accept": "text/event-stream"}
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url, headers=events, trust_env=False, timeout=20)
    assert '"type":"end"' in httpx.get(url, headers=events, trust_env=False, timeout=20).text
    (told,) = call("GET", f"{lab.url}/lab/runs/{run['id']}")["cases"]
    assert (told["seen"]["asked"], told["result"]) == (2, None)


def test_who_leaves_early_is_noted(lab: Served) -> None:
    run = begin(lab.url, "openai_chat", "drip")
    (case,) = run["cases"]
    asked = {"model": "x", "messages": [{"role": "user", "content": "x"}], "stream": True}
    with httpx.stream("POST", f"{case['base_url']}/chat/completions", json=asked, trust_env=False, timeout=20) as answer:
        next(answer.iter_bytes())
    for _ in range(200):
        time.sleep(0.02)
        (told,) = call("GET", f"{lab.url}/lab/runs/{run['id']}")["cases"]
        if told["seen"]["left"]:
            break
    assert told["seen"]["left"] == 1


def test_half_a_character_can_be_reported(lab: Served) -> None:
    run = begin(lab.url, "openai_chat", "surrogates")
    (case,) = run["cases"]
    answer = httpx.post(case["report_url"], content=b'{"text": "half \\ud83d", "error": "x"}', trust_env=False)
    assert (answer.status_code, answer.json()["text"]) == (200, "half \ufffd")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/lab/runs", {"dialect": "nonsense"}, 422),
        ("POST", "/lab/runs", {"dialect": ["openai_chat"]}, 422),
        ("POST", "/lab/runs", {"dialect": "ollama", "only": ["cr"]}, 422),
        ("POST", "/lab/runs", {"dialect": "ollama", "only": 1}, 422),
        ("GET", "/lab/runs/nothing", None, 404),
        ("POST", "/lab/runs/nothing/none", {}, 404),
        ("POST", "/lab/runs/{run}/nothing", {}, 404),
        ("POST", "/lab/runs/{run}/none", {"text": 1}, 422),
        ("POST", "/lab/runs/{run}/none", [], 422),
        ("POST", "/lab/case/nothing/none/chat", {}, 404),
        ("POST", "/lab/case/{run}/nothing/chat", {}, 404),
        ("POST", "/lab/case/{run}/none/attachments", {}, 404),
        ("GET", "/lab/case/{run}/none/chat/../models", None, 404),
        ("POST", "/lab/case/{run}/none/chat", [], 422),
    ],
)
def test_what_makes_no_sense_is_refused(lab: Served, method: str, path: str, body: object, status: int) -> None:
    run = begin(lab.url, "headrace")["id"]
    answer = httpx.request(method, lab.url + path.format(run=run), json=body, trust_env=False)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
