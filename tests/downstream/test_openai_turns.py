"""What OpenAI's clients ask for: everything is in the Turn, or is refused by its name."""

import sys
from typing import Any

import pytest

from services.downstream import WRITERS, openai_chat, openai_completions, openai_responses_turns
from services.downstream.native import native_turn
from services.errors import Invalid
from services.messages import (
    JSONFormat,
    Message,
    Options,
    Text,
    Tool,
    Turn,
    Vendor,
)
from tests.serving import ROOT

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION = {"name": "f", "description": "does f", "parameters": SCHEMA, "strict": True}
TOOL = Tool("f", "does f", SCHEMA, True)


def chat(**body: Any) -> Turn:
    return WRITERS["openai_chat"].turn({**HELLO, **body})


def responses(input: Any = "Hello", **body: Any) -> Turn:
    return WRITERS["openai_responses"].turn({"input": input, **body})


def completions(prompt: Any = "Hello", **body: Any) -> Turn:
    return WRITERS["openai_completions"].turn({"prompt": prompt, **body})


# Options

SAMPLING: list[tuple[dict[str, Any], Options]] = [
    ({"temperature": 0.5, "top_p": 0.9}, Options(temperature=0.5, top_p=0.9)),
    ({"top_k": 40, "min_p": 0.1}, Options(top_k=40, min_p=0.1)),
    ({"repetition_penalty": 1.1}, Options(repeat_penalty=1.1)),
    ({"repeat_penalty": 1.1}, Options(repeat_penalty=1.1)),
    ({"max_tokens": 5}, Options(max_tokens=5)),
    ({"stop": "x"}, Options(stop=("x",))),
    ({"stop": ["x", "y"], "seed": 1}, Options(stop=("x", "y"), seed=1)),
    ({"presence_penalty": 0.1, "frequency_penalty": 0.2}, Options(presence_penalty=0.1, frequency_penalty=0.2)),
]
CHAT: list[tuple[dict[str, Any], Options]] = [
    ({"max_completion_tokens": 5}, Options(max_tokens=5)),
    ({"parallel_tool_calls": False}, Options(parallel_tool_calls=False)),
    ({"reasoning_effort": "high"}, Options(reasoning_effort="high")),
    ({"reasoning": {"effort": "low"}}, Options(reasoning_effort="low")),
    ({"reasoning": {"max_tokens": 2000}}, Options(reasoning_budget=2000)),
    ({"reasoning": {"enabled": True}}, Options(reasoning_effort="medium")),
    ({"reasoning": {"enabled": False}}, Options(reasoning_effort="none")),
    ({"response_format": {"type": "text"}}, Options()),
    ({"response_format": {"type": "json_object"}}, Options(format=JSONFormat())),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}},
        Options(format=JSONFormat(SCHEMA, "n", strict=True)),
    ),
    ({"tools": [{"type": "function", "function": FUNCTION}]}, Options(tools=(TOOL,))),
    ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, Options(tool_choice="function:f")),
    ({"tool_choice": "required"}, Options(tool_choice="required")),
]
RESPONSES: list[tuple[dict[str, Any], Options]] = [
    ({"temperature": 0.5, "top_p": 0.9, "max_output_tokens": 5}, Options(temperature=0.5, top_p=0.9, max_tokens=5)),
    ({"reasoning": {"effort": "low", "summary": "auto"}}, Options(reasoning_effort="low")),
    ({"reasoning": {"max_tokens": 9}}, Options(reasoning_budget=9)),
    ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, Options()),
    ({"text": {"format": {"type": "json_object"}}}, Options(format=JSONFormat())),
    ({"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}}, Options(format=JSONFormat(SCHEMA, "n"))),
    ({"tools": [{"type": "function", **FUNCTION}]}, Options(tools=(TOOL,))),
    (
        {"tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": True},
        Options(tool_choice="function:f", parallel_tool_calls=True),
    ),
    ({"include": ["reasoning.encrypted_content"], "store": False, "truncation": "disabled", "service_tier": "auto"}, Options()),
    ({"metadata": {"a": "b"}, "user": "u", "stream_options": {"include_obfuscation": False}, "top_logprobs": 0}, Options()),
]


@pytest.mark.parametrize(("body", "options"), [*SAMPLING, *CHAT])
def test_chat_and_the_native_endpoint_take_the_same_options(body: dict[str, Any], options: Options) -> None:
    assert chat(**body).options == options
    assert native_turn({**HELLO, **body}).options == options


@pytest.mark.parametrize(("body", "options"), SAMPLING)
def test_completions_take_what_concerns_text(body: dict[str, Any], options: Options) -> None:
    assert completions(**body).options == options


@pytest.mark.parametrize(("body", "options"), RESPONSES)
def test_responses_options(body: dict[str, Any], options: Options) -> None:
    assert responses(**body).options == options


@pytest.mark.parametrize("dialect", [chat, responses, completions])
def test_what_is_null_was_not_asked(dialect: Any) -> None:
    assert dialect(temperature=None, tools=None, n=None, unheard_of=None).options == Options()


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (chat, {"n": 2}, "'n'"),
    (chat, {"n": True}, "'n'"),
    (chat, {"logprobs": True}, "'logprobs'"),
    (chat, {"functions": [FUNCTION]}, "'functions' is not supported here. Send `tools`"),
    (chat, {"function_call": "auto"}, "'function_call' is not supported here. Send `tool_choice`"),
    (chat, {"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0]` of type 'custom'"),
    (chat, {"tools": [{"type": "function"}]}, "tools[0]` has no `function`"),
    (chat, {"tools": [{"type": "function", "function": {**FUNCTION, "odd": 1}}]}, "odd"),
    (chat, {"tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
    (chat, {"response_format": {"type": "json_schema"}}, "json_schema"),
    (chat, {"response_format": {"type": "grammar"}}, "response_format.type"),
    (chat, {"reasoning": {"exclude": True}}, "reasoning.exclude"),
    (chat, {"reasoning": {"effort": "low", "max_tokens": 5}}, "reasoning.max_tokens"),
    (chat, {"reasoning": {"effort": "low"}, "reasoning_effort": "high"}, "reasoning.effort"),
    (chat, {"reasoning": {"effort": "low", "enabled": False}}, "reasoning.enabled"),
    (chat, {"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
    (chat, {"repeat_penalty": 1.1, "repetition_penalty": 1.2}, "repetition_penalty"),
    (chat, {"prediction": {"type": "content"}}, "'prediction'"),
    (chat, {"audio": {"voice": "a"}}, "'audio'"),
    (chat, {"stream_options": {"include_obfuscation": True}}, "include_obfuscation"),
    (chat, {"stream_options": {"odd": 1}}, "odd"),
    (completions, {"best_of": 2}, "'best_of'"),
    (completions, {"echo": True}, "'echo'"),
    (completions, {"logprobs": 3}, "'logprobs'"),
    (completions, {"n": 2}, "'n'"),
    (completions, {"tools": [{"type": "function", "function": FUNCTION}]}, "'tools'"),
    (completions, {"prompt": ["a", "b"]}, "several prompts"),
    (completions, {"prompt": [1, 2]}, "tokens cannot be sent"),
    (completions, {"prompt": [[1], [2]]}, "tokens cannot be sent"),
    (completions, {"prompt": ""}, "`prompt` is missing or empty"),
    (responses, {"input": []}, "`input` is missing or empty"),
    (responses, {"input": None}, "`input` is missing or empty"),
    (responses, {"conversation": "c"}, "'conversation'"),
    (responses, {"prompt": {"id": "p"}}, "'prompt'"),
    (responses, {"context_management": []}, "'context_management'"),
    (responses, {"truncation": "auto"}, "'truncation' is not supported here with this value"),
    (responses, {"top_logprobs": 3}, "'top_logprobs'"),
    (responses, {"tools": [{"type": "web_search"}]}, "tools[0]` of type 'web_search'"),
    (responses, {"tool_choice": {"type": "file_search"}}, "tool_choice"),
    (responses, {"include": ["message.output_text.logprobs"]}, "message.output_text.logprobs"),
    (responses, {"background": True, "on_disconnect": "stop"}, "on_disconnect"),
    (responses, {"text": {"format": {"type": "json_schema", "name": "n"}}}, "schema"),
    (responses, {"input": [{"type": "item_reference", "id": "x"}]}, "input[0]` refers to an item"),
    (responses, {"input": [{"type": "computer_call"}]}, "input[0]` of type 'computer_call'"),
    (
        responses,
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
        "input[0].content[0]` of type 'input_file'",
    ),
    (responses, {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "'input_image'"),
    (responses, {"input": [{"role": "user", "content": []}]}, "input[0]` says nothing"),
    (responses, {"input": [{"type": "reasoning", "id": "r", "encrypted_content": "headrace.%%"}]}, "input[0].encrypted_content"),
    (responses, {"input": [{"role": "user", "content": "x", "odd": 1}]}, "odd"),
    (responses, {"input": [7]}, "input"),
    (
        responses,
        {"input": [{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": "u"}]}]},
        "can only be text",
    ),
]


def test_what_could_not_be_repeated_is_refused() -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 90, limit, 10):
        value: Any = 1
        for _ in range(depth):
            value = {"a": value}
        with pytest.raises(Invalid, match="nested too deeply"):
            responses(metadata=value)


@pytest.mark.parametrize(("dialect", "body", "words"), REFUSED)
def test_what_cannot_be_done_is_refused_by_name(dialect: Any, body: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as refused:
        dialect(**body)
    assert words in refused.value.message


@pytest.mark.parametrize("dialect", [openai_chat, openai_completions, openai_responses_turns])
def test_what_is_taken_and_means_nothing_is_documented(dialect: Any) -> None:
    surfaces = (ROOT / "docs" / "api.md").read_text().partition("## OpenAI's surfaces")[2]
    asked = {"stream", "stream_options", "model", "messages", "prompt"}
    for name in {*dialect.HARMLESS, *dialect.DEFAULTS} - asked:
        assert f"`{name}`" in surfaces, name


# Completions


@pytest.mark.parametrize("prompt", ["Once", ["Once"]])
def test_a_prompt_is_a_message(prompt: object) -> None:
    assert completions(prompt).messages == (Message("user", (Text("Once"),)),)


def test_a_suffix_is_for_servers_of_the_same_dialect() -> None:
    assert completions(suffix="end").options.vendor == Vendor("openai_completions", {"suffix": "end"})
