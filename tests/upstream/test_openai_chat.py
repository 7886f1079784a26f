"""Chat Completions: bytes on the left, events on the right."""

from typing import Any

import msgspec
import pytest

from services.errors import Invalid, LimitExceeded, ProtocolError
from services.events import Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Usage
from services.messages import (
    Attachment,
    Image,
    Message,
    Options,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from services.upstream.openai_chat import OpenAIChatReader
from services.upstream.reader import Model
from services.wire.sse import MAX_LINE
from tests.upstream.reading import cuts, frames, part, read, reply

STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
DONE = "[DONE]"
FINISHED = Finished("stop", "stop")


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def end(reason: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def call(**fields: Any) -> dict[str, Any]:
    """One fragment of a tool call; name and arguments belong to its function."""
    function = {key: fields.pop(key) for key in ("name", "arguments") if key in fields}
    return delta(tool_calls=[{**fields, "function": function}])


def think(text: str) -> dict[str, Any]:
    return delta(reasoning_content=text)


def chat(*payloads: Any) -> list[Event]:
    """The events of these frames; the same however the bytes are cut."""
    body = frames(*payloads)
    ways = cuts(body)
    events = read("openai_chat", next(ways))
    assert all(read("openai_chat", way) == events for way in ways)
    return events


TEXT = [
    ("fragments", [delta(content="Hel"), delta(content="lo")], part(0, "text", "Hel", "lo")),
    ("role and nulls", [delta(role="assistant", content=""), delta(content=None), delta(content="Hi")], part(0, "text", "Hi")),
    ("characters", [delta(content="ö\u2028\u0085👋")], part(0, "text", "ö\u2028\u0085👋")),
    ("NUL", ['{"choices":[{"delta":{"content":"a\\u0000b"}}]}'], part(0, "text", "a\ufffdb")),
    ("half a character", ['{"choices":[{"delta":{"content":"a\\ud83d!"}}]}'], part(0, "text", "a\ufffd!")),
    (
        "a character in two deltas",
        ['{"choices":[{"delta":{"content":"a\\ud83d"}}]}', '{"choices":[{"delta":{"content":"\\udc4b!"}}]}'],
        part(0, "text", "a", "👋!"),
    ),
    ("half a character at the end", ['{"choices":[{"delta":{"content":"a\\ud83d"}}]}'], part(0, "text", "a", "\ufffd")),
    ("a list", [delta(content=[{"type": "text", "text": "a"}, "b"])], part(0, "text", "a", "b")),
    ("message for delta", [{"choices": [{"message": {"content": "a"}}]}], part(0, "text", "a")),
    ("index as text", [{"choices": [{"index": "0", "delta": {"content": "a"}}]}], part(0, "text", "a")),
    (
        "other choices",
        [{"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "a"}}]}],
        part(0, "text", "a"),
    ),
    ("wrong shapes", [{"choices": ["?", {"delta": "?"}, {"delta": {"content": 5, "refusal": "r"}}]}], part(0, "refusal", "r")),
    ("two in one frame", ['{"choices":[{"delta":{"content":"a"}}]} {"choices":[{"delta":{"content":"b"}}]}'], part(0, "text", "a", "b")),
    ("framed twice", ['data: {"choices":[{"delta":{"content":"a"}}]}'], part(0, "text", "a")),
    ("keep-alives", ["", {"choices": []}, {"type": "ping"}, delta(content="a"), {"choices": None}], part(0, "text", "a")),
    ("three frames of no JSON", ["{", '{"choices":[{"delta":{"content":"lost', "{]", delta(content="a")], part(0, "text", "a")),
    ("null error", [{**delta(content="a"), "error": None}], part(0, "text", "a")),
    ("refusal", [delta(refusal="I'm "), delta(refusal="sorry")], part(0, "refusal", "I'm ", "sorry")),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in TEXT], ids=[case[0] for case in TEXT])
def test_text(payloads: list[Any], parts: list[Event]) -> None:
    assert chat(*payloads, STOP, DONE) == [*parts, FINISHED]


def summary(text: str) -> dict[str, Any]:
    return {"type": "reasoning.summary", "summary": text, "index": 0}


REASONING = [
    ("reasoning_content", [think("hm"), delta(content="a")], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("reasoning", [delta(reasoning="hm"), delta(content="a")], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("both names", [delta(reasoning="hm", reasoning_content="hm", content="a")], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("beside text", [delta(reasoning="x", content="a"), delta(content="b")], [*part(0, "reasoning", "x"), *part(1, "text", "a", "b")]),
    (
        "details, their text once",
        [delta(reasoning="h", reasoning_details=[summary("h")]), delta(reasoning="m", reasoning_details=[summary("m")])],
        part(0, "reasoning", "h", "m", form="summary", side={"reasoning_details": [summary("hm")]}),
    ),
    (
        "details alone",
        [delta(reasoning_details=[summary("hm")])],
        part(0, "reasoning", "hm", form="summary", side={"reasoning_details": [summary("hm")]}),
    ),
    (
        "a signature that comes late",
        [
            delta(reasoning="hm", reasoning_details=[{"type": "reasoning.text", "text": "hm", "signature": None, "index": 0}]),
            delta(reasoning_details=[{"type": "reasoning.text", "signature": "S", "index": 0}]),
        ],
        part(0, "reasoning", "hm", side={"reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "S", "index": 0}]}),
    ),
    (
        "encrypted",
        [delta(reasoning_details=[{"type": "reasoning.encrypted", "data": "gAAA"}])],
        part(0, "reasoning", form="encrypted", side={"reasoning_details": [{"type": "reasoning.encrypted", "data": "gAAA"}]}),
    ),
    (
        "a list",
        [delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}])],
        [*part(0, "reasoning", "hm"), *part(1, "text", "a")],
    ),
    ("tags", [delta(content="<think>hm</think>a")], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    (
        "tags in pieces",
        [delta(content=text) for text in ["\n<th", "ink>\n", "h", "m\n", "\n</", "think>\n\n", "a", "</think>"]],
        [*part(0, "reasoning", "h", "m"), *part(1, "text", "a", "</think>")],
    ),
    ("a tag that is none", [delta(content="<th"), delta(content="e>")], part(0, "text", "<the>")),
    ("a tag that stays open", [delta(content="<think>h"), delta(content="m</thi")], part(0, "reasoning", "h", "m", "</thi")),
    ("a tag later on", [delta(content="Write "), delta(content="<think>")], part(0, "text", "Write ", "<think>")),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in REASONING], ids=[case[0] for case in REASONING])
def test_reasoning(payloads: list[Any], parts: list[Event]) -> None:
    assert chat(*payloads, STOP, DONE) == [*parts, FINISHED]


def tool(number: int, id: str, name: str, *texts: str, value: object, side: Any = None) -> list[Event]:
    return part(number, "tool_call", *texts, id=id, name=name, value=value, side=side)


def told_late(*calls: list[Event]) -> list[Event]:
    """Fragments of several calls may be mixed, so each of them ends at the end of the reply."""
    return [event for call in calls for event in call[:-1]] + [call[-1] for call in calls]


K, Z = '{"city":"Köln"}', '{"tz":"CET"}'
TWO = told_late(tool(0, "a", "weather", K, value={"city": "Köln"}), tool(1, "b", "time", Z, value={"tz": "CET"}))
MADE_UP = told_late(tool(0, "call00000", "weather", K, value={"city": "Köln"}), tool(1, "call00001", "time", Z, value={"tz": "CET"}))
SAME = told_late(tool(0, "call00000", "weather", K, value={"city": "Köln"}), tool(1, "call00001", "weather", K, value={"city": "Köln"}))

CALLS: list[tuple[str, list[Any], list[Event]]] = [
    (
        "fragments",
        [call(index=0, id="a", name="weather", arguments=""), call(index=0, arguments='{"city"'), call(index=0, arguments=':"Köln"}')],
        tool(0, "a", "weather", '{"city"', ':"Köln"}', value={"city": "Köln"}),
    ),
    ("parallel", [call(index=0, id="a", name="weather", arguments=K), call(index=1, id="b", name="time", arguments=Z)], TWO),
    (
        "mixed",
        [
            call(index=0, id="a", name="weather", arguments='{"city"'),
            call(index=1, id="b", name="time", arguments='{"tz"'),
            call(index=0, arguments=':"Köln"}'),
            call(index=1, arguments=':"CET"}'),
        ],
        [
            PartStarted(0, "tool_call", "a", "weather"),
            PartDelta(0, '{"city"'),
            PartStarted(1, "tool_call", "b", "time"),
            PartDelta(1, '{"tz"'),
            PartDelta(0, ':"Köln"}'),
            PartDelta(1, ':"CET"}'),
            PartFinished(0, {"city": "Köln"}),
            PartFinished(1, {"tz": "CET"}),
        ],
    ),
    ("all index 0", [call(index=0, id="a", name="weather", arguments=K), call(index=0, id="b", name="time", arguments=Z)], TWO),
    ("no index", [call(id="a", name="weather", arguments=K), call(id="b", name="time", arguments=Z)], TWO),
    ("no id", [call(index=0, name="weather", arguments=K), call(index=1, id="", name="time", arguments=Z)], MADE_UP),
    ("all index 0, no id", [call(index=0, name="weather", arguments=K), call(index=0, name="time", arguments=Z)], MADE_UP),
    ("no index, no id, one name", [call(name="weather", arguments=K), call(name="weather", arguments=K)], SAME),
    (
        "empty ids afterwards",
        [call(index=0, id="a", name="x", arguments="{"), call(index=0, id="", name="", arguments="}")],
        tool(0, "a", "x", "{", "}", value={}),
    ),
    (
        "id and name every time",
        [call(index=0, id="a", name="x", arguments="{"), call(index=0, id="a", name="x", arguments="}")],
        tool(0, "a", "x", "{", "}", value={}),
    ),
    ("an object", [call(index=0, id="a", name="x", arguments={"n": 1})], tool(0, "a", "x", '{"n":1}', value={"n": 1})),
    ("null", [call(index=0, id="a", name="x", arguments=None)], tool(0, "a", "x", value={})),
    ("no JSON", [call(index=0, id="a", name="x", arguments='{"n":')], tool(0, "a", "x", '{"n":', value=None)),
    (
        "a name that comes late",
        [call(index=0, id="a", arguments="{"), call(index=0, name="x", arguments="}")],
        tool(0, "a", "x", "{", "}", value={}),
    ),
    ("no name at all", [call(index=0, arguments="{}")], tool(0, "call00000", "", "{}", value={})),
    (
        "custom",
        [delta(tool_calls=[{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}])],
        tool(0, "a", "sql", "SELECT 1", value=None, side={"type": "custom"}),
    ),
    ("before tools", [delta(function_call={"name": "x", "arguments": "{}"})], tool(0, "call00000", "x", "{}", value={})),
    (
        "something to send back",
        [call(index=0, id="a", name="x", arguments="{}", extra_content={"google": {"thought_signature": "E"}})],
        tool(0, "a", "x", "{}", value={}, side={"extra_content": {"google": {"thought_signature": "E"}}}),
    ),
    (
        "text around it",
        [delta(content="Let "), call(index=0, id="a", name="x", arguments="{}"), delta(content="me")],
        [
            *part(0, "text", "Let "),
            PartStarted(1, "tool_call", "a", "x"),
            PartDelta(1, "{}"),
            PartStarted(2, "text"),
            PartDelta(2, "me"),
            PartFinished(1, {}),
            PartFinished(2),
        ],
    ),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
@pytest.mark.parametrize("reason", ["tool_calls", "stop", "function_call"])
def test_tool_calls(payloads: list[Any], parts: list[Event], reason: str) -> None:
    assert chat(*payloads, end(reason), DONE) == [*parts, Finished("tool_calls", reason)]


def test_made_up_ids_are_unique_in_a_conversation() -> None:
    reader = OpenAIChatReader()
    reader.request(Turn("m", (Message("user", (Text("?"),)),) * 7))
    [started, *_] = reader.feed(frames(call(index=0, name="x", arguments="{}")))
    assert started == PartStarted(0, "tool_call", "call00700", "x")


OTHERS = [
    ("images", delta(images=[{"image_url": {"url": "data:image/png;base64,AA"}}]), part(0, "image", value={"url": "data:image/png;base64,AA"})),
    (
        "annotations",
        delta(annotations=[{"type": "url_citation", "url_citation": {"url": "https://e.org", "title": "E"}}]),
        part(0, "source", value={"url": "https://e.org", "title": "E"}),
    ),
    ("citations", {**delta(), "citations": ["https://a", "https://a", "https://b"]}, [*part(0, "source", value={"url": "https://a"}), *part(1, "source", value={"url": "https://b"})]),
    ("what nobody knows", delta(content=[{"type": "hologram", "n": 1}]), part(0, "opaque", value={"type": "hologram", "n": 1})),
    (
        "logprobs, with numbers JSON does not have",
        '{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-Infinity}]}}]}',
        part(0, "text", "a", side={"logprobs": [{"token": "a", "logprob": None}]}),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "parts"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_other_parts(payload: Any, parts: list[Event]) -> None:
    assert chat(payload, STOP, DONE) == [*parts, FINISHED]


COUNTS = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
USAGE = [
    ("after the end", [STOP, {"choices": [], "usage": COUNTS}], Usage(9, 5, total_tokens=14)),
    ("on the end", [{**STOP, "usage": COUNTS}], Usage(9, 5, total_tokens=14)),
    ("in the choice", [{"choices": [{"finish_reason": "stop", "usage": COUNTS}]}], Usage(9, 5, total_tokens=14)),
    ("the last one wins", [{**STOP, "usage": {"prompt_tokens": 9, "completion_tokens": 1}}, {"choices": [], "usage": COUNTS}], Usage(9, 5, total_tokens=14)),
    (
        "class by class",
        [{**STOP, "usage": {"prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2}}}, {"choices": [], "usage": {"completion_tokens_details": {"reasoning_tokens": 4}}}],
        Usage(reasoning_tokens=4, cached_tokens=3, cache_write_tokens=2),
    ),
    ("DeepSeek's cache", [{**STOP, "usage": {"prompt_cache_hit_tokens": 7}}], Usage(cached_tokens=7)),
    ("timings", [{**STOP, "timings": {"cache_n": 4, "prompt_n": 5, "predicted_n": 6}}], Usage(9, 6, cached_tokens=4)),
    ("timings beside usage", [{**STOP, "usage": COUNTS, "timings": {"prompt_n": 1}}], Usage(9, 5, total_tokens=14)),
    ("nonsense", [{**STOP, "usage": {"prompt_tokens": -1, "completion_tokens": True, "total_tokens": "7"}}], None),
]  # fmt: skip


@pytest.mark.parametrize(("payloads", "usage"), [case[1:] for case in USAGE], ids=[case[0] for case in USAGE])
def test_usage(payloads: list[Any], usage: Usage | None) -> None:
    assert chat(*payloads, DONE) == [*([usage] if usage else []), FINISHED]


ENDS = [
    ("length", Finished("length", "length")),
    ("max_tokens", Finished("length", "max_tokens")),
    ("content_filter", Finished("content_filter", "content_filter")),
    ("SAFETY", Finished("content_filter", "SAFETY")),
    ("eos", Finished("stop", "eos")),
    ("never heard of", Finished("stop", "never heard of")),
    ("tool_calls", Finished("stop", "tool_calls")),  # of which there are none
]


@pytest.mark.parametrize(("raw", "finished"), ENDS)
def test_the_end(raw: str, finished: Finished) -> None:
    assert chat(delta(content="a"), end(raw), DONE)[-1] == finished
    assert chat(delta(content="a"), end(raw))[-1] == finished  # the connection ended, [DONE] did not come


def test_the_end_comes_with_done_so_that_usage_is_not_lost() -> None:
    reader = OpenAIChatReader()
    assert Finished not in map(type, reader.feed(frames(delta(content="a"), STOP)))
    assert not reader.done
    assert reader.feed(frames(DONE, "garbage", delta(content="b"))) == [PartFinished(0), FINISHED]
    assert reader.done


def test_done_after_text_is_an_end() -> None:
    assert chat(delta(content="a"), DONE) == [*part(0, "text", "a"), Finished("stop")]


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
    ("too deep", frames("[" * 100_000, "{", "{", "{"), "protocol", "{"),
    ("nothing more", b"", "truncated", None),
    ("half a frame", b'data: {"choices":[{"delta":{"content":"half', "truncated", None),
    ("only comments", b": ping\n\n: ping\n\n", "truncated", None),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_errors_keep_what_was_told(body: bytes, code: str, words: str | None) -> None:
    before = frames(delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo"))
    events = read("openai_chat", [before + body])
    for way in cuts(before + body) if len(body) < 10_000 else ():
        assert read("openai_chat", way) == events
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
    ("an error in a list", b'[{"error":{"message":"Slow down","code":429}}]', "rate_limited", "Slow down"),
    ("an error, pretty", b'{\n  "error": "model not loaded"\n}\n', "upstream", "model not loaded"),
    ("other JSON", b'{"status":"ok"}', "not_a_stream", '{"status":"ok"}'),
    ("other frames", frames({"type": "message_start"}), "not_a_stream", '{"type":"message_start"}'),
    ("half an answer", b'{"choices":[{"message":{"content":"Hel', "truncated", None),
    ("chunks without frames, cut off", b'{"choices":[{"delta":{"content":""}}]}\n', "truncated", None),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in NO_STREAM], ids=[case[0] for case in NO_STREAM])
def test_what_is_no_stream(body: bytes, code: str, words: str | None) -> None:
    [failed] = read("openai_chat", [body])
    for way in cuts(body):
        assert read("openai_chat", way) == [failed]
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "waiting")
    assert failed.message.endswith(".")


def test_a_whole_completion_is_an_answer() -> None:
    calls = [{"id": "a", "function": {"name": "x", "arguments": "{}"}}, {"id": "b", "function": {"name": "x", "arguments": "{}"}}]
    message = {"role": "assistant", "content": "Hello", "reasoning_content": "hm", "tool_calls": calls}
    body = msgspec.json.encode({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": COUNTS})
    told = reply(read("openai_chat", [body]))
    assert [type(part) for part in told.parts] == [Reasoning, Text, ToolCall, ToolCall]
    assert (told.message.text, told.reason, told.usage) == ("Hello", "tool_calls", Usage(9, 5, total_tokens=14))


def test_limits() -> None:
    many = frames(*(call(index=n, id=f"c{n}", name="x", arguments="{}") for n in range(200)), end("tool_calls"), DONE)
    *told, failed = read("openai_chat", [many])
    assert isinstance(failed, Failed)
    assert failed.code == "limit"
    assert sum(isinstance(event, PartStarted) for event in told) == 128
    for endless in (b"data: ", b'{"a":"'):
        reader = OpenAIChatReader()
        reader.feed(endless)
        with pytest.raises(LimitExceeded):
            for _ in range(MAX_LINE // (1 << 20) + 2):
                reader.feed(b"x" * (1 << 20))


def asked(turn: Turn) -> Any:
    path, body = OpenAIChatReader().request(turn)
    assert path == "/chat/completions"
    return msgspec.json.decode(body)


def test_a_turn_as_a_request() -> None:
    turn = Turn(
        "gpt-5-mini",
        (
            Message("system", (Text("Be "), Text("brief."))),
            Message("user", (Text("What is this?"), Image("data:image/png;base64,AA", "low"))),
            Message("assistant", (Reasoning("hm"), Text("Let me see."), ToolCall("a", "look", '{"n":1}', {"n": 1}))),
            Message("tool", (ToolResult("a", "a cat"), ToolResult("b", "a hat"))),
            Message("assistant", (Text("A cat."), Attachment("source", {"url": "https://e.org"}))),
            Message("user", (Text("Thanks"),)),
        ),
        Options(
            temperature=0.5,
            top_p=0.9,
            max_tokens=100,
            stop=("END",),
            seed=7,
            presence_penalty=0.1,
            frequency_penalty=0.2,
            reasoning_effort="low",
            tools=(Tool("look", "Looks.", {"type": "object"}, strict=True),),
            tool_choice="function:look",
        ),
    )
    assert asked(turn) == {
        "model": "gpt-5-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
                ],
            },
            {
                "role": "assistant",
                "content": "Let me see.",
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"n":1}'}}],
                "reasoning_content": "hm",
            },
            {"role": "tool", "tool_call_id": "a", "content": "a cat"},
            {"role": "tool", "tool_call_id": "b", "content": "a hat"},
            {"role": "assistant", "content": "A cat."},
            {"role": "user", "content": "Thanks"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 100,
        "stop": ["END"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "reasoning_effort": "low",
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": True}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
    }


def test_options_that_were_not_given_are_not_sent() -> None:
    turn = Turn("m", (Message("user", (Text("?"),)),), Options(tool_choice="none"))
    assert set(asked(turn)) == {"model", "messages", "stream", "stream_options", "tool_choice"}


def test_what_came_with_a_reply_goes_back_with_it() -> None:
    """A reply of each kind, folded and sent back, says what the server insists on."""
    bodies: list[list[Any]] = [
        [delta(reasoning="hm", reasoning_details=[{"type": "reasoning.text", "text": "hm", "signature": "S"}]), delta(content="a")],
        [call(index=0, id="a", name="x", arguments="{}", extra_content={"google": {"thought_signature": "E"}})],
        [delta(tool_calls=[{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}])],
        [delta(images=[{"image_url": {"url": "data:image/png;base64,AA"}}])],
        [think("hm"), delta(content="a")],
        [delta(refusal="No.")],
    ]
    sent = [asked(Turn("m", (reply(chat(*body, STOP, DONE)).message,)))["messages"][0] for body in bodies]
    function = {"id": "a", "type": "function", "function": {"name": "x", "arguments": "{}"}}
    assert sent == [
        {"role": "assistant", "content": "a", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "S"}]},
        {"role": "assistant", "content": None, "tool_calls": [{**function, "extra_content": {"google": {"thought_signature": "E"}}}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}],
        },
        {"role": "assistant", "content": "", "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]},
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": "No."},
    ]


CANNOT = [
    (Message("system", (Image("data:,"),)), "An image in a message of role 'system'"),
    (Message("assistant", (Image("data:,"),)), "An image in a message of role 'assistant'"),
    (Message("user", (Attachment("file", {}),)), "A file in a message of role 'user'"),
    (Message("user", (ToolCall("a", "x", "{}"),)), "A tool call in a message of role 'user'"),
]


@pytest.mark.parametrize(("message", "words"), CANNOT)
def test_what_cannot_be_said_is_named(message: Message, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        asked(Turn("m", (message,)))


def test_an_unknown_tool_choice_is_named() -> None:
    with pytest.raises(Invalid, match="tool_choice 'any'"):
        asked(Turn("m", (), Options(tool_choice="any")))


def test_refusals_are_sent_back_as_words() -> None:
    assert asked(Turn("m", (Message("assistant", (Refusal("No."),)),)))["messages"] == [{"role": "assistant", "content": "No."}]


def test_headers() -> None:
    assert OpenAIChatReader.headers("k") == {"authorization": "Bearer k"}
    assert OpenAIChatReader.headers(None) == OpenAIChatReader.headers("") == {}


MODELS = [
    (b'{"object":"list","data":[{"id":"gpt-5","object":"model"}]}', [Model("gpt-5")]),
    (b'{"data":[{"id":"m","max_model_len":4096}]}', [Model("m", 4096)]),
    (b'{"data":[{"id":"m","meta":{"n_ctx_train":8192}}]}', [Model("m", 8192)]),
    (
        b'{"data":[{"id":"a/b","context_length":128,"architecture":{"input_modalities":["text","image"]},"supported_parameters":["tools"]}]}',
        [Model("a/b", 128, vision=True, tools=True, reasoning=False)],
    ),
    (
        b'{"data":[{"id":"m","max_context_length":32,"capabilities":{"vision":false,"function_calling":true}}]}',
        [Model("m", 32, vision=False, tools=True)],
    ),
    (b'[{"id":"bare"},{"name":"none"}]', [Model("bare")]),
    (b'{"data":[]}', []),
]


@pytest.mark.parametrize(("body", "models"), MODELS)
def test_models(body: bytes, models: list[Model]) -> None:
    assert OpenAIChatReader.models(body) == models


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":"no"}', b'{"data":{}}', b"{} {}"])
def test_no_list_of_models(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        OpenAIChatReader.models(body)
