"""Requests to /v1/messages: what is asked for is in the turn, or is refused by name."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.downstream.anthropic import AnthropicWriter
from services.errors import Invalid
from services.events import Event, Finished, PartDelta, PartFinished, PartStarted
from services.messages import Image, JSONFormat, Message, Options, Part, Reasoning, Text, Tool, ToolCall, ToolResult, Turn, Vendor
from services.upstream import READERS
from tests.downstream.stories import reply

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
CACHED = {"cache_control": {"type": "ephemeral"}}
SCHEMA: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "input_schema": SCHEMA}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


def turn(**body: Any) -> Turn:
    return AnthropicWriter.turn({"model": "m", "max_tokens": 10, "messages": HELLO, **body})


def messages(*said: Any, **body: Any) -> tuple[Message, ...]:
    return turn(messages=list(said), **body).messages


def parts(role: str, *blocks: Any) -> tuple[Part, ...]:
    (message,) = messages({"role": role, "content": list(blocks)})
    assert message.role == role
    return message.parts


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({}, Options()),
        ({"temperature": 0.5, "top_p": 0.9, "top_k": 7}, Options(temperature=0.5, top_p=0.9, top_k=7)),
        ({"stop_sequences": ["a", "b"]}, Options(stop=("a", "b"))),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Options(reasoning_budget=2000)),
        ({"thinking": {"type": "disabled"}}, Options(reasoning_budget=0)),
        ({"thinking": {"type": "adaptive"}}, Options(vendor=Vendor("anthropic", {}, {"thinking": {"type": "adaptive"}}))),
        ({"thinking": {"type": "between_tools"}}, Options(vendor=Vendor("anthropic", {"thinking": {"type": "between_tools"}}))),
        (
            {"output_config": {"effort": "high"}},
            Options(reasoning_effort="high", vendor=Vendor("anthropic", {}, {"output_config": {"effort": "high"}})),
        ),
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, Options(format=JSONFormat(SCHEMA))),
        ({"output_format": {"type": "json_schema", "schema": SCHEMA}}, Options(format=JSONFormat(SCHEMA))),
        ({"tools": [TOOL | CACHED]}, Options(tools=(Tool("weather", None, SCHEMA),))),
        (
            {"tools": [{**TOOL, "type": "custom", "description": "tells", "strict": True}]},
            Options(tools=(Tool("weather", "tells", SCHEMA, True),)),
        ),
        ({"tool_choice": {"type": "auto"}}, Options(tool_choice="auto")),
        ({"tool_choice": {"type": "any"}}, Options(tool_choice="required")),
        ({"tool_choice": {"type": "none"}}, Options(tool_choice="none")),
        ({"tool_choice": {"type": "tool", "name": "weather"}}, Options(tool_choice="function:weather")),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, Options(tool_choice="auto", parallel_tool_calls=False)),
        ({"metadata": {"user_id": "u"}}, Options(vendor=Vendor("anthropic", {}, {"metadata": {"user_id": "u"}}))),
        ({"speed": "fast"}, Options(vendor=Vendor("anthropic", {"speed": "fast"}))),
        ({"speed": "standard", "container": None, "stream": True}, Options()),
        ({"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}}, Options()),
    ],
)
def test_options(asked: dict[str, Any], options: Options) -> None:
    assert turn(**asked).options == msgspec.structs.replace(options, max_tokens=10)


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "x", **CACHED}, Text("x")),
        ({"type": "image", "source": PNG}, Image("data:image/png;base64,iVBORw0KGgo=")),
        ({"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}, Image("https://a.example/x.png")),
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}, Text("words")),
        ({"type": "document", "source": {"type": "content", "content": "words"}}, Text("words")),
        ({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "words"}]}}, Text("words")),
    ],
)
def test_blocks_of_a_user(block: dict[str, Any], part: Part) -> None:
    assert parts("user", block) == (part,)


def test_a_document_says_what_it_is_called() -> None:
    document = {"type": "document", "title": "Mill", "context": "a letter", "source": {"type": "text", "data": "words"}}
    assert "".join(part.text for part in parts("user", document) if isinstance(part, Text)) == "Mill\n\na letter\n\nwords"


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "x", "citations": [{}]}, Text("x")),
        ({"type": "thinking", "thinking": "hm", "signature": "EqQB"}, Reasoning("hm", "plain", {"signature": "EqQB"})),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, Reasoning("hm")),
        ({"type": "redacted_thinking", "data": "EmwK"}, Reasoning("", "encrypted", {"redacted": "EmwK"})),
        (
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "ö"}, "caller": {"type": "direct"}},
            ToolCall("t", "f", '{"a":"ö"}', {"a": "ö"}),
        ),
    ],
)
def test_blocks_of_an_assistant(block: dict[str, Any], part: Part) -> None:
    assert parts("assistant", block) == (part,)


def test_results_of_tools_come_first_and_what_they_show_follows() -> None:
    said = {
        "role": "user",
        "content": [
            {"type": "text", "text": "and?"},
            {"type": "tool_result", "tool_use_id": "a", "content": "12 °C"},
            {"type": "tool_result", "tool_use_id": "b", "is_error": True, "content": [{"type": "text", "text": "broken"}]},
            {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "see"}, {"type": "image", "source": PNG}]},
            {"type": "tool_result", "tool_use_id": "d"},
        ],
    }
    assert messages(said) == (
        Message("tool", (ToolResult("a", "12 °C"), ToolResult("b", "broken", failed=True), ToolResult("c", "see"), ToolResult("d", ""))),
        Message("user", (Text("and?"), Image("data:image/png;base64,iVBORw0KGgo="))),
    )


@pytest.mark.parametrize("system", ["Be brief.", [{"type": "text", "text": "Be brief.", **CACHED}]])
def test_system(system: Any) -> None:
    assert messages(*HELLO, system=system) == (Message("system", (Text("Be brief."),)), Message("user", (Text("Hello"),)))


REFUSED: dict[str, dict[str, Any]] = {
    "max_tokens": {"max_tokens": None},
    "max_tokens` has to be 1": {"max_tokens": 0},
    "max_tokens` is not right": {"max_tokens": "10"},
    "messages` is missing": {"messages": []},
    "messages[0].role": {"messages": [{"role": "tool", "content": "x"}]},
    "messages[0] says nothing": {"messages": [{"role": "user", "content": ""}]},
    "messages[0].content[0]` is not right: object contains unknown field `txt`": {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "x", "txt": "y"}]}]
    },
    "messages[0].content[0] of type 'tool_use'": {"messages": [{"role": "user", "content": [{"type": "tool_use"}]}]},
    "messages[0].content[0] of type 'image'": {"messages": [{"role": "assistant", "content": [{"type": "image", "source": PNG}]}]},
    "messages[0].content[0] of type 'server_tool_use'": {"messages": [{"role": "assistant", "content": [{"type": "server_tool_use"}]}]},
    "application/pdf": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}],
            }
        ]
    },
    "content[0].source.type": {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]},
    "needs `url`": {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "x"}}]}]},
    "citations.enabled": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "document", "source": {"type": "text", "data": "x"}, "citations": {"enabled": True}}],
            }
        ]
    },
    "web_search_20250305": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "tools[0].defer_loading": {"tools": [{**TOOL, "defer_loading": True}]},
    "tool_choice.name": {"tool_choice": {"type": "tool"}},
    "thinking.budget_tokens": {"thinking": {"type": "enabled"}},
    "thinking.display": {"thinking": {"type": "adaptive", "display": "omitted"}},
    "temprature": {"temprature": 1},
    "Did you mean 'stop_sequences'": {"stop_sequence": ["x"]},
    "came back changed": {"messages": [{"role": "assistant", "content": [{"type": "redacted_thinking", "data": "headrace.x"}]}]},
    "system[0] of type 'image'": {"system": [{"type": "image", "source": PNG}]},
    "`system` is not right": {"system": 7},
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_refused_is_named(words: str) -> None:
    with pytest.raises(Invalid) as caught:
        turn(**REFUSED[words])
    assert words in caught.value.message
    assert caught.value.status == 400


def body_for(dialect: str, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(READERS[dialect]().request(turn(**asked)).body)
    return found


def test_hints_go_to_anthropics_servers_and_to_no_others() -> None:
    asked = {"metadata": {"user_id": "u"}, "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
    body = body_for("anthropic", **asked)
    assert {name: body[name] for name in asked} == asked
    assert body_for("openai_chat", metadata={"user_id": "u"}) == body_for("openai_chat")
    assert body_for("openai_chat", **asked)["reasoning_effort"] == "high"


def test_what_only_anthropics_servers_can_do_is_refused_for_others() -> None:
    assert body_for("anthropic", speed="fast")["speed"] == "fast"
    with pytest.raises(Invalid, match="speed"):
        body_for("openai_chat", speed="fast")


# What has to come back


@pytest.mark.parametrize(
    ("form", "side"),
    [
        ("plain", {"signature": "EqQB"}),
        ("encrypted", {"redacted": "EmwK"}),
        ("summary", {"id": "rs_1", "encrypted_content": "gAAA"}),
        ("encrypted", {"id": "rs_1", "encrypted_content": "gAAA"}),
        ("plain", {"reasoning_details": [{"type": "reasoning.text", "text": "ö"}]}),
        ("plain", {"thought_signature": "CiQB"}),
        ("plain", {"signature": "headrace.fake"}),
        ("plain", None),
        ("summary", None),
    ],
)
def test_what_a_reply_wants_back_comes_back(form: Any, side: dict[str, object] | None) -> None:
    text = "" if form == "encrypted" else "hm"
    said: list[Event] = [PartDelta(0, text)] if text else []
    events: list[Event] = [
        PartStarted(0, "reasoning", form=form),
        *said,
        PartFinished(0, None, side),
        PartStarted(1, "tool_call", "a", "f"),
        PartFinished(1, {}),
        PartStarted(2, "tool_call", "b", "f"),
        PartFinished(2, {}, {"thought_signature": "CiQC"}),
        Finished("tool_calls"),
    ]
    content = json.loads(AnthropicWriter.whole(reply(*events), {}))["content"]
    assert parts("assistant", *content) == (
        Reasoning(text, form, side),
        ToolCall("a", "f", "{}", {}),
        ToolCall("b", "f", "{}", {}, {"thought_signature": "CiQC"}),
    )


# Anything at all

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KINDS = ("text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "x")
FIELDS = ("text", "source", "id", "name", "input", "content", "tool_use_id", "thinking", "signature", "data", "is_error", "citations")
a_block = st.builds(
    lambda kind, rest: {"type": kind, **rest}, st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=3)
)
a_message = st.fixed_dictionaries({"role": st.sampled_from(("user", "assistant", "system")), "content": st.lists(a_block) | json_values})
ASKS = (
    "model", "max_tokens", "system", "stop_sequences", "temperature", "top_k", "tools", "tool_choice", "thinking", "output_config",
    "output_format", "metadata", "context_management", "speed", "stream",
)  # fmt: skip


@given(st.lists(a_message, max_size=3) | json_values, st.dictionaries(st.sampled_from(ASKS), json_values, max_size=3))
def test_no_request_is_too_strange(said: Any, more: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid):
        assert turn(**{"messages": said, **more}).messages


@pytest.mark.parametrize("depth", [900, 990, 999, 1100, 100_000])
def test_no_request_is_too_deep(depth: int) -> None:
    deep: Any = {}
    for _ in range(depth):
        deep = {"a": deep}
    try:
        call = {"type": "tool_use", "id": "t", "name": "f", "input": deep}
        assert messages({"role": "assistant", "content": [call]})
    except Invalid as exc:
        assert exc.message == "The request is nested too deeply."  # noqa: PT017
    finally:
        while deep:  # from the outside: Python itself would descend to the stack's end
            deep = deep.pop("a")
