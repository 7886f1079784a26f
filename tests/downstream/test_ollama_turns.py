"""Requests to /api/chat and /api/generate: what is asked for is in the turn, or is refused by name."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.downstream.ollama import OllamaChatWriter, OllamaGenerateWriter, loaded
from services.downstream.ollama_turns import LOADING, THEIRS, only_loads
from services.errors import Invalid
from services.messages import Image, JSONFormat, Message, Options, Reasoning, Text, Tool, ToolCall, ToolResult, Turn, Vendor
from services.upstream import READERS

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
SCHEMA: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}
PNG = "iVBORw0KGgoAAAA="


def chat(**body: Any) -> Turn:
    return OllamaChatWriter.turn({"model": "m", "messages": HELLO, **body})


def generate(**body: Any) -> Turn:
    return OllamaGenerateWriter.turn({"model": "m", "prompt": "Hello", **body})


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({}, Options()),
        (
            {"options": {"temperature": 0.5, "top_p": 0.9, "top_k": 7, "min_p": 0.1}},
            Options(temperature=0.5, top_p=0.9, top_k=7, min_p=0.1),
        ),
        ({"options": {"num_predict": 9, "seed": 3, "stop": "x"}}, Options(max_tokens=9, seed=3, stop=("x",))),
        ({"options": {"num_predict": -1, "stop": ["x", "y"]}}, Options(stop=("x", "y"))),
        ({"options": {"num_predict": -2}}, Options(vendor=Vendor("ollama", {"options": {"num_predict": -2}}))),
        (
            {"options": {"repeat_penalty": 1.1, "presence_penalty": 0.2, "frequency_penalty": 0.3}},
            Options(repeat_penalty=1.1, presence_penalty=0.2, frequency_penalty=0.3),
        ),
        ({"format": "json"}, Options(format=JSONFormat())),
        ({"format": SCHEMA}, Options(format=JSONFormat(SCHEMA))),
        ({"format": "", "think": None, "options": None}, Options()),
        ({"think": False}, Options(reasoning_effort="none")),
        ({"think": "high"}, Options(reasoning_effort="high")),
        ({"think": True}, Options(reasoning_effort="medium", vendor=Vendor("ollama", {}, {"think": True}))),
        (
            {"keep_alive": 0, "options": {"num_ctx": 4096, "mirostat": 2}},
            Options(vendor=Vendor("ollama", {"options": {"mirostat": 2}}, {"options": {"num_ctx": 4096}, "keep_alive": 0})),
        ),
        ({"truncate": False, "shift": True}, Options(vendor=Vendor("ollama", {"truncate": False}))),
        ({"logprobs": False, "top_logprobs": 0}, Options()),
    ],
)
def test_options(asked: dict[str, Any], options: Options) -> None:
    assert chat(**asked).options == options
    assert generate(**asked).options == options


def test_tools() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}]
    assert chat(tools=tools).options == Options(tools=(Tool("f", "d", SCHEMA),))
    assert chat(tools=[]).options == Options()


def test_messages() -> None:
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is this?", "images": [PNG, "/9j/AAAA"]},
        {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [{"function": {"name": "f", "arguments": {"a": "ö"}}}]},
        {"role": "tool", "content": "12 °C", "tool_name": "f"},
        {"role": "assistant", "content": ""},
    ]
    assert chat(messages=said).messages == (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("What is this?"), Image(f"data:image/png;base64,{PNG}"), Image("data:image/jpeg;base64,/9j/AAAA"))),
        Message("assistant", (Reasoning("hm"), ToolCall("call00200", "f", '{"a":"ö"}', {"a": "ö"}))),
        Message("tool", (ToolResult("call00200", "12 °C", "f"),)),
    )


CALLS = [{"id": id, "function": {"name": name, "arguments": {}}} for id, name in (("1", "f"), ("2", "g"), ("3", "f"))]


@pytest.mark.parametrize(
    ("results", "ids"),
    [
        ([{"tool_name": "f"}, {"tool_name": "g"}, {"tool_name": "f"}], ["1", "2", "3"]),
        ([{"tool_name": "g"}, {"tool_name": "f"}, {"tool_name": "f"}], ["2", "1", "3"]),
        ([{}, {}, {}], ["1", "2", "3"]),
        ([{"tool_call_id": "3"}, {"name": "f"}, {}], ["3", "1", "2"]),
        ([{"tool_name": "renamed"}, {}, {}], ["1", "2", "3"]),
    ],
)
def test_results_find_their_calls(results: list[dict[str, str]], ids: list[str]) -> None:
    said = [*HELLO, {"role": "assistant", "tool_calls": CALLS}, *({"role": "tool", "content": "x", **result} for result in results)]
    told = [part for message in chat(messages=said).messages for part in message.parts if isinstance(part, ToolResult)]
    assert [result.id for result in told] == ids


def test_a_generation_is_a_message() -> None:
    assert generate(system="Be brief.", images=[PNG]).messages == (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("Hello"), Image(f"data:image/png;base64,{PNG}"))),
    )


REFUSED: dict[str, dict[str, Any]] = {
    "logprobs": {"logprobs": True},
    "'mirostatt'": {"options": {"mirostatt": 2}},
    "options.temperature": {"options": {"temperature": "hot"}},
    "`options` is not right": {"options": []},
    "`format` is": {"format": "xml"},
    "`think` is": {"think": 7},
    "'stram'": {"stram": True},
}
REFUSED_CHATS: dict[str, dict[str, Any]] = {
    **REFUSED,
    "messages` is missing": {"messages": [{"role": "user", "content": ""}]},
    "'prompt'": {"prompt": "x"},
    "messages[0].images[0]": {"messages": [{"role": "user", "content": "x", "images": ["AAAA"]}]},
    "no call of a tool before it": {"messages": [{"role": "tool", "content": "x"}]},
    "messages[0].role": {"messages": [{"role": "developer", "content": "x"}]},
    "unknown field `contents`": {"messages": [{"role": "user", "contents": "x"}]},
    "required field `function`": {"tools": [{"type": "function"}]},
}
REFUSED_GENERATIONS: dict[str, dict[str, Any]] = {
    **REFUSED,
    "`suffix`": {"suffix": "x"},
    "`raw`": {"raw": True},
    "`template`": {"template": "x"},
    "`context`": {"context": [1, 2]},
    "`width`": {"width": 512},
    "'messages'": {"messages": HELLO},
    "`prompt` is missing": {"prompt": ""},
    "`prompt` is not right": {"prompt": 7},
    "images[0]": {"images": ["AAAA"]},
}


@pytest.mark.parametrize("words", REFUSED_CHATS)
def test_what_a_chat_refuses_is_named(words: str) -> None:
    with pytest.raises(Invalid) as caught:
        chat(**REFUSED_CHATS[words])
    assert words in caught.value.message
    assert caught.value.status == 400


@pytest.mark.parametrize("words", REFUSED_GENERATIONS)
def test_what_a_generation_refuses_is_named(words: str) -> None:
    with pytest.raises(Invalid) as caught:
        generate(**REFUSED_GENERATIONS[words])
    assert words in caught.value.message
    assert caught.value.status == 400


def body_for(dialect: str, turn: Turn) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(READERS[dialect]().request(turn).body)
    return found


@pytest.mark.parametrize("name", sorted(LOADING))
def test_how_a_model_is_loaded_is_for_ollamas_servers(name: str) -> None:
    asked = chat(keep_alive="5m", options={name: 1, "temperature": 0.5})
    body = body_for("ollama", asked)
    assert (body["keep_alive"], body["options"]) == ("5m", {name: 1, "temperature": 0.5})
    for dialect in sorted(set(READERS) - {"ollama", "ollama_generate"}):
        assert body_for(dialect, asked) == body_for(dialect, chat(options={"temperature": 0.5})), dialect


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_what_only_ollama_can_do_is_refused_for_others(name: str) -> None:
    assert body_for("ollama", chat(options={name: 1}))["options"] == {name: 1}
    for dialect in sorted(set(READERS) - {"ollama", "ollama_generate"}):
        with pytest.raises(Invalid, match=rf"options\.{name}"):
            READERS[dialect]().request(chat(options={name: 1}))


@pytest.mark.parametrize("think", [True, False, "low", "high", "max"])
def test_ollamas_servers_are_told_to_think_in_the_clients_own_words(think: bool | str) -> None:
    assert body_for("ollama", chat(think=think))["think"] == think


def test_loading() -> None:
    assert only_loads({"model": "m"})
    assert only_loads({"model": "m", "messages": []})
    assert not only_loads({"model": "m", "messages": HELLO})
    assert not only_loads({"model": "m", "prompt": "x"})
    told = json.loads(loaded("ollama_generate", "up/m", 0, {}))
    assert told == {"model": "up/m", "created_at": "1970-01-01T00:00:00Z", "response": "", "done": True, "done_reason": "load"}
    assert json.loads(loaded("ollama_chat", "up/m", 0, {"keep_alive": 0}))["done_reason"] == "unload"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
a_message = st.fixed_dictionaries(
    {"role": st.sampled_from(("user", "assistant", "system", "tool"))},
    optional=dict.fromkeys(("content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"), json_values),
)
ASKS = ("model", "tools", "format", "options", "think", "keep_alive", "stream", "logprobs", "prompt", "system", "images", "context")


@given(st.lists(a_message, max_size=3) | json_values, st.dictionaries(st.sampled_from(ASKS), json_values, max_size=3))
def test_no_request_is_too_strange(said: Any, more: dict[str, Any]) -> None:
    for writer, body in ((OllamaChatWriter, {"messages": said, **more}), (OllamaGenerateWriter, more)):
        with contextlib.suppress(Invalid):
            assert writer.turn(body).messages
