"""The model server that is not there behaves like one that is: real bytes, the right order, the same every time."""

import json
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events import Finished, Usage
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.script import Answer, Arguments, Call, Question, Say, Script
from services.upstream.rehearsal.server import Rehearsal
from services.wire.sse import SSEDecoder
from tests.upstream.reading import cuts, part
from tests.upstream.reading import read as events


def flowing() -> Rehearsal:
    """Every rest ends at once."""
    clock = Stepped()
    clock.step(1_000_000)
    return Rehearsal(clock=clock)


def body(text: str, model: str = "echo", **more: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], "stream": True, **more}).encode()


async def read(answer: Answer) -> bytes:
    async with aclosing(answer.chunks) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def post(request: bytes, server: Rehearsal | None = None) -> bytes:
    answer = await (server or flowing()).answer("POST", "/chat/completions", request)
    assert answer.status == 200
    return await read(answer)


async def refused(request: bytes, method: str = "POST", path: str = "/chat/completions") -> tuple[int, dict[str, Any]]:
    answer = await flowing().answer(method, path, request)
    assert answer.headers["content-type"] == "application/json"
    return answer.status, json.loads(await read(answer))["error"]


def frames(stream: bytes) -> list[Any]:
    """The JSON of every frame; [DONE] must be the last and is left out."""
    told = [data for event, data, _ in SSEDecoder().feed(stream) if event == "message"]
    assert told.pop() == b"[DONE]"
    return [json.loads(data) for data in told]


def deltas(stream: bytes) -> list[Any]:
    return [frame["choices"][0]["delta"] for frame in frames(stream) if frame["choices"]]


def text(stream: bytes, name: str = "content") -> str:
    return "".join(delta.get(name, "") for delta in deltas(stream))


def ending(stream: bytes) -> str | None:
    """The finish reason, which only the last frame with a choice has."""
    *before, last = [frame["choices"][0]["finish_reason"] for frame in frames(stream) if frame["choices"]]
    assert not any(before)
    return last if isinstance(last, str) else None


async def test_a_stream_is_what_a_correct_server_sends() -> None:
    role, *told, finish, usage = frames(await post(body("the mill", stream_options={"include_usage": True})))
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [frame["choices"][0]["delta"] for frame in told] == [{"content": "the"}, {"content": " mill"}]
    assert finish["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert (usage["choices"], usage["usage"]["completion_tokens"], usage["usage"]["total_tokens"]) == ([], 2, 4)
    assert all(frame["usage"] is None for frame in (role, *told, finish))
    ids = {(frame["id"], frame["object"], frame["model"]) for frame in (role, *told, finish, usage)}
    assert ids == {(usage["id"], "chat.completion.chunk", "echo")}


async def test_the_reader_of_the_dialect_reads_it() -> None:
    stream = await post(body("What is this?", "thinker", stream_options={"include_usage": True}, max_tokens=100))
    told = [next(iter(delta.items())) for delta in deltas(stream)[1:-1]]
    thoughts = [piece for name, piece in told if name == "reasoning_content"]
    answer = [piece for name, piece in told if name == "content"]
    usage = Usage(4, 100, len(thoughts), 0, None, 104)
    story = [*part(0, "reasoning", *thoughts), *part(1, "text", *answer), usage, Finished("length", "length")]
    assert len(answer) > 10
    for chunks in cuts(stream):
        assert events("openai_chat", chunks) == story


async def test_usage_is_told_only_to_those_who_ask() -> None:
    assert not any("usage" in frame for frame in frames(await post(body("the mill"))))


async def test_without_stream_the_same_answer_is_one_object() -> None:
    whole = json.loads(await post(body("What is this?", "thinker", stream=False)))
    stream = await post(body("What is this?", "thinker"))
    [choice] = whole["choices"]
    assert (whole["object"], choice["finish_reason"], choice["message"]["role"]) == ("chat.completion", "stop", "assistant")
    assert choice["message"]["content"] == text(stream)
    assert choice["message"]["reasoning_content"] == text(stream, "reasoning_content")
    assert whole["usage"]["completion_tokens"] == len(deltas(stream)) - 2


async def test_the_list_of_models() -> None:
    answer = await flowing().answer("GET", "/models", b"")
    listed = json.loads(await read(answer))
    assert (answer.status, listed["object"]) == (200, "list")
    assert [model["id"] for model in listed["data"]] == ["guide", "echo", "longform", "thinker", "scenes"]


@pytest.mark.parametrize("model", MODELS)
async def test_the_same_request_gets_the_same_bytes(model: str) -> None:
    assert await post(body("500 tokens, please", model)) == await post(body("500 tokens, please", model))


async def test_another_conversation_gets_another_answer() -> None:
    assert text(await post(body("300 tokens", "longform"))) != text(await post(body("300 tokens!", "longform")))


@given(st.text())
async def test_echo_is_exact(said: str) -> None:
    assert text(await post(body(said))) == said


@pytest.mark.parametrize("said", ["a\r\nb\rc", "\u2028\u2029\x85", "data: x\n\ndata: [DONE]\n\n", "🏳️‍🌈 नमस्ते 水車", "\x00", "\ufeff"])
async def test_echo_is_exact_where_streams_break(said: str) -> None:
    assert text(await post(body(said))) == said


async def test_echo_takes_the_last_message_of_the_user_and_its_text_parts() -> None:
    said = [
        {"role": "user", "content": "first"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "two "}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "parts"}],
        },
        {"role": "assistant", "content": None},
    ]
    assert text(await post(json.dumps({"model": "echo", "messages": said, "stream": True}).encode())) == "two parts"


