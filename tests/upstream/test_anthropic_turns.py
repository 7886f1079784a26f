"""Turns as requests to Anthropic's Messages: what is said on the left, what is POSTed on the right. And the list of models."""

from typing import Any

import msgspec
import pytest

from services.errors import Invalid, ProtocolError
from services.messages import (
    Attachment,
    Image,
    JSONFormat,
    Message,
    Options,
    Part,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    Vendor,
)
from services.models import Model
from services.upstream.anthropic import AnthropicReader
from tests.upstream.reading import reply
from tests.upstream.test_anthropic import block, more, stop, told

LOOK = Tool("look", "Looks.", {"type": "object", "properties": {"n": {"type": "integer"}}}, strict=True)
SERVER_TOOL = {"type": "web_search_20250305", "name": "web_search"}


def asked(turn: Turn) -> Any:
    path, body = AnthropicReader().request(turn)
    assert path == "/v1/messages"
    return msgspec.json.decode(body)


def options(**given: Any) -> dict[str, Any]:
    """What the body has for these options, beyond what every body has."""
    body = asked(Turn("m", (), Options(**given)))
    return {key: value for key, value in body.items() if key not in ("model", "messages", "stream")}


def messages(*said: Message, **given: Any) -> Any:
    return asked(Turn("m", said, Options(**given)))["messages"]


def test_a_turn_as_a_request() -> None:
    turn = Turn(
        "claude-sonnet-4-5",
        (
            Message("system", (Text("Be "), Text("brief."))),
            Message("user", (Text("What is this?"), Image("data:image/PNG;base64,AA==", "low"), Image("https://e.org/a.png"))),
            Message(
                "assistant", (Reasoning("hm", side={"signature": "S"}), Text("Let me see."), ToolCall("a", "look", '{"n":1}', {"n": 1}))
            ),
            Message("tool", (ToolResult("a", "a cat"),)),
            Message("tool", (ToolResult("b:0", "", failed=True),)),
            Message("user", (Text("And?"),)),
            Message("system", (Text("In French."),)),
            Message("assistant", (Text("Un chat."), Attachment("source", {"url": "https://e.org"}), Refusal("Non."))),
        ),
        Options(
            temperature=0.5,
            top_p=0.9,
            top_k=40,
            max_tokens=100,
            stop=("END",),
            tools=(LOOK, Tool("bare")),
            tool_choice="function:look",
            parallel_tool_calls=False,
            vendor=Vendor("anthropic", {"metadata": {"user_id": "u"}}),
        ),
    )
    assert asked(turn) == {
        "model": "claude-sonnet-4-5",
        "system": "Be brief.\n\nIn French.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
                    {"type": "image", "source": {"type": "url", "url": "https://e.org/a.png"}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "S"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "a", "name": "look", "input": {"n": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "a cat"},
                    {"type": "tool_result", "tool_use_id": "b_0", "is_error": True},
                    {"type": "text", "text": "And?"},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "Un chat."}, {"type": "text", "text": "Non."}]},
        ],
        "stream": True,
        "max_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "stop_sequences": ["END"],
        "tools": [
            {"name": "look", "description": "Looks.", "input_schema": LOOK.parameters, "strict": True},
            {"name": "bare", "input_schema": {"type": "object"}},
        ],
        "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
        "metadata": {"user_id": "u"},
    }


