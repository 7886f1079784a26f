"""The HTTP surface, against a real server: what docs/api.md says is what comes over the wire."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.wire.sse import SSEDecoder
from tests.serving import Served

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello wörld 👋, how are you today?"}]}
TEXT = HELLO["messages"][0]["content"]
LONG: dict[str, Any] = {"messages": [{"role": "user", "content": "20000 tokens at 200 tokens/s"}]}


@pytest.fixture
def client(headrace: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=headrace.url, trust_env=False, timeout=20) as client:
        yield client


def frames(body: bytes) -> list[tuple[str, dict[str, Any], str]]:
    return [(event, json.loads(data), id) for event, data, id in SSEDecoder().feed(body)]


def text_of(body: bytes) -> str:
    return "".join(data["text"] for _, data, _ in frames(body) if data["type"] == "delta")


def running(client: httpx.Client, **more: Any) -> tuple[str, Iterator[bytes], httpx.Response]:
    """Start a long reply and read until its text has begun: its id, the rest of the stream, the response to close."""
    response = client.send(client.build_request("POST", "/chat?model=rehearsal/longform", json={**LONG, **more}), stream=True)
    chunks = response.iter_raw()
    seen = b""
    while b"event: delta" not in seen:
        seen += next(chunks)
    return response.headers["headrace-generation"], chunks, response


def state(client: httpx.Client, id: str) -> str:
    return str(client.get(f"/chat/{id}").json()["state"])


# The stream


def test_a_turn_is_answered_with_its_stream(client: httpx.Client) -> None:
    response = client.post("/chat?model=rehearsal/echo", json=HELLO)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    told = frames(response.content)
    kinds = [kind for kind, _, _ in told]
    assert kinds[0] == "created"
    assert kinds[-2:] == ["usage", "end"]
    assert kinds.index("clear") < kinds.index("delta")
    assert all(kind == data["type"] for kind, data, _ in told)
    assert [int(id) for _, _, id in told] == sorted({int(id) for _, _, id in told})
    assert text_of(response.content) == TEXT
    end = told[-1][1]
    assert (end["reason"], end["done"]) == ("stop", True)
    assert 0 < end["ttft_ms"] < end["ms"]


def test_reasoning_comes_before_the_answer(client: httpx.Client) -> None:
    told = [data for _, data, _ in frames(client.post("/chat?model=rehearsal/thinker", json=HELLO).content)]
    kinds = [data["type"] for data in told]
    assert {"type": "status", "state": "thinking"} in told
    assert max(index for index, kind in enumerate(kinds) if kind == "reasoning") < kinds.index("delta")


def test_format_messages_has_no_names(client: httpx.Client) -> None:
    told = frames(client.post("/chat?model=rehearsal/echo&format=messages", json=HELLO).content)
    assert {kind for kind, _, _ in told} == {"message"}
    assert [data["type"] for _, data, _ in told][-1] == "end"


def test_format_text_is_bare_and_ends_with_done(client: httpx.Client) -> None:
    body = client.post("/chat?model=rehearsal/echo&format=text", json=HELLO).content
    pieces = [data.decode() for _, data, _ in SSEDecoder().feed(body)]
    assert pieces[-1] == "DONE"
    assert "".join(pieces[:-1]) == TEXT


def test_format_ollama_is_ollamas_objects(client: httpx.Client) -> None:
    body = client.post("/chat?model=rehearsal/echo", json={**HELLO, "format": "ollama"}).content
    objects = [json.loads(data) for _, data, _ in SSEDecoder().feed(body)]
    assert "".join(line["message"]["content"] for line in objects) == TEXT
    assert [line["done"] for line in objects] == [False] * (len(objects) - 1) + [True]
    assert objects[-1]["done_reason"] == "stop"
    assert b"id:" not in body


def test_without_streaming_it_is_one_object(client: httpx.Client) -> None:
    reply = client.post("/chat?model=rehearsal/echo", json={**HELLO, "stream": False}).json()
    assert (reply["text"], reply["state"], reply["done"]) == (TEXT, "finished", True)


def test_authors_and_text_are_understood(client: httpx.Client) -> None:
    messages = [
        {"author": {"name": "Ada"}, "text": "one"},
        {"author": {"name": "assistant"}, "text": "two"},
        {"author": {"name": "Ada"}, "text": "three"},
    ]
    assert text_of(client.post("/chat?model=rehearsal/echo", json={"messages": messages}).content) == "three"


# Following


def test_a_replay_is_the_same_stream(client: httpx.Client) -> None:
    live = client.post("/chat?model=rehearsal/echo", json=HELLO)
    replay = client.get(live.headers["location"], headers={"accept": "text/event-stream"})
    assert replay.content == live.content


@pytest.mark.parametrize("format", ["events", "messages", "text"])
def test_whatever_a_client_has_it_gets_exactly_the_rest(client: httpx.Client, format: str) -> None:
    live = client.post(f"/chat?model=rehearsal/echo&format={format}", json=HELLO)
    told = [(kind, data, int(id)) for kind, data, id in SSEDecoder().feed(live.content)]
    for position, (_, _, id) in enumerate(told[:-1]):
        rest = client.get(f"{live.headers['location']}?format={format}", headers={"last-event-id": str(id)})
        assert [(kind, data, int(number)) for kind, data, number in SSEDecoder().feed(rest.content)] == told[position + 1 :]


def test_the_header_of_a_reconnect_wins_over_the_url(client: httpx.Client) -> None:
    live = client.post("/chat?model=rehearsal/echo", json=HELLO)
    last = frames(live.content)[-2][2]
    rest = client.get(f"{live.headers['location']}?after=0", headers={"last-event-id": last})
    assert [data["type"] for _, data, _ in frames(rest.content)] == ["end"]


def test_who_has_everything_is_told_to_stop_reconnecting(client: httpx.Client) -> None:
    live = client.post("/chat?model=rehearsal/echo", json=HELLO)
    last = frames(live.content)[-1][2]
    assert client.get(f"{live.headers['location']}?after={last}").status_code == 204


@pytest.mark.parametrize("position", ["-1", "abc", "999999", "1e3", "٣", "1" * 40])
def test_a_bad_position_is_400(client: httpx.Client, position: str) -> None:
    live = client.post("/chat?model=rehearsal/echo", json=HELLO)
    response = client.get(live.headers["location"], params={"after": position})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")


def test_a_snapshot_says_how_far_it_has_come(client: httpx.Client) -> None:
    live = client.post("/chat?model=rehearsal/echo", json=HELLO)
    snapshot = client.get(live.headers["location"]).json()
    assert (snapshot["text"], snapshot["state"], snapshot["done"]) == (TEXT, "finished", True)
    assert snapshot["seq"] == int(frames(live.content)[-1][2])
    assert snapshot["parts"] == [{"type": "text", "text": TEXT}]


def test_the_list_has_what_runs_and_what_ran(client: httpx.Client) -> None:
    id, _, response = running(client)
    listed = {line["id"]: line for line in client.get("/chat").json()["generations"]}
    assert (listed[id]["state"], listed[id]["readers"], listed[id]["client"]) == ("streaming", 1, "chat")
    client.delete(f"/chat/{id}")
    response.close()


# Stopping and leaving


def test_stop_ends_the_stream_and_keeps_the_text(client: httpx.Client) -> None:
    id, chunks, response = running(client)
    stopped = client.delete(f"/chat/{id}").json()
    assert (stopped["state"], stopped["done"]) == ("stopped", True)
    assert stopped["text"]
    assert 0 <= stopped["stop"]["ms"] < stopped["ms"]
    told = frames(client.get(f"/chat/{id}?after=0").content)
    assert ("status", "stopping") in [(data["type"], data.get("state")) for _, data, _ in told]
    assert told[-1][1]["reason"] == "stopped"
    assert b'"reason":"stopped"' in b"".join(chunks)
    response.close()
    assert client.delete(f"/chat/{id}").json() == stopped


def wait_for(client: httpx.Client, id: str, wanted: str) -> None:
    """Ask again and again: following would make us a reader, for whom the generation goes on."""
    assert any(state(client, id) == wanted for _ in range(2000))


def test_who_leaves_stops_what_it_started(client: httpx.Client) -> None:
    id, _, response = running(client)
    response.close()
    wait_for(client, id, "stopped")


def test_who_leaves_may_keep_it_running(client: httpx.Client) -> None:
    id, _, response = running(client, on_disconnect="keep")
    response.close()
    assert text_of(b"".join(_some(client, id)))
    assert state(client, id) == "streaming"
    client.delete(f"/chat/{id}")


def test_the_last_reader_to_leave_stops_it(client: httpx.Client) -> None:
    id, _, response = running(client)
    with client.stream("GET", f"/chat/{id}?after=0") as follower:
        chunks = follower.iter_raw()
        next(chunks)
        response.close()
        list(_some(client, id))
        assert state(client, id) == "streaming"
    wait_for(client, id, "stopped")


def _some(client: httpx.Client, id: str) -> Iterator[bytes]:
    """More of a running stream than it had when we came."""
    before = client.get(f"/chat/{id}").json()["seq"]
    with client.stream("GET", f"/chat/{id}?after={before}") as response:
        for chunk in response.iter_raw():
            yield chunk
            if b"event: delta" in chunk:
                return


def test_health_and_models(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    models = client.get("/models").json()
    assert models["default"] == "rehearsal/guide"
    assert set(models["models"]) >= {"rehearsal/guide", "rehearsal/echo", "rehearsal/longform", "rehearsal/thinker"}
    listed = client.get("/v1/models").json()
    assert [model["id"] for model in listed["data"]] == models["models"]
    assert client.get("/v1/models/rehearsal/echo").json()["owned_by"] == "rehearsal"


# OpenAI's shape


def test_chat_completions_stream(client: httpx.Client) -> None:
    asked = {**HELLO, "model": "rehearsal/echo", "stream": True, "stream_options": {"include_usage": True}}
    body = client.post("/v1/chat/completions", json=asked).content
    *chunks, done = [data for _, data, _ in SSEDecoder().feed(body)]
    told = [json.loads(chunk) for chunk in chunks]
    assert done == b"[DONE]"
    assert told[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(choice["delta"].get("content", "") for chunk in told for choice in chunk["choices"]) == TEXT
    assert told[-2]["choices"][0]["finish_reason"] == "stop"
    assert told[-1]["usage"]["completion_tokens"] > 0
    assert b"id:" not in body.replace(b'"id":', b"")
    assert b"event:" not in body


def test_chat_completions_whole(client: httpx.Client) -> None:
    reply = client.post("/v1/chat/completions", json={**HELLO, "model": "rehearsal/echo"}).json()
    assert (reply["object"], reply["choices"][0]["message"]["content"]) == ("chat.completion", TEXT)
    assert reply["choices"][0]["finish_reason"] == "stop"
