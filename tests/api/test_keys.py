"""`Idempotency-Key`, over HTTP: a real Headrace in front of a model server that counts how often it is asked."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import httpx
import pytest

from tests.listening import DONE, Handler, listening
from tests.serving import Served, served

UPSTREAM = '[[upstreams]]\nname = "mill"\ndialect = "openai_chat"\nbase_url = "http://127.0.0.1:{port}"\nmodels = ["m"]\n'
PATHS: dict[str, dict[str, Any]] = {
    "/chat": {"messages": [{"role": "user", "content": "Hello"}]},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hello"}]},
    "/v1/completions": {"prompt": "Hello"},
    "/v1/responses": {"input": "Hello"},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50},
    "/api/chat": {"messages": [{"role": "user", "content": "Hello"}]},
    "/api/generate": {"prompt": "Hello"},
    "/ai/chat": {"id": "1", "messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "Hello"}]}]},
}


class Counted(NamedTuple):
    """`told` lets the model server answer."""

    headrace: Served
    asked: list[str]
    told: Event
    statuses: list[int]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    asked: list[str] = []
    told = Event()
    statuses: list[int] = []

    class ModelServer(Handler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.body())["messages"][-1]["content"])
            told.wait(20)
            if statuses:
                self.send_error(statuses.pop())
                return
            choice = {"index": 0, "delta": {"content": f"Answer {len(asked)}"}, "finish_reason": "stop"}
            self.stream({"choices": [choice]}, DONE)

    with listening(ModelServer) as port, served(tmp_path_factory.mktemp("keys"), UPSTREAM.format(port=port)) as headrace:
        yield Counted(headrace, asked, told, statuses)


@pytest.fixture
def model(server: Counted) -> Iterator[Counted]:
    server.asked.clear()
    server.told.set()
    server.statuses.clear()
    yield server
    server.told.set()


def post(model: Counted, path: str, key: str | None, **more: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key is not None else {}
    return httpx.post(
        model.headrace.url + path, json={"model": "mill/m", **PATHS[path], **more}, headers=headers, trust_env=False, timeout=20
    )


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("path", PATHS)
async def test_twenty_at_once_are_one_call_and_get_the_same(model: Counted, path: str, stream: bool) -> None:
    model.told.clear()
    async with httpx.AsyncClient(base_url=model.headrace.url, trust_env=False, timeout=20) as client:
        body = {"model": "mill/m", "stream": stream, **PATHS[path]}
        waiting = [asyncio.create_task(client.post(path, json=body, headers={"idempotency-key": f"{path}{stream}"})) for _ in range(20)]
        running = {"generations": [{"readers": 0}]}
        while running["generations"][0]["readers"] < 20:
            await asyncio.sleep(0)
            running = (await client.get("/chat")).json()
        model.told.set()
        answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["headrace-generation"] for answer in answers}) == 1
    assert len({answer.content for answer in answers}) == 1
    assert b"Answer 1" in answers[0].content
    again = await asyncio.to_thread(post, model, path, f"{path}{stream}", stream=stream)
    assert again.content == answers[0].content
    assert model.asked == ["Hello"]


def test_without_a_key_or_with_another_one_every_post_asks(model: Counted) -> None:
    for key in (None, None, "one", "two"):
        post(model, "/chat", key)
    assert len(model.asked) == 4


@pytest.mark.parametrize(
    ("path", "more"),
    [("/chat", {"temperature": 0.5}), ("/chat", {"stream": False}), ("/v1/chat/completions", {})],
    ids=["option", "stream", "path"],
)
def test_the_same_key_with_another_request_is_refused(model: Counted, path: str, more: dict[str, Any]) -> None:
    key = f"other {path} {more}"
    post(model, "/chat", key)
    refused = post(model, path, key, **more)
    assert refused.status_code == 422
    assert "came with another request" in refused.json()["error"]["message"]
    assert len(model.asked) == 1


def test_the_order_of_fields_does_not_matter(model: Counted) -> None:
    body = {"model": "mill/m", **PATHS["/chat"]}
    for order in (body, dict(reversed(body.items()))):
        httpx.post(f"{model.headrace.url}/chat", json=order, headers={"idempotency-key": "order"}, trust_env=False)
    assert len(model.asked) == 1


def test_what_failed_without_a_word_is_tried_again(model: Counted) -> None:
    model.statuses.append(401)
    assert post(model, "/v1/chat/completions", "fails").status_code == 401
    assert post(model, "/v1/chat/completions", "fails").status_code == 200
    assert len(model.asked) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ü"])
def test_a_key_that_is_none_is_refused(model: Counted, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    refused = httpx.post(f"{model.headrace.url}/chat", json=PATHS["/chat"], headers=headers, trust_env=False)
    assert refused.status_code == 400
    assert model.asked == []


def test_who_sent_a_key_may_leave_and_come_back(model: Counted) -> None:
    model.told.clear()
    with httpx.Client(base_url=model.headrace.url, trust_env=False, timeout=20) as client:
        body = {"model": "mill/m", **PATHS["/chat"]}
        with client.stream("POST", "/chat", json=body, headers={"idempotency-key": "leaves"}) as response:
            generation = response.headers["headrace-generation"]
        while client.get("/chat").json()["generations"][0]["readers"]:
            pass
        model.told.set()
        again = client.post("/chat", json=body, headers={"idempotency-key": "leaves"})
    assert again.headers["headrace-generation"] == generation
    assert "Answer 1" in again.text
    assert model.asked == ["Hello"]


def test_a_background_response_is_started_once(model: Counted) -> None:
    first, second = [post(model, "/v1/responses", "background", background=True).json()["id"] for _ in range(2)]
    assert first == second


def test_a_key_expires_with_its_log(tmp_path: Path) -> None:
    settings = "[storage]\nkeep = 1\n[rehearsal]\nspeed = 1e9\n"
    with served(tmp_path, settings) as headrace, httpx.Client(base_url=headrace.url, trust_env=False) as client:
        body = {"model": "rehearsal/echo", **PATHS["/chat"]}
        ids = [client.post("/chat", json=body, headers={"idempotency-key": key}).headers["headrace-generation"] for key in "aaba"]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_key_is_known_after_a_restart(tmp_path: Path) -> None:
    """Killed, not ended: the reply to the first one had been kept."""
    said: list[tuple[int, str, str]] = []
    for body in (PATHS["/chat"], PATHS["/chat"], {**PATHS["/chat"], "temperature": 0.5}):
        with served(tmp_path, "[rehearsal]\nspeed = 1e9\n") as headrace:
            url = f"{headrace.url}/chat"
            answer = httpx.post(url, json={"model": "rehearsal/echo", **body}, headers={"idempotency-key": "again"}, trust_env=False)
            said.append((answer.status_code, answer.headers.get("headrace-generation", ""), answer.text))
            headrace.process.kill()
            headrace.process.wait()
    assert said[0] == said[1]
    assert said[0][0] == 200
    assert said[2][0] == 422
