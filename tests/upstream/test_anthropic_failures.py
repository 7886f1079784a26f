"""Anthropic's Messages that go wrong, or are no stream: bytes on the left, the failure on the right. Never a success."""

import pytest

from services.errors import LimitExceeded
from services.events import Failed, Finished, PartStarted
from tests.upstream.reading import frames, part, read, read_all_ways
from tests.upstream.test_anthropic import STOPPED, begun, block, end, json, more, stop, told

ERRORS = [
    ("as an event", b"event: error\n" + frames({"error": {"type": "overloaded_error", "message": "Boom"}}), "server_error", "Boom"),
    ("without an event line", frames({"type": "error", "error": {"type": "rate_limit_error", "message": "Boom"}}), "rate_limited", "Boom"),
    ("of text", b"event: error\ndata: Boom\n\n", "upstream", "Boom"),
    ("flat", frames({"type": "error", "message": "Boom"}), "upstream", "Boom"),
    ("of no words", frames({"type": "error"}), "upstream", "error"),
    ("a string", frames({"error": "Boom"}), "upstream", "Boom"),
    ("detail", frames({"detail": "Boom"}), "upstream", "Boom"),
    ("in a list", frames([{"error": {"message": "Boom"}}]), "upstream", "Boom"),
    ("as a field", b'error: {"message":"Boom"}\n\n', "upstream", '{"message":"Boom"}'),
    ("after an end", frames(end(), {"type": "error", "error": {"type": "api_error", "message": "Boom"}}), "server_error", "Boom"),
    ("and then a stop", frames({"error": "Boom"}, end(), STOPPED), "upstream", "Boom"),
    ("with a key in it", frames({"error": "Boom sk-ant-1234567890abcdef"}), "upstream", "Boom [redacted]"),
    ("context", frames({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long"}}), "too_long",
     "prompt is too long"),
    ("DONE", frames("[DONE]"), "truncated", None),
    ("an end without a reason", frames(end(None)), "truncated", None),
    ("no JSON, four times", frames("{", "{", "{", "{", end(), STOPPED), "protocol", "{"),
    ("too deep", frames("[" * 10_000, "{", "{", "{"), "protocol", "{"),
    ("nothing more", b"", "truncated", None),
    ("half a frame", b'data: {"type":"message_delta","delta":{"stop_reason":"end_', "truncated", None),
    ("only pings", frames({"type": "ping"}) + b": ping\n\n", "truncated", None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_failures_keep_what_was_told(body: bytes, code: str, words: str | None) -> None:
    events = read_all_ways("anthropic", frames(begun(), more(text="Hel"), more(text="lo")) + body)
    failed = events[-1]
    assert events[:-1] == part(0, "text", "Hel", "lo")
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "streaming")


def test_what_a_failure_cuts_off_is_kept() -> None:
    events = read_all_ways(
        "anthropic", frames(begun(), block("server_tool_use", id="s", input={}), more(partial_json='{"q":1'), {"error": "Boom"})
    )
    assert events[:-1] == part(0, "opaque", value={"type": "server_tool_use", "id": "s", "input": '{"q":1'})


NO_ANSWERS = [
    ("nothing", b"", "empty", None),
    ("comments", b": ping\n\n", "empty", None),
    ("pings", frames({"type": "ping"}), "empty", None),
    ("DONE", frames("[DONE]"), "empty", None),
    ("a stop", frames(STOPPED), "empty", None),
    ("a start and a stop", frames(begun(), STOPPED), "empty", None),
    ("a start", frames(begun()), "truncated", None),
    ("a web page", b"<html><title>Sign in</title>", "not_a_stream", "Sign in"),
    ("a long web page", b"<html>" + b"x" * 20_000, "not_a_stream", None),
    ("an error", b'{"type":"error","error":{"type":"authentication_error","message":"No"}}', "auth", "No"),
    ("an error of no stream", frames({"error": {"type": "not_found_error", "message": "model: x"}}), "model_missing", "model: x"),
    ("other JSON", b'{"status":"ok"}', "not_a_stream", '{"status":"ok"}'),
    ("a number", b"[5]", "not_a_stream", "[5]"),
    ("other frames", frames({"choices": []}), "not_a_stream", '{"choices":[]}'),
    ("half an answer", b'{"type":"message","role":"assistant","content":[{"type":"text","text":"Hel', "truncated", None),
    ("a whole answer of nothing", b'{"type":"message","role":"assistant","content":[],"stop_reason":null}', "empty", None),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in NO_ANSWERS], ids=[case[0] for case in NO_ANSWERS])
def test_what_is_no_answer(body: bytes, code: str, words: str | None) -> None:
    [failed] = read_all_ways("anthropic", body)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "waiting")


def test_limits() -> None:
    many = frames(*(block("tool_use", n, id=f"c{n}", name="x", input={}) for n in range(200)), end("tool_use"), STOPPED)
    *events, failed = read("anthropic", [many])
    assert isinstance(failed, Failed)
    assert failed.code == "limit"
    assert sum(isinstance(event, PartStarted) for event in events) == 128
    for endless in (b"data: ", b'{"a":"'):
        with pytest.raises(LimitExceeded):
            read("anthropic", [endless, *[b"x" * (1 << 20)] * 20])


@pytest.mark.parametrize("depth", [50, 300, 600, 900, 980, 1000, 1500])
def test_nested_to_the_end_of_the_stack(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    for kind in ("tool_use", "tool_result", "text"):
        start = json(block(kind, name="x", input="?")).replace('"?"', deep)
        assert isinstance(told(start, stop(), more(text="a"))[-1], Finished)
