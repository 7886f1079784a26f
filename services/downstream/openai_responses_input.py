"""The `input` of /v1/responses, a text or items, into messages. No I/O.

Items of an answer come back as they went out; those that follow each other become one message of the assistant, as they were.
"""

from typing import Any, Literal

import msgspec

from services.downstream import openai_sides as sides
from services.downstream import turns
from services.errors import Invalid
from services.messages import Image, Message, Part, Reasoning, Refusal, Role, Text, ToolCall, ToolResult

EMPTY = '`input` is missing or empty: send a text, or a list of items, such as [{"role": "user", "content": "Hello"}].'


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


def messages(given: str | list[dict[str, Any]]) -> tuple[Message, ...]:
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
