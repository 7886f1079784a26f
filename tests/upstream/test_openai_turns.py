"""Turns as Chat Completions requests: what is said on the left, what is POSTed on the right. And the list of models."""

from typing import Any

import msgspec
import pytest

from services.errors import Invalid, ProtocolError
from services.messages import Attachment, Image, Message, Options, Reasoning, Refusal, Text, Tool, ToolCall, ToolResult, Turn
from services.models import Model
from services.upstream.openai_chat import OpenAIChatReader
from tests.upstream.reading import DONE, STOP, call, chat, delta, reply


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
        [delta(reasoning_content="hm"), delta(content="a")],
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
    (
        b'{"models":[{"model":"q","capabilities":["completion","multimodal"]},5],"data":[{"id":"q","meta":{"n_ctx_train":8}}]}',
        [Model("q", 8, vision=True)],
    ),
    (b'{"data":[{"id":"m","type":"llm","max_context_length":9,"capabilities":["tool_use"]}]}', [Model("m", 9, vision=False, tools=True)]),
    (b'{"data":[{"id":"m","type":"vlm","capabilities":[1]}],"models":7}', [Model("m", vision=True)]),
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
