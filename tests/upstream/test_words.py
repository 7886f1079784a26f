"""What servers say about what went wrong: their bodies on the left, the words that are kept and what they mean on the right."""

import json

import pytest

from services.upstream.refusals import refusal, reported
from services.upstream.words import LONGEST, Words, of_body, of_object, redacted

BODIES = [
    (b'{"error":{"message":"Boom","type":"server_error","code":null}}', Words("Boom", "server_error")),
    (b'{"error":{"message":"Boom","code":502,"metadata":{"error_type":"provider_down"}}}', Words("Boom", "provider_down", "502")),
    (b'{"error":{"code":429,"message":"Boom","status":"RESOURCE_EXHAUSTED"}}', Words("Boom", "RESOURCE_EXHAUSTED", "429")),
    (b'[{"error":{"message":"Boom"}}]', Words("Boom")),
    (b'{"error":"Boom"}', Words("Boom")),
    (b'{"error":"Boom","error_type":"generation"}', Words("Boom", "generation")),
    (b'{"error":true,"code":"x"}', Words("True", "", "x")),
    (b'{"errors":[{"message":"Boom","code":7}]}', Words("Boom", "", "7")),
    (b'{"object":"error","message":"Boom","type":"BadRequestError","code":400}', Words("Boom", "BadRequestError", "400")),
    (b'{"code":"InvalidParameter","message":"Boom"}', Words("Boom", "", "InvalidParameter")),
    (b'{"detail":"Boom"}', Words("Boom")),
    (b'{"detail":{"message":"Boom"}}', Words("Boom")),
    (b'{"detail":[{"loc":["body","n"],"msg":"Field required"},{"msg":"Boom"}]}', Words("Field required (body.n); Boom")),
    (b'error: {"code":500,"message":"Boom","type":"server_error"}', Words("Boom", "server_error", "500")),
    (b'data: {"error":"Boom"}\n\n', Words("Boom")),
    (b'event: error\ndata: {"error":"Boom"}\n\n', Words("Boom")),
    (b"Too Many Requests", Words("Too Many Requests")),
    (b'{"status":"ok"}', Words('{"status":"ok"}')),
    (b"<html><head><title>502 Bad\n Gateway</title></head><body>secret</body></html>", Words("502 Bad Gateway")),
    (b"<!doctype html><p>secret</p>", Words("")),
    (b"<html><title><script>x</script></title>", Words("")),
    (b"\xff\xfe\x00", Words("\ufffd\ufffd")),
    (b"", Words("")),
]


@pytest.mark.parametrize(("body", "words"), BODIES)
def test_words_of_a_body(body: bytes, words: Words) -> None:
    assert of_body(body) == words


HEALTHY: list[object] = [
    {"choices": [], "error": None},
    {"choices": [], "error": {}},
    {"choices": [], "detail": "high"},
    {"message": {"content": "a"}, "code": 5},
    {"type": "mcp_tool_result", "message": "42"},
    {},
    [],
    "error",
    None,
]


@pytest.mark.parametrize("value", HEALTHY)
def test_what_is_no_error(value: object) -> None:
    assert of_object(value) is None


REDACTED = [
    ("Incorrect API key provided: sk-abc. Sorry.", "Incorrect API key provided: [redacted]. Sorry."),
    ("key sk-proj-abc_DEF-123***xyz used", "key [redacted] used"),
    ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [redacted]"),
    ("authorization: Basic dXNlcjpwdw==", "authorization: Basic [redacted]"),
    ("GET https://h/v1?key=AIzaSyA1234567890&alt=sse", "GET https://h/v1?key=[redacted]&alt=sse"),
    ("token=abcdef and api_key=qwertz", "token=[redacted] and api_key=[redacted]"),
    ('{"x-api-key": "abcdefg"}', '{"x-api-key": "[redacted]"}'),
    ("https://user:pass@host/path", "https://[redacted]@host/path"),
    ("gsk_abcdefghij and hf_abcdefghij", "[redacted] and [redacted]"),
    ("jwt eyJhbGciOiJI.eyJzdWIiOiIx.abc", "jwt [redacted]"),
    ("max_tokens: 100, a task-force, risk-free", "max_tokens: 100, a task-force, risk-free"),
    ("a\x1b[31mred\x1b[0m\x00b\x07c\x9bd\u202ee", "aredbcde"),
    ("two\r\n  lines\tand\u2028more", "two lines and more"),
    ("half \ud83d!", "half \ufffd!"),
]


@pytest.mark.parametrize(("text", "kept"), REDACTED)
def test_secrets_and_controls_are_taken_out(text: str, kept: str) -> None:
    assert redacted(text) == kept


@pytest.mark.parametrize("text", ["a" * 100_000, "ö" * 5000, "👋" * 5000, "sk-" * 50_000, "://" * 50_000, "password: " * 20_000])
def test_words_are_short(text: str) -> None:
    assert len(redacted(text).encode()) <= LONGEST


