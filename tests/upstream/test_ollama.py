"""Ollama's /api/chat: bytes on the left, events on the right; turns on the left, what is POSTed on the right."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.errors import Invalid, ProtocolError
from services.events import Event, Failed, Finished, PartStarted, Usage
from services.messages import Attachment, Image, Message, Options, Part, Reasoning, Refusal, Text, Tool, ToolCall, ToolResult, Turn
from services.models import Model
from services.upstream.ollama import OllamaReader
from tests.upstream.reading import DONE, frames, lines, part, read, read_all_ways

TAGS = Path(__file__).parent.parent / "recordings" / "ollama_chat" / "tags.json"

END = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
FINISHED = Finished("stop", "stop")


def said(content: str = "", **more: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": content, **more}, "done": False}


def called(name: str, arguments: object, **more: Any) -> dict[str, Any]:
    return said(tool_calls=[{**more, "function": {"name": name, "arguments": arguments}}])


def call(number: int, id: str, name: str, text: str, value: object) -> list[Event]:
    return part(number, "tool_call", *([text] if text else []), id=id, name=name, value=value)


ANSWERS = [
    ("lines", lines(said("Hel"), said("lo"), END), part(0, "text", "Hel", "lo")),
    ("server-sent events", frames(said("Hel"), said("lo"), END), part(0, "text", "Hel", "lo")),
    ("events and comments", b": hi\n\nevent: message\n" + frames(said("Hel"), END), part(0, "text", "Hel")),
    ("blank lines", b"\n\n" + lines(said("Hel")) + b"\r\n\n" + lines(END), part(0, "text", "Hel")),
    ("glued", lines(said("Hel"), said("lo"), END).replace(b"\n", b""), part(0, "text", "Hel", "lo")),
    ("no last line end", lines(said("Hel"), END).rstrip(), part(0, "text", "Hel")),
    ("all at once", lines({**said("Hello"), "done": True, "done_reason": "stop"}), part(0, "text", "Hello")),
    ("U+2028", lines(said("a\u2028b"), END), part(0, "text", "a\u2028b")),
    ("NUL and half a character", b'{"message":{"content":"a\\u0000\\ud83d!"}}\n' + lines(END), part(0, "text", "a\ufffd\ufffd!")),
    ("thinking", lines(said(thinking="hm"), said("a"), END), [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("tags", lines(said("<thi"), said("nk>hm</think>\n"), said("a"), END), [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("a call", lines(called("x", {"n": 1}, id="a"), END), call(0, "a", "x", '{"n":1}', {"n": 1})),
    ("no arguments", lines(called("x", None, id="a"), END), call(0, "a", "x", "", {})),
    ("arguments as text", lines(called("x", '{"n":1}', id="a"), END), call(0, "a", "x", '{"n":1}', {"n": 1})),
    (
        "calls without ids",
        lines(called("x", {}), called("x", {}), END),
        [*call(0, "call00000", "x", "{}", {}), *call(1, "call00001", "x", "{}", {})],
    ),
    ("wrong shapes", lines({"message": {"content": "a", "thinking": 5}, "eval_count": "?"}, END), part(0, "text", "a")),
    ("three lines of no JSON", b'{"mess\n{]\n{\n' + lines(said("a"), END), part(0, "text", "a")),
]


@pytest.mark.parametrize(("body", "parts"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_answers(body: bytes, parts: list[Event]) -> None:
    calls = any(isinstance(event, PartStarted) and event.kind == "tool_call" for event in parts)
    assert read_all_ways("ollama", body) == [*parts, Finished("tool_calls", "stop") if calls else FINISHED]


ENDS = [
    ({"done": True, "done_reason": "length", "prompt_eval_count": 9, "eval_count": 5}, [Usage(9, 5), Finished("length", "length")]),
    ({"done": True, "eval_count": 5}, [Usage(output_tokens=5), Finished("stop")]),
    ({"done": True, "done_reason": "load"}, [Finished("stop", "load")]),
]


@pytest.mark.parametrize(("last", "events"), ENDS)
def test_the_end(last: dict[str, Any], events: list[Event]) -> None:
    assert read_all_ways("ollama", lines(last)) == events
    assert read_all_ways("ollama", lines(said("a"), last, said("garbage"))) == [*part(0, "text", "a"), *events]


def test_done_after_text_is_an_end_of_server_sent_events() -> None:
    assert read_all_ways("ollama", frames(said("a"), DONE)) == [*part(0, "text", "a"), Finished("stop")]


FAILURES = [
    ("an error", lines({"error": "CUDA error"}), "upstream", "CUDA error"),
    ("an error, and then an end", lines({"error": "CUDA error"}, END), "upstream", "CUDA error"),
    ("an error with a status", lines({"error": {"message": "Slow down", "code": 429}}), "rate_limited", "Slow down"),
    ("nothing more", b"", "truncated", None),
    ("half a line", b'{"message":{"content":"half', "truncated", None),
    ("no JSON, four times", b"{\n{\n{\n{\n" + lines(END), "protocol", "{"),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES])
def test_failures_keep_what_was_told(body: bytes, code: str, words: str | None) -> None:
    *told, failed = read_all_ways("ollama", lines(said("Hel"), said("lo")) + body)
    assert told == part(0, "text", "Hel", "lo")
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "streaming")


NO_ANSWERS = [
    ("nothing", b"", "empty", None),
    ("comments", b": ping\n\n", "empty", None),
    ("DONE", frames(DONE), "empty", None),
    ("a web page", b"<html><title>Sign in</title>", "not_a_stream", "Sign in"),
    ("a long web page", b"<html>" + b"x" * 20_000, "not_a_stream", None),
    ("other JSON", b'{"version":"0.31.0"}', "not_a_stream", '{"version":"0.31.0"}'),
    ("an error", b'{"error":"model requires more system memory"}', "upstream", "model requires more system memory"),
    ("an error as an event", b"event: error\ndata: Boom\n\n", "upstream", "Boom"),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in NO_ANSWERS], ids=[case[0] for case in NO_ANSWERS])
def test_what_is_no_answer(body: bytes, code: str, words: str | None) -> None:
    [failed] = read_all_ways("ollama", body)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "waiting")


def test_too_many_calls() -> None:
    *_, failed = read("ollama", [lines(*[called("x", {})] * 200, END)])
    assert isinstance(failed, Failed)
    assert failed.code == "limit"


def asked(turn: Turn) -> Any:
    path, body = OllamaReader().request(turn)
    assert path == "/api/chat"
    return msgspec.json.decode(body)


def test_a_turn_as_a_request() -> None:
    turn = Turn(
        "llama3.2",
        (
            Message("system", (Text("Be brief."),)),
            Message("user", (Text("What is "), Text("this?"), Image("data:image/png;base64,AA=="))),
            Message("assistant", (Reasoning("hm"), ToolCall("a", "look", '{"n":1}', {"n": 1}))),
            Message("tool", (ToolResult("a", "a cat"),)),
            Message("assistant", (Reasoning("hm"), Refusal("No. "), Text("A cat."), Attachment("source", {"url": "https://e.org"}))),
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
            tools=(Tool("look", "Looks.", {"type": "object"}),),
            tool_choice="auto",
        ),
    )
    assert asked(turn) == {
        "model": "llama3.2",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is this?", "images": ["AA=="]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "hm",
                "tool_calls": [{"id": "a", "function": {"name": "look", "arguments": {"n": 1}}}],
            },
            {"role": "tool", "content": "a cat", "tool_name": "look", "tool_call_id": "a"},
            {"role": "assistant", "content": "No. A cat."},
        ],
        "stream": True,
        "options": {
            "num_predict": 100,
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
            "stop": ["END"],
            "presence_penalty": 0.1,
            "frequency_penalty": 0.2,
        },
        "think": "low",
        "tools": [{"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}],
    }


@pytest.mark.parametrize(("effort", "think"), [("none", False), ("minimal", "low"), ("high", "high"), ("xhigh", "max")])
def test_effort_is_thinking(effort: str, think: bool | str) -> None:
    assert asked(Turn("m", (), Options(reasoning_effort=effort))) == {"model": "m", "messages": [], "stream": True, "think": think}


def test_no_tool_may_be_used() -> None:
    assert set(asked(Turn("m", (), Options(tools=(Tool("x"),), tool_choice="none")))) == {"model", "messages", "stream"}


CANNOT = [
    (Image("https://example.org/cat.png"), "'https://example.org/cat.png'"),
    (Image("data:image/svg+xml,<svg/>"), "images as data:...;base64 URLs"),
    (Attachment("file", {}), "'file'"),
    (ToolCall("a", "x", '{"n":', None), "arguments of a tool call as a JSON object; those of 'x' are none"),
]


@pytest.mark.parametrize(("said", "words"), CANNOT)
def test_what_cannot_be_said_is_named(said: Part, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        asked(Turn("m", (Message("user", (said,)),)))


@pytest.mark.parametrize("options", [Options(tool_choice="required"), Options(tool_choice="function:x"), Options(reasoning_effort="wild")])
def test_options_it_does_not_have_are_named(options: Options) -> None:
    with pytest.raises(Invalid, match=options.tool_choice or options.reasoning_effort):
        asked(Turn("m", (), options))


def test_models() -> None:
    expected = json.loads(TAGS.with_name("tags.expected.json").read_bytes())["extra"]["models"]
    [model] = OllamaReader.models(TAGS.read_bytes())
    assert [model.name] == expected
    assert model == Model("llama3.2:latest", 131072, vision=False, tools=True, reasoning=False)
    assert OllamaReader.models(b'{"models":[{"name":"old"}]}') == [Model("old")]


SHOWN = {
    "parameters": 'num_ctx                        8192\nstop                           "<|im_end|>"',
    "details": {"family": "qwen3"},
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960, "qwen3.block_count": 36},
    "capabilities": ["completion", "tools", "thinking"],
}


def test_what_a_server_shows_of_a_model() -> None:
    """Fields as in https://github.com/ollama/ollama/blob/main/docs/api.md#show-model-information"""
    assert OllamaReader.ask("qwen3:8b") == ("/api/show", b'{"model":"qwen3:8b"}')
    shown = OllamaReader.tell(Model("qwen3:8b"), json.dumps(SHOWN).encode())
    assert shown == Model("qwen3:8b", context=8192, vision=False, tools=True, reasoning=True)
    unset = OllamaReader.tell(Model("qwen3:8b", context=1), json.dumps(SHOWN | {"parameters": None, "capabilities": None}).encode())
    assert unset == Model("qwen3:8b", context=40960)
    assert OllamaReader.tell(Model("old", context=2048), b"{}") == Model("old", context=2048)
    with pytest.raises(ProtocolError):
        OllamaReader.tell(Model("old"), b"<html>")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":"no"}', b'{"models":null}', b'{"models":[{}]}'])
def test_no_list_of_models(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        OllamaReader.models(body)


def test_headers() -> None:
    assert OllamaReader.headers(None) == {}
    assert OllamaReader.headers("k") == {"authorization": "Bearer k"}
