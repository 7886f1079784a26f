"""What is posted to /v1/responses, into a Turn: a string or items, options, tools. No I/O.

Items of an answer come back as they went out; those that follow each other become one message of the assistant, as they were.
Nothing is looked up here: `previous_response_id` is only checked, its messages are put before these by who knows them. Items that are
only referred to are put in their places before; see openai_responses_references.py.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from services.downstream import openai_answers as answers
from services.downstream import openai_sides as sides
from services.downstream import turns
from services.downstream.writer import Body
from services.errors import Invalid
from services.messages import Image, JSONFormat, Message, Options, Part, Reasoning, Refusal, Role, Text, Tool, ToolCall, ToolResult, Turn

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
EMPTY = '`input` is missing or empty: send a text, or a list of items, such as [{"role": "user", "content": "Hello"}].'


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


class Content(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: Any = None
    file_url: Any = None
    file_data: Any = None
    filename: Any = None
    input_audio: Any = None
    annotations: Any = None
    logprobs: Any = None
    parsed: Any = None


class MessageItem(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Content]
    type: str = "message"
    id: str | None = None
    status: str | None = None
    phase: str | None = None
    extra_content: dict[str, Any] | None = None


class CallItem(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: str | None = None
    parsed_arguments: Any = None
    extra_content: dict[str, Any] | None = None


class ResultItem(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    call_id: str
    output: str | list[Content]
    id: str | None = None
    status: str | None = None


class Words(msgspec.Struct):
    text: str = ""


class ReasoningItem(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    id: str | None = None
    summary: list[Words] = []
    content: list[Words] | None = None
    encrypted_content: str | None = None
    status: str | None = None


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
        (*system, *_messages(asked.input)),
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


def _messages(given: str | list[dict[str, Any]]) -> tuple[Message, ...]:
    """Raises Invalid when there is nothing."""
    if isinstance(given, str):
        given = [{"role": "user", "content": given}] if given else []
    if not given:
        raise Invalid(EMPTY)
    said: list[tuple[Role, list[Part]]] = []
    for index, item in enumerate(given):
        role, parts, begins = _item(item, f"input[{index}]")
        if said and said[-1][0] == role == "assistant" and not (begins and any(isinstance(part, Text) for part in said[-1][1])):
            said[-1][1].extend(parts)
        else:
            said.append((role, parts))
    return tuple(Message(role, tuple(parts)) for role, parts in said)


def _item(item: dict[str, Any], where: str) -> tuple[Role, list[Part], bool]:
    """Who says what, and whether it begins a message: an answer's own items have ids, what somebody wrote has none."""
    match item.get("type", "message"):
        case "message":
            return _message(turns.convert(item, MessageItem, where), where)
        case "function_call":
            call = turns.convert(item, CallItem, where)
            meant = turns.arguments(call.arguments)
            return "assistant", [ToolCall(call.call_id, call.name, call.arguments, meant, sides.of_extra(call.extra_content))], False
        case "function_call_output":
            result = turns.convert(item, ResultItem, where)
            return "tool", [ToolResult(result.call_id, _plain(result.output, f"{where}.output"))], True
        case "reasoning":
            return "assistant", [_reasoning(turns.convert(item, ReasoningItem, where), where)], False
        case "item_reference":
            raise Invalid(f"`{where}` refers to an item: send the item itself, or `previous_response_id`. SDKs do so with `store: false`.")
        case kind:
            raise Invalid(f"`{where}` of type {str(kind)[:40]!r} cannot be sent here.")


def _message(given: MessageItem, where: str) -> tuple[Role, list[Part], bool]:
    side = {**(sides.of_extra(given.extra_content) or {}), **({"phase": given.phase} if given.phase else {})}
    content = given.content
    parts = [Text(content)] if isinstance(content, str) else _content(content, f"{where}.content")
    if not parts or parts == [Text("")]:
        raise Invalid(f"`{where}` says nothing: it needs `content`, a text or a list of parts.")
    if side:
        parts = [msgspec.structs.replace(part, side=side) if isinstance(part, Text) else part for part in parts]
    role: Role = "system" if given.role == "developer" else given.role
    return role, list(parts), given.id is None


def _content(given: list[Content], where: str) -> list[Text | Refusal | Image]:
    return [_piece(content, f"{where}[{index}]") for index, content in enumerate(given)]


def _piece(given: Content, where: str) -> Text | Refusal | Image:
    if given.type in ("input_text", "output_text", "text") and given.text is not None:
        return Text(given.text)
    if given.type == "refusal" and given.refusal is not None:
        return Refusal(given.refusal)
    if given.type == "input_image" and given.image_url is not None and given.file_id is None:
        return Image(given.image_url, given.detail)
    raise Invalid(f"`{where}` of type {given.type[:40]!r} cannot be sent: text, and images by their URL, can.")


def _plain(output: str | list[Content], where: str) -> str:
    if isinstance(output, str):
        return output
    parts = _content(output, where)
    if not all(isinstance(part, Text) for part in parts):
        raise Invalid(f"`{where}` is a tool's answer, which can only be text.")
    return "".join(part.text for part in parts if isinstance(part, Text))


def _reasoning(given: ReasoningItem, where: str) -> Reasoning:
    own = "".join(piece.text for piece in given.content or ())
    text = own or "\n\n".join(piece.text for piece in given.summary)
    if not given.encrypted_content:
        return Reasoning(text, "plain" if own else "summary", {"id": given.id} if given.id else None)
    sealed = sides.opened(given.encrypted_content, given.id, where)
    return Reasoning(text, sealed.form if text else "encrypted", sealed.side)
