"""What is posted to /v1/responses, into a Turn: options and tools; what is said is in openai_responses_input.py. No I/O.

Nothing is looked up here: `previous_response_id` is only checked, its messages are put before these by who knows them. Items that are
only referred to are put in their places before; see openai_responses_references.py.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from services.downstream import openai_answers as answers
from services.downstream import turns
from services.downstream.openai_responses_input import messages
from services.downstream.writer import Body
from services.errors import Invalid
from services.messages import JSONFormat, Message, Options, Text, Tool, Turn

# Identification, billing, caching and storage on OpenAI's side; limits and wishes that hold here by themselves.
HARMLESS = {
    "max_tool_calls", "metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "store", "stream",
    "stream_options", "user",
}  # fmt: skip
DEFAULTS: dict[str, tuple[object, ...]] = {"truncation": ("disabled",), "top_logprobs": (0,)}
INCLUDED = {"reasoning.encrypted_content"}  # always
# What the answer repeats of the question.
REPEATED = (
    "background", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls", "previous_response_id",
    "prompt_cache_key", "reasoning", "safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tools",
    "top_p", "user",
)  # fmt: skip
PREFIX = "resp_"
MARGIN = 100  # levels


class AskedReasoning(msgspec.Struct, forbid_unknown_fields=True):
    effort: str | None = None
    summary: str | None = None  # what there is of it is shown anyway
    generate_summary: str | None = None
    max_tokens: int | None = None  # OpenRouter's


class Format(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class AskedText(msgspec.Struct, forbid_unknown_fields=True):
    format: Format | None = None
    verbosity: str | None = None


class FunctionTool(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["function"]
    name: str


class Asked(msgspec.Struct):
    model: str = ""
    input: str | list[dict[str, Any]] = ""
    instructions: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    reasoning: AskedReasoning = msgspec.field(default_factory=AskedReasoning)
    text: AskedText = msgspec.field(default_factory=AskedText)
    tools: list[dict[str, Any]] = []
    tool_choice: Literal["auto", "none", "required"] | Choice | None = None
    parallel_tool_calls: bool | None = None
    include: list[str] = []
    previous_response_id: str | None = None
    background: bool = False
    on_disconnect: Literal["stop", "keep"] | None = None


def turn(body: Body) -> Turn:
    """Raises Invalid, naming the field."""
    given = answers.without_nulls(body)
    for name, value in given.items():
        if name not in HARMLESS and name not in Asked.__struct_fields__ and not answers.is_default(value, *DEFAULTS.get(name, ())):
            raise Invalid(f"{name!r} is not supported here" + (" with this value." if name in DEFAULTS else "."))
    asked = turns.convert({name: given[name] for name in Asked.__struct_fields__ if name in given}, Asked)
    if answers.stream_options(given).include_obfuscation:
        raise Invalid("`stream_options.include_obfuscation` is not supported here.")
    check_included(asked.include)
    if asked.background and asked.on_disconnect == "stop":
        raise Invalid("`background` and `on_disconnect` say different things: send one of them.")
    system = [Message("system", (Text(asked.instructions),))] if asked.instructions else []
    return Turn(
        asked.model,
        (*system, *messages(asked.input)),
        _options(asked),
        on_disconnect="keep" if asked.background else asked.on_disconnect or "stop",
        client="openai_responses",
        repeated=_repeatable({name: given[name] for name in REPEATED if name in given}),
    )


def continued(turn: Turn, before: Turn, reply: Message) -> Turn:
    """The turn after another one and its reply. The other one's instructions do not hold any more, as OpenAI has it."""
    repeated = before.repeated or {}
    said = before.messages[1:] if repeated.get("instructions") else before.messages
    answered = (reply,) if reply.parts else ()
    own = 1 if (turn.repeated or {}).get("instructions") else 0
    return msgspec.structs.replace(turn, messages=(*turn.messages[:own], *said, *answered, *turn.messages[own:]))


def check_included(names: Iterable[str]) -> None:
    if unknown := sorted(set(names) - INCLUDED):
        raise Invalid(f"`include` of {', '.join(unknown)[:200]} is not supported here: {', '.join(INCLUDED)} is.")


def _repeatable(given: dict[str, Any]) -> dict[str, Any]:
    """Raises Invalid for what is nested so deeply that it could be read, but not be written again further down the stack."""
    nested: object = given
    for _ in range(MARGIN):
        nested = [nested]
    try:
        msgspec.json.encode(nested)
    except RecursionError as exc:
        raise Invalid("The request is nested too deeply.") from exc
    return given


def _options(asked: Asked) -> Options:
    choice = asked.tool_choice
    if asked.reasoning.effort is not None and asked.reasoning.max_tokens is not None:
        raise Invalid("`reasoning.effort` and `reasoning.max_tokens` are two measures of one thing: send one of them.")
    return Options(
        temperature=asked.temperature,
        top_p=asked.top_p,
        max_tokens=asked.max_output_tokens,
        reasoning_effort=asked.reasoning.effort,
        reasoning_budget=asked.reasoning.max_tokens,
        tools=tuple(_tool(tool, f"tools[{index}]") for index, tool in enumerate(asked.tools)),
        tool_choice=f"function:{choice.name}" if isinstance(choice, Choice) else choice,
        parallel_tool_calls=asked.parallel_tool_calls,
        format=_format(asked.text.format) if asked.text.format else None,
    )


def _tool(given: dict[str, Any], where: str) -> Tool:
    if given.get("type") != "function":
        raise Invalid(f"`{where}` of type {str(given.get('type'))[:40]!r} cannot be used here: only functions can.")
    tool = turns.convert(given, FunctionTool, where)
    return Tool(tool.name, tool.description, tool.parameters, tool.strict)


def _format(given: Format) -> JSONFormat | None:
    match given.type:
        case "text":
            return None
        case "json_object":
            return JSONFormat()
    if given.schema is None:
        raise Invalid("`text.format` of type 'json_schema' needs a `schema`.")
    return JSONFormat(given.schema, given.name, given.description, given.strict)
