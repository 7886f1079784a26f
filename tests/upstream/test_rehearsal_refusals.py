"""Whatever is sent to the rehearsal in any dialect: it is answered, or refused in the dialect's shape."""

import json
from typing import Any

import pytest

from services.upstream.connections import InProcess
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.server import Rehearsal
from services.upstream.rehearsal.tellers import VENDORS
from tests.upstream.rehearsing import ask, chat, told

STREAM = "/v1beta/models/scenes:streamGenerateContent"


ASKS = "I ask both tools at once."


async def test_without_a_socket_the_query_arrives_too() -> None:
    server = Rehearsal(float("inf"), dialect="gemini")
    body = b'{"contents": [{"parts": [{"text": "text"}]}]}'
    for query, kind in (("?alt=sse", "text/event-stream"), ("", "application/json; charset=UTF-8")):
        response = await InProcess(server.answer).send("POST", f"http://rehearsal{STREAM}{query}", {}, body, 1.0)
        assert response.headers["content-type"] == kind
        await response.close()


def message(dialect: str, said: bytes) -> str:
    error = json.loads(said)["error"]
    return str(error if isinstance(error, str) else error["message"])


POSTS = [
    ("openai_chat", "/chat/completions"),
    ("openai_completions", "/completions"),
    ("openai_responses", "/responses"),
    ("anthropic", "/v1/messages"),
    ("anthropic", "/v1/messages/count_tokens"),
    ("gemini", "/v1beta/models/scenes:generateContent"),
    ("ollama", "/api/chat"),
    ("ollama_generate", "/api/generate"),
    ("ollama", "/api/show"),
]


@pytest.mark.parametrize(("dialect", "path"), POSTS)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"\xff"', b"[" * 100_000, b"null", b'{"model": 1, "contents": 1}', b'{"model":"\\ud800"}']
)
async def test_what_is_no_request_is_refused_in_the_shape_of_the_dialect(dialect: str, path: str, body: bytes) -> None:
    status, headers, said = await ask(dialect, path, body)
    assert (status, headers["content-type"]) == (400, "application/json")
    assert message(dialect, said)


@pytest.mark.parametrize(("dialect", "path"), POSTS)
@pytest.mark.parametrize(
    "more",
    [
        {"messages": [{"role": "user", "content": None}], "input": [None, 3, {"role": "user"}], "contents": [{}]},
        {"messages": [{"role": "user"}], "input": [{"role": "user", "content": [None, {"text": 3}]}], "contents": [{"parts": [{}]}]},
        {"messages": [{"role": "tool", "content": ""}], "input": [{"type": "function_call_output"}], "contents": [{"role": "model"}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [3]}]}], "system": 3, "prompt": [None]},
    ],
)
async def test_odd_requests_are_answered_or_refused(dialect: str, path: str, more: dict[str, Any]) -> None:
    status, _, said = await ask(dialect, path, {"model": "scenes", "max_tokens": 5, "stream": False, **more})
    assert status in (200, 400)
    assert json.loads(said)


@pytest.mark.parametrize("dialect", VENDORS)
@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nope", 404), ("POST", "/", 404), ("GET", "/v1/nope/models", 404)])
async def test_another_path_is_not_there(dialect: str, method: str, path: str, status: int) -> None:
    found, _, said = await ask(dialect, path, method=method)
    assert found == status
    assert message(dialect, said)


@pytest.mark.parametrize(
    ("dialect", "path"), [post for post in POSTS if post[0] != "gemini"] + [("ollama", "/api/tags"), ("anthropic", "/v1/models")]
)
async def test_another_method_is_not_allowed(dialect: str, path: str) -> None:
    assert (await ask(dialect, path, method="DELETE"))[0] == 405


@pytest.mark.parametrize(
    ("dialect", "path", "name"),
    [
        ("openai_chat", "/models/{}", "id"),
        ("openai_chat", "/v1/models/{}", "id"),
        ("anthropic", "/v1/models/{}", "id"),
        ("gemini", "/v1beta/models/{}", "name"),
    ],
)
async def test_one_model(dialect: str, path: str, name: str) -> None:
    for model in MODELS:
        status, _, said = await ask(dialect, path.format(model))
        assert (status, json.loads(said)[name].removeprefix("models/")) == (200, model)
    assert (await ask(dialect, path.format("nope")))[0] == 404
    assert (await ask(dialect, path.format("%65cho")))[0] == 200


async def test_tools_are_quoted_shortly() -> None:
    results = [{"role": "tool", "content": "x" * 500}] * 20
    body = {"messages": [*chat("tools"), *results]}
    answer = (await told("openai_chat", "/chat/completions", body))["choices"][0]["message"]["content"]
    assert len(answer) < 2000
    assert "…" in answer


async def test_an_older_loop_of_tools_is_over() -> None:
    said = [*chat("tools"), {"role": "tool", "content": "old"}, {"role": "assistant", "content": "Done."}, *chat("tools")]
    choice = (await told("openai_chat", "/chat/completions", {"messages": said}))["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == ASKS
