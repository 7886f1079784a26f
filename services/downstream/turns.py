"""The request shape that the native endpoint and the OpenAI ones share: `messages` and sampling options. No I/O.

What is asked for is mapped or refused by name; nothing is silently dropped.
"""

import difflib
from collections.abc import Collection
from typing import Any, Literal, TypeVar

import msgspec

from services.downstream.writer import Body
from services.errors import Invalid
from services.messages import Image, Message, Options, Part, Reasoning, Refusal, Role, Text, Tool, ToolCall, ToolResult

T = TypeVar("T")

EMPTY = '`messages` is missing or empty: send at least one, such as {"messages": [{"role": "user", "content": "Hello"}]}.'
ASSISTANTS = {"assistant", "ai", "bot", "model", "chatgpt", "claude", "gemini", "llama", "headrace"}  # author names that are not the user's


class ImageURL(msgspec.Struct):
    url: str
    detail: str | None = None


class ContentPart(msgspec.Struct):
    type: str
    text: str | None = None
    image_url: ImageURL | str | None = None
    refusal: str | None = None


class Function(msgspec.Struct):
    name: str
    arguments: str = ""


class Call(msgspec.Struct):
    id: str
    function: Function
    type: str = "function"


class Author(msgspec.Struct):
    name: str


class AnyMessage(msgspec.Struct, forbid_unknown_fields=True):
    """`{role, content}` as OpenAI has it, or `{author: {name}, text}`.

    `name` is taken and not passed on. The fields at the end come with the messages that SDKs give back, as null or empty.
    """

    role: Literal["system", "developer", "user", "assistant", "tool"] | None = None
    content: str | list[ContentPart] | None = None
    author: Author | None = None
    text: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    name: str | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None


class FunctionTool(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class AnyTool(msgspec.Struct):
    type: Literal["function"]
    function: FunctionTool


class NamedFunction(msgspec.Struct):
    name: str


class ToolChoice(msgspec.Struct):
    type: Literal["function"]
    function: NamedFunction


class Sampling(msgspec.Struct):
    """The options both shapes have. Bounds are the upstream's business: it knows its own."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning_effort: str | None = None
    tools: list[AnyTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | ToolChoice | None = None


def convert(value: object, kind: type[T], name: str = "") -> T:
    """The value, which stands in the request under this name, as this kind. Raises Invalid with the path of what is wrong."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        what, _, path = str(exc).partition(" - at ")
        where = (name + path.strip("`").removeprefix("$")).removeprefix(".")
        raise Invalid(f"`{where}` is not right: {what[:1].lower()}{what[1:]}." if where else f"The request is not right: {what}.") from exc


def refuse_unknown(body: Body, known: Collection[str]) -> None:
    unknown = sorted(set(body) - set(known))
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}."
        raise Invalid(f"Unknown field{'s' if len(unknown) > 1 else ''} {', '.join(map(repr, unknown))[:200]}. {hint}")


def wants_stream(body: Body, *, default: bool) -> bool:
    return convert(default if body.get("stream") is None else body["stream"], bool, "stream")


def messages(body: Body) -> tuple[Message, ...]:
    """The messages of a request. Raises Invalid when there are none, or one says nothing."""
    raw = body.get("messages")
    if raw is None or raw == []:
        raise Invalid(EMPTY)
    return tuple(_message(message, index) for index, message in enumerate(convert(raw, list[AnyMessage], "messages")))


def options(body: Body) -> Options:
    given = convert(dict(body), Sampling)
    stop = (given.stop,) if isinstance(given.stop, str) else tuple(given.stop or ())
    choice = given.tool_choice
    return Options(
        temperature=given.temperature,
        top_p=given.top_p,
        max_tokens=given.max_completion_tokens if given.max_completion_tokens is not None else given.max_tokens,
        stop=stop,
        seed=given.seed,
        presence_penalty=given.presence_penalty,
        frequency_penalty=given.frequency_penalty,
        reasoning_effort=given.reasoning_effort,
        tools=tuple(
            Tool(tool.function.name, tool.function.description, tool.function.parameters, tool.function.strict)
            for tool in given.tools or ()
        ),
        tool_choice=f"function:{choice.function.name}" if isinstance(choice, ToolChoice) else choice,
    )


def _message(given: AnyMessage, index: int) -> Message:
    where = f"messages[{index}]"
    parts: list[Part] = []
    if given.reasoning_content:
        parts.append(Reasoning(given.reasoning_content))
    if given.content is not None and given.text is not None:
        raise Invalid(f"{where} has `content` and `text`: send one of them.")
    if given.tool_call_id is not None:
        if given.role not in ("tool", None):
            raise Invalid(f"{where} has a `tool_call_id`, but its role is {given.role!r}, not 'tool'.")
        return Message("tool", (ToolResult(given.tool_call_id, _plain(given.content, where)),))
    parts += _content(given.content if given.text is None else given.text, where)
    if given.refusal:
        parts.append(Refusal(given.refusal))
    parts += [_call(call) for call in given.tool_calls or ()]
    if not parts:
        raise Invalid(f"{where} says nothing: it needs `content` (or `text`), a string or a list of parts.")
    return Message(_role(given, where), tuple(parts))


def _role(given: AnyMessage, where: str) -> Role:
    if given.role is not None:
        if given.role == "tool":
            raise Invalid(f"{where} has role 'tool' but no `tool_call_id`.")
        return "system" if given.role == "developer" else given.role
    if given.author is None:
        raise Invalid(f"{where} has neither `role` nor `author`.")
    return "assistant" if given.author.name.lower() in ASSISTANTS else "user"


def _content(content: str | list[ContentPart] | None, where: str) -> list[Part]:
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [_part(part, f"{where}.content[{index}]") for index, part in enumerate(content or ())]


def _part(part: ContentPart, where: str) -> Part:
    if part.type in ("text", "input_text", "output_text") and part.text is not None:
        return Text(part.text)
    if part.type in ("image_url", "input_image") and part.image_url is not None:
        return Image(part.image_url) if isinstance(part.image_url, str) else Image(part.image_url.url, part.image_url.detail)
    if part.type == "refusal" and part.refusal is not None:
        return Text(part.refusal)
    raise Invalid(f"{where} of type {part.type[:40]!r} cannot be sent: text and image_url can.")


def _plain(content: str | list[ContentPart] | None, where: str) -> str:
    return "".join(part.text for part in _content(content, where) if isinstance(part, Text))


def _call(call: Call) -> ToolCall:
    arguments = call.function.arguments
    try:
        value = msgspec.json.decode(arguments) if arguments else {}
    except msgspec.DecodeError:
        value = None
    return ToolCall(call.id, call.function.name, arguments, value)
