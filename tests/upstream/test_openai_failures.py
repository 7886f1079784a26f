"""Chat Completions that go wrong, or are no stream: bytes on the left, the failure on the right. Never a success."""

import msgspec
import pytest

from services.errors import LimitExceeded
from services.events import Failed, PartStarted, Usage
from services.messages import Reasoning, Text, ToolCall
from tests.upstream.reading import DONE, FINISHED, STOP, call, delta, end, frames, part, read, read_all_ways, reply

ERRORS = [
    ("an object", frames({"error": {"message": "Boom", "type": "server_error", "code": None}}), "server_error", "Boom"),
    ("and then DONE", frames({"error": {"message": "Boom", "code": 500}}, DONE), "server_error", "Boom"),
    ("a string", frames({"error": "Boom", "error_type": "generation"}), "upstream", "Boom"),
    ("detail", frames({"detail": "Boom"}), "upstream", "Boom"),
    ("flat", frames({"object": "error", "message": "Boom", "type": "BadRequestError", "code": 400}), "refused", "Boom"),
    ("in a chunk", frames({**end("error"), "error": {"code": 429, "message": "Boom"}}, DONE), "rate_limited", "Boom"),
    ("as an event", b'event: error\ndata: {"error":{"message":"Boom"}}\n\ndata: [DONE]\n\n', "upstream", "Boom"),
    ("as an event of text", b"event: error\ndata: Boom\n\n", "upstream", "Boom"),
    ("as a field", b'error: {"code":500,"message":"Boom","type":"server_error"}\n\ndata: [DONE]\n\n', "server_error", "Boom"),
    ("as a field of nothing but words", b"error: Boom\n\ndata: [DONE]\n\n", "upstream", "Boom"),
    ("as an end", frames(end("error"), DONE), "upstream", None),
    ("as an end, vLLM's", frames(end("abort"), DONE), "upstream", None),
    ("as an end, DeepSeek's", frames(end("insufficient_system_resource"), DONE), "upstream", None),
    ("after an end", frames(STOP, {"error": {"message": "Boom", "type": "overloaded_error"}}), "server_error", "Boom"),
    ("with a key in it", frames({"error": "Boom sk-proj-1234567890abcdef"}), "upstream", "Boom [redacted]"),
    (
        "context",
        frames({"error": {"message": "maximum context length is 8192 tokens"}}),
        "too_long",
        "maximum context length is 8192 tokens",
    ),
    ("no JSON, four times", frames("{", "{", "{", "{", STOP, DONE), "protocol", "{"),
    ("too deep", frames("[" * 10_000, "{", "{", "{"), "protocol", "{"),
    ("nothing more", b"", "truncated", None),
    ("half a frame", b'data: {"choices":[{"delta":{"content":"half', "truncated", None),
    ("only comments", b": ping\n\n: ping\n\n", "truncated", None),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_errors_keep_what_was_told(body: bytes, code: str, words: str | None) -> None:
    before = frames(delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo"))
    events = read_all_ways("openai_chat", before + body)
    failed = events[-1]
    assert events[:-1] == part(0, "text", "Hel", "lo")
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "streaming")


NO_STREAM = [
    ("nothing", b"", "empty", None),
    ("white space", b"\n\n \n", "empty", None),
    ("a byte order mark", b"\xef\xbb\xbf", "empty", None),
    ("comments", b": ping\n\n:\n\n", "empty", None),
    ("DONE", b"data: [DONE]\n\n", "empty", None),
    ("a role and DONE", frames(delta(role="assistant", content=""), DONE), "empty", None),
    ("a web page", b"\n<!DOCTYPE html><html><title>Sign in &amp; up</title><script>x</script>", "not_a_stream", "Sign in & up"),
    ("a page without a title", b"<html><body>secret", "not_a_stream", None),
    ("a long page", b"<html>" + b"x" * 20_000, "not_a_stream", None),
    ("an error", b'{"error":{"message":"No credit","code":"insufficient_quota"}}', "quota", "No credit"),
    ("an error after a byte order mark", b'\xef\xbb\xbf{"error":"Boom"}', "upstream", "Boom"),
    ("an error in a list", b'[{"error":{"message":"Slow down","code":429}}]', "rate_limited", "Slow down"),
    ("an error, pretty", b'{\n  "error": "model not loaded"\n}\n', "upstream", "model not loaded"),
    ("other JSON", b'{"status":"ok"}', "not_a_stream", '{"status":"ok"}'),
    ("other frames", frames({"type": "message_start"}), "not_a_stream", '{"type":"message_start"}'),
    ("half an answer", b'{"choices":[{"message":{"content":"Hel', "truncated", None),
    ("chunks without frames, cut off", b'{"choices":[{"delta":{"content":""}}]}\n', "truncated", None),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in NO_STREAM], ids=[case[0] for case in NO_STREAM])
def test_what_is_no_stream(body: bytes, code: str, words: str | None) -> None:
    [failed] = read_all_ways("openai_chat", body)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "waiting")
    assert failed.message.endswith(".")


def test_a_whole_completion_is_an_answer() -> None:
    calls = [{"id": "a", "function": {"name": "x", "arguments": "{}"}}, {"id": "b", "function": {"name": "x", "arguments": "{}"}}]
    message = {"role": "assistant", "content": "Hello", "reasoning_content": "hm", "tool_calls": calls}
    body = msgspec.json.encode(
        {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 9}}
    )
    told = reply(read("openai_chat", [body]))
    assert [type(part) for part in told.parts] == [Reasoning, Text, ToolCall, ToolCall]
    assert (told.message.text, told.reason, told.usage) == ("Hello", "tool_calls", Usage(9))


def test_limits() -> None:
    many = frames(*(call(index=n, id=f"c{n}", name="x", arguments="{}") for n in range(200)), end("tool_calls"), DONE)
    *told, failed = read("openai_chat", [many])
    assert isinstance(failed, Failed)
    assert failed.code == "limit"
    assert sum(isinstance(event, PartStarted) for event in told) == 128
    for endless in (b"data: ", b'{"a":"'):
        with pytest.raises(LimitExceeded):
            read("openai_chat", [endless, *[b"x" * (1 << 20)] * 20])


def test_half_a_character_in_a_field_of_numbers_is_no_number() -> None:
    chunk = b'data: {"choices":[{"index":"\\ud83d","delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    assert read("openai_chat", [chunk])[-1] == FINISHED