def test_roles_alternate_and_nothing_empty_is_said() -> None:
    said = messages(
        Message("user", (Text("a"),)),
        Message("assistant", (Text(" \n"), Reasoning("no signature"))),
        Message("user", (Text("b"), ToolResult("x", "c"))),
    )
    result = {"type": "tool_result", "tool_use_id": "x", "content": "c"}
    assert said == [{"role": "user", "content": [result, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]


def test_what_came_with_a_reply_goes_back_with_it() -> None:
    """A reply of each kind, folded and sent back, says what the server insists on, in its order."""
    bodies: list[list[Any]] = [
        [
            block("thinking", thinking="hm"),
            more(signature="S"),
            stop(),
            block("redacted_thinking", 1, data="R"),
            stop(1),
            more(2, text="a"),
        ],
        [block("thinking", thinking=""), more(signature="S"), stop(), block("tool_use", 1, id="a:1", name="x"), more(1, partial_json="{}")],
        [more(thinking="hm"), more(1, text="a"), more(1, citation={"url": "https://e.org"})],
    ]
    sent = [messages(reply(told(*body)).message)[0]["content"] for body in bodies]
    assert sent == [
        [
            {"type": "thinking", "thinking": "hm", "signature": "S"},
            {"type": "redacted_thinking", "data": "R"},
            {"type": "text", "text": "a"},
        ],
        [{"type": "thinking", "thinking": "", "signature": "S"}, {"type": "tool_use", "id": "a_1", "name": "x", "input": {}}],
        [{"type": "text", "text": "a"}],
    ]


def test_results_of_server_tools_go_back_where_such_tools_are_offered() -> None:
    used, found = {"type": "server_tool_use", "id": "s"}, {"type": "web_search_tool_result", "tool_use_id": "s"}
    parts: tuple[Part, ...] = (Attachment("opaque", used), Attachment("opaque", found), Attachment("opaque", {"odd": 1}), Text("a"))
    said = Message("assistant", parts)
    text = {"type": "text", "text": "a"}
    vendor = Vendor("anthropic", {"tools": [SERVER_TOOL]})
    assert messages(said)[0]["content"] == [text]
    assert messages(said, tools=(LOOK,))[0]["content"] == [text]
    assert messages(said, vendor=vendor)[0]["content"] == [used, found, text]
    assert [tool["name"] for tool in asked(Turn("m", (), Options(tools=(LOOK,), vendor=vendor)))["tools"]] == ["look", "web_search"]


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"max_tokens": 8192}),
    ({"reasoning_effort": "none"}, {"max_tokens": 8192, "thinking": {"type": "disabled"}}),
    ({"reasoning_effort": "medium"}, {"max_tokens": 16384, "thinking": {"type": "enabled", "budget_tokens": 8192}}),
    ({"reasoning_budget": 5}, {"max_tokens": 9216, "thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ({"reasoning_budget": 5000, "max_tokens": 5001}, {"max_tokens": 5001, "thinking": {"type": "enabled", "budget_tokens": 5000}}),
    ({"reasoning_effort": "high", "max_tokens": 4000}, {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}}),
    ({"reasoning_effort": "high", "max_tokens": 1025}, {"max_tokens": 1025, "thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ({"tool_choice": "auto"}, {"max_tokens": 8192}),
    ({"tool_choice": "none", "parallel_tool_calls": True}, {"max_tokens": 8192}),
    ({"tool_choice": "required"}, {"max_tokens": 8192, "tool_choice": {"type": "any"}}),
    (
        {"format": JSONFormat({"type": "object"}, "place", "Where")},
        {"max_tokens": 8192, "output_config": {"format": {"type": "json_schema", "schema": {"description": "Where", "type": "object"}}}},
    ),
    (
        {"format": JSONFormat({"type": "object"}), "vendor": Vendor("anthropic", {"output_config": {"effort": "low"}})},
        {"max_tokens": 8192, "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}, "effort": "low"}},
    ),
]


@pytest.mark.parametrize(("given", "body"), OPTIONS)
def test_options(given: dict[str, Any], body: dict[str, Any]) -> None:
    assert options(**given) == body


CHOICES = [
    ({}, None),
    ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
    ({"tool_choice": "auto"}, {"type": "auto"}),
    ({"tool_choice": "none", "parallel_tool_calls": False}, {"type": "none"}),
    ({"tool_choice": "required", "parallel_tool_calls": True}, {"type": "any", "disable_parallel_tool_use": False}),
]


@pytest.mark.parametrize(("given", "choice"), CHOICES)
def test_choices(given: dict[str, Any], choice: dict[str, Any] | None) -> None:
    assert options(tools=(LOOK,), **given).get("tool_choice") == choice


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"reasoning_budget": 5000, "max_tokens": 5000}, r"reasoning_budget: .* 5,000 tokens, which are a part of max_tokens \(5,000\)"),
    ({"reasoning_effort": "low", "max_tokens": 1024}, "reasoning_effort: .* max_tokens"),
    ({"reasoning_effort": "wild"}, "reasoning_effort 'wild'"),
    ({"reasoning_effort": "low", "temperature": 0.5}, "temperature 0.5 cannot go with reasoning_effort"),
    ({"reasoning_budget": 2000, "top_p": 0.5}, "top_p 0.5 cannot go with reasoning_budget"),
    ({"reasoning_effort": "low", "top_k": 5}, "top_k 5"),
    ({"reasoning_effort": "low", "tools": (LOOK,), "tool_choice": "required"}, "tool_choice 'required'"),
    ({"tool_choice": "any"}, "tool_choice 'any'"),
    ({"tool_choice": "function:"}, "tool_choice 'function:'"),
    ({"format": JSONFormat()}, "format: .* JSON Schema"),
]