def error(message: str, **more: object) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


REFUSALS: list[tuple[int, bytes, str, bool]] = [
    (401, error("No"), "auth", False),
    (402, error("Pay"), "quota", False),
    (403, error("No"), "forbidden", False),
    (404, error("The model `x` does not exist", code="model_not_found"), "model_missing", False),
    (404, b'{"error":"model \'x\' not found"}', "model_missing", False),
    (404, b'{"error":{"message":"No endpoints found for a/b","code":404}}', "model_missing", False),
    (404, b'{"detail":"Not Found"}', "refused", False),
    (404, b"404 page not found", "refused", False),
    (400, error("Invalid value"), "refused", False),
    (400, error("max_tokens is too large: 999"), "refused", False),
    (400, error("x", code="context_length_exceeded"), "too_long", False),
    (400, error("This model's maximum context length is 8192 tokens"), "too_long", False),
    (400, error("prompt is too long: 9 tokens > 8 maximum"), "too_long", False),
    (400, error("the request exceeds the available context size", type="exceed_context_size_error"), "too_long", False),
    (413, b"<html><title>413 Request Entity Too Large</title></html>", "too_long", False),
    (422, error("Field required"), "refused", False),
    (429, error("Rate limit reached", code="rate_limit_exceeded"), "rate_limited", True),
    (429, error("You exceeded your current quota, please check your plan and billing details", code="insufficient_quota"), "quota", False),
    (429, error("Quota exceeded: 10 requests per minute"), "rate_limited", True),
    (408, b"", "server_error", True),
    (500, b"", "server_error", True),
    (502, b"<html><title>502 Bad Gateway</title></html>", "server_error", True),
    (503, error("Overloaded"), "server_error", True),
    (529, error("Overloaded", type="overloaded_error"), "server_error", True),
    (418, b"teapot", "refused", False),
]


@pytest.mark.parametrize(("status", "body", "code", "retryable"), REFUSALS)
def test_refusals(status: int, body: bytes, code: str, retryable: bool) -> None:
    refused = refusal(status, {}, body)
    assert (refused.kind, refused.can_retry, refused.http_status, refused.phase) == (code, retryable, status, "waiting")
    assert refused.message.endswith(".")
    assert "{" not in refused.message
    assert "<" not in f"{refused.message}{refused.upstream}"


DATE = "Sat, 21 Nov 2026 10:00:00 GMT"
WAITS: list[tuple[dict[str, str], float | None]] = [
    ({"retry-after": "1"}, 1.0),
    ({"Retry-After": " 2.5 "}, 2.5),
    ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
    ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": DATE}, 30.0),
    ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": DATE}, 0.0),
    ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": "nonsense"}, None),
    ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ({"retry-after": "3600"}, 3600.0),
    ({"retry-after": "-5"}, None),
    ({"retry-after": "soon"}, None),
    ({"retry-after": ""}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": "inf"}, None),
    ({"retry-after": "1e12"}, None),
    ({"retry-after-ms": "x"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert refusal(429, headers, b"").retry_after == seconds
    assert refusal(503, headers, b"").retry_after == seconds
    assert refusal(401, headers, b"").retry_after is None


def test_the_sentence_says_how_long() -> None:
    assert refusal(429, {"retry-after": "20"}, b"").message == "The server takes no more requests for now. Try again in 20 s."
    assert refusal(429, {"retry-after": "600"}, b"").message == "The server takes no more requests for now. Try again in 10 min."
    assert refusal(503, {}, b"").message == "The server failed (HTTP 503). Try again in a moment."
    assert refusal(401, {}, b"").message == "The API key was rejected. Check it in settings.toml."


def test_a_server_may_say_itself_whether_to_retry() -> None:
    assert not refusal(429, {"x-should-retry": "false"}, b"").can_retry
    assert refusal(409, {"X-Should-Retry": "true"}, b"").can_retry


REPORTED = [
    (Words("Boom"), "upstream", True),
    (Words("Boom", "server_error"), "server_error", True),
    (Words("Boom", "", "502"), "server_error", True),
    (Words("Boom", "InternalServerError", "500"), "server_error", True),
    (Words("Boom", "overloaded_error"), "server_error", True),
    (Words("Boom", "rate_limit_error"), "rate_limited", True),
    (Words("Boom", "invalid_request_error"), "refused", False),
    (Words("Boom", "", "insufficient_quota"), "quota", False),
    (Words("Context size has been exceeded.", "server_error", "500"), "too_long", False),
    (Words("Boom", "", "99999999999"), "upstream", True),
]


@pytest.mark.parametrize(("words", "code", "retryable"), REPORTED)
def test_errors_inside_a_stream(words: Words, code: str, retryable: bool) -> None:
    failed = reported(words)
    assert (failed.kind, failed.can_retry, failed.upstream) == (code, retryable, words.message)