@pytest.mark.parametrize("said", ["", "What is this?", "x" * 5000, "word " * 900, "水車はどう動きますか？" * 9])
async def test_thinker_reasons_first(said: str) -> None:
    stream = await post(body(said, "thinker", stream_options={"include_usage": True}))
    kinds = [next(iter(delta)) for delta in deltas(stream)[1:-1]]
    thoughts = kinds.count("reasoning_content")
    assert kinds == ["reasoning_content"] * thoughts + ["content"] * (len(kinds) - thoughts)
    assert 60 <= thoughts <= 120
    assert len(kinds) - thoughts > 20
    assert frames(stream)[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] == thoughts
    assert ("…" in text(stream, "reasoning_content")) == (len(said) > 60)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_max_tokens(name: str) -> None:
    stream = await post(body("one two three four", "echo", **{name: 3}))
    assert (text(stream), ending(stream)) == ("one two three", "length")


async def test_thoughts_count_as_tokens() -> None:
    stream = await post(body("What is this?", "thinker", max_tokens=10))
    assert (text(stream), ending(stream), size(text(stream, "reasoning_content"))) == ("", "length", 10)


@pytest.mark.parametrize(
    ("stop", "told", "reason"),
    [
        ("three", "one two ", "stop"),
        ("ee fo", "one two thr", "stop"),
        (["nothing", "four", "two"], "one ", "stop"),
        ("", "one two three four", "stop"),
        (None, "one two three four", "stop"),
        ("fourth", "one two three four", "stop"),
        ("o", "", "stop"),
    ],
)
async def test_stop_strings_are_not_said(stop: object, told: str, reason: str) -> None:
    stream = await post(body("one two three four", stop=stop))
    assert (text(stream), ending(stream)) == (told, reason)


@given(st.text("ab ", max_size=30), st.text("ab ", min_size=1, max_size=4))
async def test_an_answer_ends_before_the_first_stop_string(said: str, stop: str) -> None:
    assert text(await post(body(said, stop=stop))) == said.partition(stop)[0]


@pytest.mark.parametrize(
    "request_body", [b"", b"{", b"[]", b"{}", b'"\xff"', b"[" * 100_000, b'{"model":"echo","messages":[]}', body("x", max_tokens=0)]
)
async def test_what_is_no_request_is_refused(request_body: bytes) -> None:
    status, error = await refused(request_body)
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert error["message"]


async def test_an_unknown_model_is_refused() -> None:
    status, error = await refused(body("x", "nope"))
    assert (status, error["code"]) == (404, "model_not_found")
    assert "nope" in error["message"]
    assert "guide" in error["message"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nope", 404), ("POST", "/models", 405), ("GET", "/chat/completions", 405)])
async def test_another_path_or_method_is_refused(method: str, path: str, status: int) -> None:
    assert (await refused(b"{}", method, path))[0] == status


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_is_above_zero(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Rehearsal(speed)


async def test_a_new_model_is_a_function_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def calls(question: Question) -> Script:
        return Script(iter([Say("Let us see"), Call("1", "look"), Arguments("{}")]), end="tool_calls")

    monkeypatch.setitem(MODELS, "tools", calls)
    stream = await post(body("x", "tools", stop="seen"))
    begun = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": "{}"}}
    assert deltas(stream)[1:-1] == [{"content": "Let us see"}, {"tool_calls": [begun]}, {"tool_calls": [more]}]
    assert ending(stream) == "tool_calls"


async def test_a_model_may_answer_in_bytes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def cut() -> Any:
        yield b'data: {"cho'

    monkeypatch.setitem(MODELS, "cut", lambda question: Answer(200, {}, cut()))
    assert await post(body("x", "cut")) == b'data: {"cho'
