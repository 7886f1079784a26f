"""Responses that go wrong, or are no stream: bytes on the left, the failure on the right. Never a success."""

import pytest

from services.errors import LimitExceeded
from services.events import Failed, Usage
from services.messages import ToolCall
from services.upstream.openai_responses import OpenAIResponsesReader
from tests.upstream.reading import DONE, frames, part, read, read_all_ways, reply
from tests.upstream.response_events import COMPLETED, added, ev, message, said, text

FAILED = {"status": "failed", "error": {"code": "server_error", "message": "Boom"}}

ERRORS = [
    ("flat", frames({"type": "error", "code": "server_error", "message": "Boom", "param": None}), "server_error", "Boom"),
    ("flat, without a code", frames({"type": "error", "code": None, "message": "Boom", "param": None}), "upstream", "Boom"),
    ("nested", frames({"type": "error", "error": {"type": "rate_limit_error", "code": None, "message": "Boom"}}), "rate_limited", "Boom"),
    ("without words", frames({"type": "error"}), "upstream", None),
    ("in the event line", b'event: error\ndata: {"error":{"message":"Boom"}}\n\n', "upstream", "Boom"),
    ("in the event line, another type", b'event: error\ndata: {"type":"server_error","message":"Boom"}\n\n', "upstream", "Boom"),
    ("text", b"event: error\ndata: Boom\n\n", "upstream", "Boom"),
    ("as a field", b'error: {"code":500,"message":"Boom","type":"server_error"}\n\n', "server_error", "Boom"),
    ("as Chat Completions have it", frames({"error": {"message": "Boom", "code": 500}}, DONE), "server_error", "Boom"),
    ("a string", frames({"error": "Boom"}), "upstream", "Boom"),
    ("older vLLM's", frames({"object": "error", "message": "Boom", "type": "BadRequestError", "code": 400}), "refused", "Boom"),
    ("FastAPI's", frames({"detail": "Boom"}), "upstream", "Boom"),
    ("in a list", frames([{"error": {"message": "Boom"}}]), "upstream", "Boom"),
    ("failed", frames(ev("failed", response=FAILED)), "server_error", "Boom"),
    ("failed, without words", frames(ev("failed", response={"status": "failed", "error": None})), "upstream", None),
    ("failed, without a response", frames(ev("failed")), "upstream", None),
    ("completed, and failed", frames(ev("completed", response=FAILED)), "server_error", "Boom"),
    (
        "completed, with an error",
        frames(ev("completed", response={"status": "completed", "error": {"message": "Boom"}})),
        "upstream",
        "Boom",
    ),
    ("cancelled", frames(ev("cancelled", response={"status": "cancelled"})), "upstream", None),
    ("too long", frames({"type": "error", "error": {"code": "context_length_exceeded", "message": "Boom"}}), "too_long", "Boom"),
    ("with a key in it", frames({"type": "error", "message": "Boom sk-proj-1234567890abcdef"}), "upstream", "Boom [redacted]"),
    ("no JSON, four times", frames("{", "{", "{", "{", COMPLETED), "protocol", "{"),
    ("nested too deeply", frames("[" * 10_000, "{", "{", "{"), "protocol", "{"),
    ("nothing more", b"", "truncated", None),
    ("DONE is no end", frames(DONE), "truncated", None),
    ("a done text is no end", frames(ev("output_text.done", item_id="m", text="Hello")), "truncated", None),
    ("a done item is no end", frames(ev("output_item.done", item=message(said("Hello")))), "truncated", None),
    ("a response that goes on is no end", frames({"object": "response", "status": "in_progress", "output": []}), "truncated", None),
    ("half a frame", b'data: {"type":"response.completed","response":{', "truncated", None),
    ("only comments", b": ping\n\n: ping\n\n", "truncated", None),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_errors_keep_what_was_told(body: bytes, code: str, words: str | None) -> None:
    before = frames(ev("created", response={"status": "in_progress", "error": None}), added(**message()), text("Hel"), text("lo"))
    *told, failed = read_all_ways("openai_responses", before + body)
    assert told == part(0, "text", "Hel", "lo")
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "streaming")


