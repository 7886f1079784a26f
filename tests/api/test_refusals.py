"""Errors before the first byte, against a real server: a status, a code, and a sentence that helps."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.test_routes import HELLO
from tests.serving import Served


@pytest.fixture
def client(headrace: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=headrace.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "words"),
    [
        ("/chat", {}, 422, "invalid", "`messages` is missing or empty"),
        ("/chat", {"messages": []}, 422, "invalid", "`messages` is missing or empty"),
        ("/chat", {"messages": "Hello"}, 422, "invalid", "`messages` is not right: expected `array`"),
        ("/chat", {"messages": [{"role": "user"}]}, 422, "invalid", "messages[0] says nothing"),
        ("/chat", {"messages": [{"content": "Hello"}]}, 422, "invalid", "neither `role` nor `author`"),
        ("/chat", {**HELLO, "temperature": "hot"}, 422, "invalid", "temperature"),
        ("/chat", {**HELLO, "base_url": "http://evil.test"}, 422, "invalid", "'base_url'"),
        ("/chat", {**HELLO, "model": "rehearsal/gide"}, 404, "unknown_model", "rehearsal/guide"),
        ("/chat", {**HELLO, "temprature": 1}, 422, "invalid", "Did you mean 'temperature'?"),
        ("/chat", {**HELLO, "stream": "false"}, 422, "invalid", "`stream` is not right"),
        ("/chat", {"messages": [{"role": "usr", "content": "x"}]}, 422, "invalid", "`messages[0].role`"),
        ("/chat", {"messages": [{"role": "user", "content": "x", "foo": 1}]}, 422, "invalid", "foo"),
        ("/chat", {"messages": [{"role": "user", "content": "x", "text": "y"}]}, 422, "invalid", "send one of them"),
        ("/chat?fromat=text", HELLO, 400, "bad_request", "fromat"),
        ("/v1/chat/completions", {**HELLO, "stream": True, "stream_options": "x"}, 422, "invalid", "stream_options"),
        ("/chat?format=xml", HELLO, 400, "bad_request", "events, messages, text, ollama"),
        ("/chat", [1], 400, "bad_request", "must be a JSON object"),
        ("/v1/chat/completions", {}, 422, "invalid", "`messages` is missing or empty"),
        ("/v1/chat/completions", {**HELLO, "n": 2}, 422, "invalid", "'n'"),
        ("/v1/chat/completions", {**HELLO, "model": "nothing"}, 404, "unknown_model", "rehearsal/"),
        ("/v1/nothing", HELLO, 404, "not_found", "/v1/nothing"),
    ],
)
def test_a_bad_request_is_told_in_a_sentence(client: httpx.Client, path: str, body: Any, status: int, code: str, words: str) -> None:
    response = client.post(path, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code)
    assert words in error["message"]
    assert re.fullmatch(r".*[.?:]", error["message"], re.S)
    assert set(error) == ({"message", "type", "param", "code"} if path.startswith("/v1") else {"code", "message"})


@pytest.mark.parametrize("body", [b"", b"{", b'{"messages": NaN}', b"\xff\xfe", b'"' + b"x" * 100])
def test_what_is_no_json_is_400(client: httpx.Client, body: bytes) -> None:
    response = client.post("/chat", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_taken(client: httpx.Client, kind: str) -> None:
    response = client.post("/chat", content=json.dumps(HELLO), headers={"content-type": kind} if kind else {})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/chat/nope", 404, "not_found"),
        ("DELETE", "/chat/nope", 404, "not_found"),
        ("PUT", "/chat", 405, "method_not_allowed"),
        ("POST", "/models", 405, "method_not_allowed"),
        ("GET", "/chat/a/b", 404, "not_found"),
    ],
)
def test_what_is_not_there(client: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
