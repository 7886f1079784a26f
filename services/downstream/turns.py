"""The request shape that the native endpoint and the OpenAI ones share: `messages` and sampling options. No I/O.

What is asked for is mapped or refused by name; nothing is silently dropped.
"""

from typing import Any, Literal, TypeVar

import msgspec

from services.downstream.openai_messages import EMPTY, messages
from services.downstream.shapes import arguments, convert, refuse_unknown, wants_stream
from services.downstream.writer import Body
from services.errors import Invalid
from services.messages import JSONFormat, Options, Tool

__all__ = ["EMPTY", "Sampling", "arguments", "convert", "messages", "one_of", "options", "refuse_unknown", "wants_stream"]

T = TypeVar("T")


class FunctionTool(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class AnyTool(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    function: FunctionTool | None = None
    custom: Any = None
    cache_control: Any = None


class NamedFunction(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class ToolChoice(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["function"]
    function: NamedFunction


class NamedSchema(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, forbid_unknown_fields=True):
    """`schema` beside json_object is llama.cpp's."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None
    schema: dict[str, Any] | None = None


class AskedReasoning(msgspec.Struct, forbid_unknown_fields=True):
    """OpenRouter's."""

    effort: str | None = None
    max_tokens: int | None = None
    enabled: bool | None = None
    exclude: bool = False


class Sampling(msgspec.Struct):
    """The options both shapes have. Bounds are the upstream's business: it knows its own."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repeat_penalty: float | None = None
    repetition_penalty: float | None = None
    reasoning_effort: str | None = None
    reasoning: AskedReasoning | None = None
    tools: list[AnyTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None


def options(body: Body) -> Options:
    given = convert(dict(body), Sampling)
    stop = (given.stop,) if isinstance(given.stop, str) else tuple(given.stop or ())
    choice = given.tool_choice
    effort, budget = _effort(given)
    return Options(
        temperature=given.temperature,
        top_p=given.top_p,
        top_k=given.top_k,
        min_p=given.min_p,
        max_tokens=one_of(max_completion_tokens=given.max_completion_tokens, max_tokens=given.max_tokens),
        stop=stop,
        seed=given.seed,
        presence_penalty=given.presence_penalty,
        frequency_penalty=given.frequency_penalty,
        repeat_penalty=one_of(repeat_penalty=given.repeat_penalty, repetition_penalty=given.repetition_penalty),
        reasoning_effort=effort,
        reasoning_budget=budget,
        tools=tuple(_tool(tool, index) for index, tool in enumerate(given.tools or ())),
        tool_choice=f"function:{choice.function.name}" if isinstance(choice, ToolChoice) else choice,
        parallel_tool_calls=given.parallel_tool_calls,
        format=_format(given.response_format) if given.response_format else None,
    )


def one_of(**given: T | None) -> T | None:
    """The value of two names for one thing. Raises Invalid when they contradict each other."""
    values = [value for value in given.values() if value is not None]
    if any(value != values[0] for value in values):
        raise Invalid(f"{' and '.join(map(repr, given))} say different things: send one of them.")
    return values[0] if values else None


def _effort(given: Sampling) -> tuple[str | None, int | None]:
    asked = given.reasoning or AskedReasoning()
    if asked.exclude:
        raise Invalid("`reasoning.exclude` is not supported here: reasoning that comes is shown.")
    switched = {None: None, True: asked.effort, False: "none"}[asked.enabled]
    if asked.enabled and asked.effort is None and asked.max_tokens is None:
        switched = "medium"
    effort = one_of(reasoning_effort=given.reasoning_effort, **{"reasoning.effort": asked.effort, "reasoning.enabled": switched})
    if effort is not None and asked.max_tokens is not None:
        raise Invalid("An effort and `reasoning.max_tokens` are two measures of one thing: send one of them.")
    return effort, asked.max_tokens


def _tool(given: AnyTool, index: int) -> Tool:
    if given.type != "function":
        raise Invalid(f"`tools[{index}]` of type {given.type[:40]!r} cannot be used here: only functions can.")
    if given.function is None:
        raise Invalid(f"`tools[{index}]` has no `function`.")
    return Tool(given.function.name, given.function.description, given.function.parameters, given.function.strict)


def _format(given: ResponseFormat) -> JSONFormat | None:
    match given.type:
        case "text":
            return None
        case "json_object":
            return JSONFormat(given.schema)
    named = given.json_schema
    if named is None or named.schema is None:
        raise Invalid("`response_format.json_schema` needs a `schema`.")
    return JSONFormat(named.schema, named.name, named.description, named.strict)