@pytest.mark.parametrize(("given", "words"), REFUSED)
def test_options_that_cannot_be_are_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        options(**given)


def test_thinking_goes_with_what_changes_nothing() -> None:
    assert options(reasoning_effort="low", temperature=1.0, top_p=0.95, tool_choice="auto")["thinking"]["budget_tokens"] == 2048


CANNOT = [
    (Message("system", (Image("data:image/png;base64,AA"),)), "An image in a message of role 'system'"),
    (Message("assistant", (Image("data:image/png;base64,AA"),)), "An image in a message of role 'assistant'"),
    (Message("assistant", (Attachment("image", {"url": "data:image/png;base64,AA"}),)), "An image in a message of role 'assistant'"),
    (Message("assistant", (ToolResult("a", "x"),)), "A tool result in a message of role 'assistant'"),
    (Message("user", (ToolCall("a", "x", "{}", {}),)), "A tool call in a message of role 'user'"),
    (Message("user", (Attachment("file", {}),)), "A file in a message of role 'user'"),
    (Message("user", (Image("data:text/html;base64,AA"),)), "'data:text/html;base64,AA'"),
    (Message("user", (Image("file:///etc/passwd"),)), "'file:///etc/passwd'"),
    (Message("assistant", (ToolCall("a", "x", '{"n":', None),)), "those of 'x' are none"),
]


@pytest.mark.parametrize(("message", "words"), CANNOT)
def test_what_cannot_be_said_is_named(message: Message, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        messages(message)


def test_headers() -> None:
    assert AnthropicReader.headers("k") == {"anthropic-version": "2023-06-01", "x-api-key": "k"}
    assert AnthropicReader.headers(None) == AnthropicReader.headers("") == {"anthropic-version": "2023-06-01"}


ABLE = b'"capabilities":{"image_input":{"supported":true},"thinking":{"supported":false,"types":{}}}'
MODELS = [
    (b'{"data":[{"type":"model","id":"claude-x","display_name":"X"}],"has_more":false}', [Model("claude-x")]),
    (b'{"data":[{"id":"c","max_input_tokens":200000,%b}]}' % ABLE, [Model("c", 200000, vision=True, reasoning=False)]),
    (b'{"data":[{"id":"c","max_input_tokens":"?","capabilities":[]},{"id":5},7]}', [Model("c")]),
    (b'{"data":[]}', []),
]


@pytest.mark.parametrize(("body", "models"), MODELS)
def test_models(body: bytes, models: list[Model]) -> None:
    assert AnthropicReader.models(body) == models


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"type":"error","error":{"message":"no"}}', b'{"data":{}}', b"{} {}", b"[]"])
def test_no_list_of_models(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        AnthropicReader.models(body)
