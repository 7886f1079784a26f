"""Legacy Completions: what is asked, and bytes on the left, events on the right. Its ends and errors are Chat Completions' own."""

from typing import Any

import msgspec
import pytest

from services.errors import Invalid, ProtocolError
from services.events import Event, Failed, Finished, Usage
from services.messages import Attachment, Image, Message, Options, Reasoning, Refusal, Text, ToolCall, ToolResult, Turn, Vendor
from services.models import Model
from services.upstream.openai_completions import OpenAICompletionsReader
from tests.upstream.reading import DONE, FINISHED, frames, part, read_all_ways


def piece(text: str, **choice: Any) -> dict[str, Any]:
    return {"object": "text_completion", "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": None, **choice}]}


STOP = piece("", finish_reason="stop")


def completions(*payloads: Any) -> list[Event]:
    return read_all_ways("openai_completions", frames(*payloads))


HI = part(0, "text", "Hi")
TOKENS = {"tokens": ["H", "i"], "token_logprobs": [None, -0.5], "top_logprobs": [None, {"i": -0.5}], "text_offset": [0, 1]}

TEXT = [
    ("fragments", [piece("Hel"), piece("lo"), STOP], part(0, "text", "Hel", "lo")),
    ("the end on the last piece", [piece("H"), piece("i", finish_reason="stop")], part(0, "text", "H", "i")),
    ("other choices", [piece("x", index=1), piece("Hi"), piece("y", index=1, finish_reason="length"), STOP], HI),
    ("nulls", ['{"choices":[{"text":null}]}', piece("Hi"), STOP], HI),
    ("wrong shapes", [{"choices": ["?", {"text": 5}, {"text": "Hi", "logprobs": 7}]}, STOP], HI),
    (
        "a character in two pieces",
        ['{"choices":[{"text":"a\\ud83d"}]}', '{"choices":[{"text":"\\udc4b"}]}', STOP],
        part(0, "text", "a", "👋"),
    ),
    ("tags", [piece("<thi"), piece("nk>hm</think>a"), STOP], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("chunks of a chat", [{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}, STOP], HI),
    (
        "logprobs",
        [piece("Hi", logprobs=TOKENS), STOP],
        part(
            0,
            "text",
            "Hi",
            side={"logprobs": [{"token": "H", "logprob": None}, {"token": "i", "logprob": -0.5, "top_logprobs": {"i": -0.5}}]},
        ),
    ),
    ("logprobs of odd shapes", [piece("Hi", logprobs={"tokens": ["H"], "token_logprobs": 5}), STOP], HI),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in TEXT], ids=[case[0] for case in TEXT])
def test_text(payloads: list[Any], parts: list[Event]) -> None:
    assert completions(*payloads, DONE) == [*parts, FINISHED]
    assert completions(*payloads) == [*parts, FINISHED]  # the connection ended, [DONE] did not come


def test_usage() -> None:
    """Ollama fills it with zeros until it knows."""
    zero, counted = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, {"prompt_tokens": 3, "completion_tokens": 5}
    assert completions(piece("Hi") | {"usage": zero}, STOP | {"usage": counted}, DONE) == [*HI, Usage(3, 5, total_tokens=0), FINISHED]


ENDS = [
    ("length", [piece("Hi", finish_reason="length"), DONE], Finished("length", "length")),
    ("content_filter", [piece("Hi", finish_reason="content_filter")], Finished("content_filter", "content_filter")),
    ("DONE alone", [piece("Hi"), DONE], Finished("stop")),
]


