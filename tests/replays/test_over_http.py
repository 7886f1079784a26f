"""Recordings over HTTP: a generation is kept, played, stepped, fetched, brought again and deleted; its events are the same each time."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.recordings.file import decode
from tests.replays.playing import body
from tests.serving import Served

CANARY = "sk-canary-a2f9c1d7e8"


@pytest.fixture
def http(headrace: Served) -> Any:
    with httpx.Client(base_url=headrace.url, trust_env=False, timeout=20) as client:
        yield client


def events(http: Any, generation: str) -> list[Any]:
    """What it said, without when and by which name."""
    answer = http.get(f"/chat/{generation}?after=0&format=messages")
    told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    changing = ("id", "seq", "at", "model", "created", "generation", "ttft_ms", "ms", "conversation")
    return [{key: value for key, value in one.items() if key not in changing} for one in told]


def ask(http: Any, model: str, text: str = "tools") -> str:
    headers = {"authorization": f"Bearer {CANARY}"}
    answer = http.post(f"/chat?model={model.replace('#', '%23')}", json={"messages": [{"role": "user", "content": text}]}, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["headrace-generation"])


def test_a_generation_is_kept_and_played(http: Any) -> None:
    generation = ask(http, "rehearsal/scenes")
    kept = http.post(f"/chat/{generation}/recording", json={"name": "kept-1"})
    assert (kept.status_code, kept.json()["dialect"], kept.json()["question"]) == (201, "openai_chat", "tools")
    assert http.post(f"/chat/{generation}/recording", json={"name": "kept-1"}).status_code == 409
    assert http.post(f"/chat/{generation}/recording", json={"name": 1}).status_code == 400
    assert "rehearsal/replay:kept-1" in http.get("/models").json()["models"]
    assert "replay:kept-1" in http.get("/rehearsal/anthropic/v1/models").text
    again = ask(http, "rehearsal/replay:kept-1@instant", "whatever")
    assert events(http, again) == events(http, generation)
    sent = [http.get(f"/chat/{one}/record").json()["requests"][0]["reads"] for one in (generation, again)]
    assert [read["text"] for read in sent[0]] == [read["text"] for read in sent[1]]
    file = http.get("/recordings/kept-1")
    assert "attachment" in file.headers["content-disposition"]
    assert CANARY not in file.text
    assert list(json.loads(file.text.partition("\n")[0])["headers"]) == ["content-type"]
    assert len(decode(file.content).reads) == len(sent[0])
    assert http.put("/recordings/kept-2", content=file.content).status_code == 201
    assert {one["name"] for one in http.get("/recordings").json()["recordings"]} >= {"kept-1", "kept-2"}
    assert http.delete("/recordings/kept-1").status_code == 204
    assert http.get("/recordings/kept-1").status_code == 404
    assert "rehearsal/replay:kept-1" not in http.get("/models").json()["models"]
    assert http.post("/chat?model=rehearsal/replay:kept-1", json={"messages": [{"role": "user", "content": "x"}]}).status_code == 404


def test_what_is_brought_is_guessed_and_played_to_any_client(http: Any) -> None:
    data = body("anthropic", "tool_call")
    [found] = http.post("/recordings", content=data).json()["found"]
    assert (found["dialect"], found["timed"], len(found["notes"])) == ("anthropic", False, 1)
    assert http.put("/recordings/brought", content=data).json()["dialect"] == "anthropic"
    asked = {"model": "replay:brought@instant", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    assert http.post("/rehearsal/anthropic/v1/messages", json=asked).content == data
    told = http.post("/rehearsal/openai_chat/v1/chat/completions", json={**asked, "stream": False}).json()
    assert told["choices"][0]["finish_reason"] == "tool_calls"
    refused = http.put("/recordings/brought", content=b"hello")
    assert (refused.status_code, "looks like" in refused.text) == (422, True)
    assert http.put("/recordings/as-told?dialect=klingon", content=data).status_code == 422
    assert http.put("/recordings/a%20b", content=data).status_code == 422


def test_a_replay_is_stepped_from_outside(http: Any) -> None:
    http.put("/recordings/steps", content=body("openai_chat", "hello"))
    asked = {"model": "replay:steps@step#by-hand", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    with http.stream("POST", "/rehearsal/openai_chat/v1/chat/completions", json=asked) as answer:
        assert answer.headers["headrace-replay"] == "by-hand"
        state = http.get("/rehearsal/replays/by-hand").json()
        assert (state["state"], state["position"], state["recording"]) == ("paused", 0, "steps")
        chunks = answer.iter_raw()
        for number in range(1, 4):
            assert http.post("/rehearsal/replays/by-hand/step").json()["recording"] == "steps"
            assert next(chunks).count(b"\n\n") == 1
            assert http.get("/rehearsal/replays/by-hand").json()["position"] == number
        assert [one["id"] for one in http.get("/rehearsal/replays").json()["replays"]] == ["by-hand"]
        assert http.post("/rehearsal/replays/by-hand/fly").status_code == 400
        http.post("/rehearsal/replays/by-hand/play")
        assert b"[DONE]" in b"".join(chunks)
    assert http.get("/rehearsal/replays/by-hand").status_code == 404


def test_a_generation_of_its_own_is_stepped_by_its_own_id(http: Any) -> None:
    http.put("/recordings/steps", content=body("gemini", "hello"))
    url = "/chat?model=rehearsal/replay:steps@step"
    with http.stream("POST", url, json={"messages": [{"role": "user", "content": "x"}]}) as answer:
        generation = answer.headers["headrace-generation"]
        state = http.post(f"/rehearsal/replays/{generation}/step?reads=100").json()
        assert state["id"] == generation
        answer.read()
    reply = http.get(f"/chat/{generation}").json()
    assert (reply["state"], reply["text"]) == ("finished", json.loads(expected("gemini", "hello"))["text"])


def expected(folder: str, name: str) -> str:
    return (Path(__file__).parent.parent / "recordings" / folder / f"{name}.expected.json").read_text()


def test_a_recorded_page_is_no_page_of_ours(http: Any) -> None:
    head = {"headrace": 1, "dialect": "openai_chat", "status": 502, "headers": {"content-type": "text/html", "set-cookie": "a=b"}}
    http.put("/recordings/page", content=json.dumps(head) + '\n[1, "<script>alert(1)</script>"]\n').raise_for_status()
    asked = {"model": "replay:page", "messages": [{"role": "user", "content": "x"}]}
    answer = http.post("/rehearsal/openai_chat/v1/chat/completions", json=asked)
    assert (answer.status_code, answer.text) == (502, "<script>alert(1)</script>")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert "set-cookie" not in answer.headers
