"""The `messages` of a request, as OpenAI has them and as many clients vary them, into Messages. No I/O.

What a message holds is mapped or refused by name; only what an SDK adds to messages that it gives back is taken and not passed on.
"""

from typing import Any, Literal

import msgspec

from services.downstream import openai_sides as sides
from services.downstream.shapes import arguments, convert
from services.downstream.writer import Body
from services.errors import Invalid
from services.messages import Attachment, Image, Message, Part, Refusal, Role, Text, ToolCall, ToolResult

EMPTY = '`messages` is missing or empty: send at least one, such as {"messages": [{"role": "user", "content": "Hello"}]}.'
ASSISTANTS = {"assistant", "ai", "bot", "model", "chatgpt", "claude", "gemini", "llama", "headrace"}  # author names that are not the user's


class ImageURL(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    detail: str | None = None


class ContentPart(msgspec.Struct, forbid_unknown_fields=True):
    """Of the last line, `cache_control` changes prices only, and what models note about their own words is not asked for again."""

    type: str
    text: str | None = None
    image_url: ImageURL | str | None = None
    detail: str | None = None
    refusal: str | None = None
    input_audio: Any = None
    file: Any = None
    cache_control: Any = None
    annotations: Any = None
    logprobs: Any = None


class Function(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    arguments: str = ""
    parsed_arguments: Any = None  # of the Python SDK's parse helpers: the same once more


class Call(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    function: Function | None = None
    type: str | None = "function"
    index: int | None = None
    extra_content: dict[str, Any] | None = None
    custom: Any = None


class SaidImage(msgspec.Struct):
    """An image of the model's own, as OpenRouter has it."""

    image_url: ImageURL


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
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    images: list[SaidImage] | None = None
    name: str | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    parsed: Any = None
    audio: None = None
    function_call: None = None


def messages(body: Body) -> tuple[Message, ...]:
    """The messages of a request. Raises Invalid when there are none, or one says nothing."""
    raw = body.get("messages")
    if raw is None or raw == []:
        raise Invalid(EMPTY)
    return tuple(_message(message, index) for index, message in enumerate(convert(raw, list[AnyMessage], "messages")))


def _message(given: AnyMessage, index: int) -> Message:
    where = f"messages[{index}]"
    if given.content is not None and given.text is not None:
        raise Invalid(f"{where} has `content` and `text`: send one of them.")
    if given.tool_call_id is not None:
        if given.role not in ("tool", None):
            raise Invalid(f"{where} has a `tool_call_id`, but its role is {given.role!r}, not 'tool'.")
        content = given.content if given.text is None else given.text
        return Message("tool", (ToolResult(given.tool_call_id, _plain(content, where), given.name),))
    parts: list[Part] = list(sides.reasoning(given.reasoning_content or given.reasoning or "", given.reasoning_details or ()))
    parts += _content(given.content if given.text is None else given.text, where)
    if given.refusal:
        parts.append(Refusal(given.refusal))
    parts += [Attachment("image", {"url": image.image_url.url}) for image in given.images or ()]
    parts += [_call(call, f"{where}.tool_calls[{number}]") for number, call in enumerate(given.tool_calls or ())]
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
        image = ImageURL(part.image_url) if isinstance(part.image_url, str) else part.image_url
        return Image(image.url, image.detail or part.detail)
    if part.type == "refusal" and part.refusal is not None:
        return Refusal(part.refusal)
    raise Invalid(f"{where} of type {part.type[:40]!r} cannot be sent: text and image_url can.")


def _plain(content: str | list[ContentPart] | None, where: str) -> str:
    """What a tool answered. No server's dialect has room for anything but text there."""
    parts = _content(content, where)
    if not all(isinstance(part, Text) for part in parts):
        raise Invalid(f"{where} is a tool's answer, which can only be text.")
    return "".join(part.text for part in parts if isinstance(part, Text))


def _call(call: Call, where: str) -> ToolCall:
    if call.function is None or call.type not in ("function", None):
        raise Invalid(f"{where} of type {str(call.type)[:40]!r} cannot be sent: calls of functions can.")
    text = call.function.arguments
    return ToolCall(call.id, call.function.name, text, arguments(text), sides.of_extra(call.extra_content))