@pytest.mark.parametrize(("payloads", "finished"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_the_end(payloads: list[Any], finished: Finished) -> None:
    assert completions(*payloads) == [*HI, finished]


def whole(**choice: Any) -> bytes:
    return msgspec.json.encode(piece("Hi", **choice) | {"usage": {"prompt_tokens": 3}})


def test_a_whole_completion_is_an_answer() -> None:
    assert read_all_ways("openai_completions", whole(finish_reason="stop")) == [*HI, Usage(3), FINISHED]


FAILURES = [
    ("no end", frames(piece("Hi")), "truncated", None),
    ("half a frame", frames(piece("Hi")) + b'data: {"choices":[{"text":"', "truncated", None),
    ("a document without an end", whole(), "truncated", None),
    ("an error", frames(piece("Hi"), {"error": {"message": "Boom", "type": "server_error"}}, DONE), "server_error", "Boom"),
    ("an error as an event", frames(piece("Hi")) + b"event: error\ndata: Boom\n\n", "upstream", "Boom"),
    ("an error after the end", frames(piece("Hi", finish_reason="stop"), {"error": "Boom"}, DONE), "upstream", "Boom"),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES])
def test_failures_keep_what_was_told(body: bytes, code: str, words: str | None) -> None:
    events = read_all_ways("openai_completions", body)
    failed = events[-1]
    assert [event for event in events[:-1] if not isinstance(event, Usage)] == HI
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream) == (code, words)


NO_STREAM = [
    ("nothing", b"", "empty"),
    ("DONE", frames(DONE), "empty"),
    ("a web page", b"<html>", "not_a_stream"),
    ("other JSON", b'{"status":"ok"}', "not_a_stream"),
    ("an error", b'{"error":{"message":"No credit","code":"insufficient_quota"}}', "quota"),
]


@pytest.mark.parametrize(("body", "code"), [case[1:] for case in NO_STREAM], ids=[case[0] for case in NO_STREAM])
def test_what_is_no_stream(body: bytes, code: str) -> None:
    [failed] = read_all_ways("openai_completions", body)
    assert isinstance(failed, Failed)
    assert failed.code == code


# What is asked


def asked(*messages: Message, **options: Any) -> Any:
    path, body = OpenAICompletionsReader().request(Turn("m", messages, Options(**options)))
    assert path == "/completions"
    return msgspec.json.decode(body)


def user(text: str) -> Message:
    return Message("user", (Text(text),))


def test_a_single_message_is_the_prompt() -> None:
    assert asked(Message("user", (Text("def f("), Text("x):")))) == {
        "model": "m",
        "prompt": "def f(x):",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_conversation_is_a_text_that_goes_on() -> None:
    reply = Message("assistant", (Reasoning("hm"), Text("Hi."), Refusal("No."), Attachment("source", {"url": "https://e.org"})))
    body = asked(Message("system", (Text("Be brief."),)), user("Hello"), reply, user("How are you?"))
    assert body["prompt"] == "Be brief.\n\nUser: Hello\n\nAssistant: Hi.No.\n\nUser: How are you?\n\nAssistant:"
    assert body["stop"] == ["\nUser:"]
    assert asked(user("a"), user("b"), stop=("END",))["stop"] == ["END"]
    assert asked(Message("system", (Text("Be brief."),)))["prompt"] == "Be brief.\n\nAssistant:"


def test_options() -> None:
    given = asked(
        user("?"),
        temperature=0.5,
        top_p=0.9,
        max_tokens=100,
        stop=("END",),
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        vendor=Vendor("openai_completions", {"suffix": "return x", "logprobs": 2}),
    )
    named = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 100, "stop": ["END"], "seed": 7}
    penalties = {"presence_penalty": 0.1, "frequency_penalty": 0.2}
    assert given == asked(user("?")) | named | penalties | {"suffix": "return x", "logprobs": 2}


CANNOT = [
    (Message("user", (Image("data:,"),)), "An image in a message of role 'user'"),
    (Message("user", (Attachment("file", {}),)), "A file in a message of role 'user'"),
    (Message("assistant", (ToolCall("a", "x", "{}"),)), "A tool call in a message of role 'assistant'"),
    (Message("tool", (ToolResult("a", "x"),)), "A tool result in a message of role 'tool'"),
]


@pytest.mark.parametrize(("message", "words"), CANNOT)
def test_what_cannot_be_said_is_named(message: Message, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        asked(message)


def test_headers_and_models_are_those_of_the_family() -> None:
    assert OpenAICompletionsReader.headers("k") == {"authorization": "Bearer k"}
    assert OpenAICompletionsReader.headers(None) == {}
    assert OpenAICompletionsReader.models(b'{"object":"list","data":[{"id":"davinci-002"}]}') == [Model("davinci-002")]
    with pytest.raises(ProtocolError):
        OpenAICompletionsReader.models(b"<html>")