NO_STREAM = [
    ("nothing", b"", "empty", None),
    ("comments", b": ping\n\n:\n\n", "empty", None),
    ("DONE", b"data: [DONE]\n\n", "empty", None),
    ("a beginning", frames(ev("created", response={})), "truncated", None),
    ("a web page", b"\n<!DOCTYPE html><html><title>Sign in</title>", "not_a_stream", "Sign in"),
    ("a long page", b"<html>" + b"x" * 20_000, "not_a_stream", None),
    ("an error", b'{"error":{"message":"No credit","code":"insufficient_quota"}}', "quota", "No credit"),
    ("an error as an event", b'{"type":"error","message":"Boom"}', "upstream", "Boom"),
    ("an error, pretty", b'{\n  "error": "model not loaded"\n}\n', "upstream", "model not loaded"),
    (
        "a response that failed",
        b'{"object":"response","status":"failed","error":{"code":"server_error","message":"Boom"}}',
        "server_error",
        "Boom",
    ),
    ("a response that goes on", b'{"object":"response","status":"queued","output":[]}', "truncated", None),
    ("half a response", b'{"object":"response","status":"completed","output":[{"type":"mess', "truncated", None),
    ("other JSON", b'{"status":"ok"}', "not_a_stream", '{"status":"ok"}'),
    (
        "Chat Completions",
        frames({"choices": [{"delta": {"content": "a"}}]}, DONE),
        "not_a_stream",
        '{"choices":[{"delta":{"content":"a"}}]}',
    ),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in NO_STREAM], ids=[case[0] for case in NO_STREAM])
def test_what_is_no_stream(body: bytes, code: str, words: str | None) -> None:
    [failed] = read_all_ways("openai_responses", body)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "waiting")


def test_a_page_is_not_read_to_its_end() -> None:
    reader = OpenAIResponsesReader()
    [failed] = reader.feed(b"<html>" + b"x" * 20_000)
    assert isinstance(failed, Failed)
    assert reader.done


def test_what_a_failed_response_counted_and_a_cut_call_had_so_far_is_told() -> None:
    *_, usage, failed = read("openai_responses", [frames(ev("failed", response=FAILED | {"usage": {"input_tokens": 9}}))])
    assert usage == Usage(9)
    assert isinstance(failed, Failed)
    cut = read("openai_responses", [frames(ev("function_call_arguments.delta", item_id="f", delta='{"n'))])
    assert reply(cut).parts == (ToolCall("call00000", "", '{"n', None),)


DEEP = "[" * 700 + "]" * 700


@pytest.mark.parametrize("dialect", ["openai_responses", "openai_chat"])
def test_values_nested_to_the_end_of_the_stack_are_left_out(dialect: str) -> None:
    """msgspec reads what Python's own recursion does not reach."""
    response = f'{{"type":"response.output_item.done","item":{{"type":"web_search_call","x":{DEEP}}}}}'
    chunk = f'{{"choices":[{{"delta":{{"annotations":[{{"type":"x","x":{DEEP}}}]}}}}]}}'
    *told, failed = read(dialect, [frames(response if dialect == "openai_responses" else chunk)])
    assert told == part(0, "opaque")
    assert isinstance(failed, Failed)


def test_words_nested_to_the_end_of_the_stack_are_no_words() -> None:
    """At which depth one reads what the other cannot write depends on who calls: so all of them near the end."""
    for depth in range(900, 1000):
        [failed] = read("openai_responses", [f'data: {{"detail":{"[" * depth}{"]" * depth}}}\n\n'.encode()])
        assert isinstance(failed, Failed)


def test_limits() -> None:
    calls = [ev("output_item.added", item={"type": "function_call", "id": f"f{n}", "name": "x"}) for n in range(200)]
    told = reply(read("openai_responses", [frames(*calls, COMPLETED)]))
    assert told.problem
    assert (told.problem.code, len(told.parts)) == ("limit", 128)
    for endless in (b"data: ", b'{"a":"'):
        with pytest.raises(LimitExceeded):
            read("openai_responses", [endless, *[b"x" * (1 << 20)] * 20])
