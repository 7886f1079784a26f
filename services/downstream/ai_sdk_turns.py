"""What useChat sends, into a Turn: UI messages, their parts, and the fields an app adds in its transport's `body`. No I/O.

A part is sent on, or is one that no model is ever told (step-start parts the answers; sources are for people; a tool's input
that broke off is no call), or is refused by name. `metadata` and other providers' providerMetadata are for the app.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from services.downstream import turns
from services.downstream.writer import Body
from services.errors import Invalid
from services.messages import Attachment, Image, Message, Part, Reasoning, Text, ToolCall, ToolResult, Turn

OWN = "headrace"  # our key in providerMetadata
SENT = {"id", "messages", "trigger", "messageId"}  # by the SDK itself
KNOWN = {*SENT, "model", "system", "stream", "on_disconnect", *turns.Sampling.__struct_fields__}
EMPTY = (
    '`messages` is missing or empty: send at least one, such as {"id": "1", "role": "user", "parts": [{"type": "text", "text": "Hello"}]}.'
)
UNSAID = {"step-start", "source-url", "source-document"}
DENIED = "Tool call execution denied."

Form = Literal["plain", "summary", "encrypted"]


class Sent(msgspec.Struct):
    """What stands beside the messages. `id` is the chat's, by which the client may ask for its running reply."""

    id: str | None = None
    trigger: Literal["submit-message", "regenerate-message"] | None = None
    messageId: str | None = None
    model: str = ""
    system: str | None = None
    on_disconnect: Literal["stop", "keep"] = "stop"


class UIMessage(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["system", "user", "assistant"]
    parts: list[dict[str, Any]]
    id: str | None = None
    metadata: Any = None


class TextPart(msgspec.Struct):
    text: str


class FilePart(msgspec.Struct):
    url: str
    mediaType: str


class Approval(msgspec.Struct):
    reason: str | None = None


class ToolPart(msgspec.Struct):
    toolCallId: str
    state: Literal[
        "input-streaming",
        "input-available",
        "output-available",
        "output-error",
        "output-denied",
        "approval-requested",
        "approval-responded",
    ]
    toolName: str = ""  # of a dynamic-tool; a static one has it in its type
    input: Any = None
    rawInput: Any = None  # of arguments that were not JSON
    output: Any = None
    errorText: str | None = None
    approval: Approval | None = None


class OwnMetadata(msgspec.Struct):
    """What the writer sent in providerMetadata, back again."""

    form: Form = "plain"
    side: dict[str, Any] | None = None


def turn(body: Body) -> Turn:
    """Raises Invalid, naming the field."""
    given = {name: value for name, value in body.items() if value is not None}
    turns.refuse_unknown(given, KNOWN)
    sent = turns.convert({name: given[name] for name in Sent.__struct_fields__ if name in given}, Sent)
    if sent.id is not None and len(sent.id) > 200:
        raise Invalid("`id` is too long: a chat's id has 200 characters at most.")
    system = [Message("system", (Text(sent.system),))] if sent.system else []
    return Turn(
        sent.model,
        (*system, *_messages(given.get("messages"))),
        turns.options(given),
        on_disconnect=sent.on_disconnect,
        client="ai_sdk",
        thread=sent.id,
    )


def goes_on(body: Body) -> bool:
    """Whether the reply to this request belongs to the client's last message, because a tool's output was added to that."""
    last = messages[-1] if isinstance(messages := body.get("messages"), list) and messages else None
    return isinstance(last, dict) and last.get("role") == "assistant"


def _messages(given: object) -> Iterable[Message]:
    if not given:
        raise Invalid(EMPTY)
    told = [
        message
        for index, ui_message in enumerate(turns.convert(given, list[UIMessage], "messages"))
        for message in _said(ui_message, f"messages[{index}]")
    ]
    if not told:
        raise Invalid('No message says anything: each needs `parts`, such as [{"type": "text", "text": "Hello"}].')
    return told


def _said(message: UIMessage, where: str) -> list[Message]:
    """An answer of several steps is several messages: each step's calls come before their results, and these before the next step."""
    told: list[Message] = []
    parts: list[Part] = []
    results: list[Part] = []
    for number, part in enumerate([*message.parts, {"type": "step-start"}]):
        if part.get("type") == "step-start":
            told += [Message(message.role, tuple(parts))] if parts else []
            told += [Message("tool", (result,)) for result in results]
            parts, results = [], []
            continue
        for one in _part(part, message.role, f"{where}.parts[{number}]"):
            (results if isinstance(one, ToolResult) else parts).append(one)
    if not told and message.role != "assistant":  # an answer may be empty: one that failed before its first word stays with the client
        raise Invalid(f'{where} says nothing: it needs `parts`, such as [{{"type": "text", "text": "Hello"}}].')
    return told


def _part(part: dict[str, Any], role: str, where: str) -> list[Part]:
    kind = part.get("type")
    if kind == "text":
        text = turns.convert(part, TextPart, where).text
        own = _own(part.get("providerMetadata")) if role == "assistant" else OwnMetadata()
        return [Text(text, own.side)] if text or own.side else []
    if kind == "file" and role != "system":
        return [_file(turns.convert(part, FilePart, where), role, where)]
    if role == "assistant" and isinstance(kind, str):
        if kind == "reasoning":
            own = _own(part.get("providerMetadata"))
            return [Reasoning(turns.convert(part, TextPart, where).text, own.form, own.side)]
        if kind == "dynamic-tool" or kind.startswith("tool-"):
            return _tool(turns.convert(part, ToolPart, where), kind.removeprefix("tool-"), part.get("callProviderMetadata"), where)
        if kind in UNSAID:
            return []
    raise Invalid(f"{where} of type {str(kind)[:40]!r} cannot be sent in a message of the {role}.")


def _file(part: FilePart, role: str, where: str) -> Part:
    if not part.mediaType.startswith("image/"):
        raise Invalid(f"{where} is a file of type {part.mediaType[:80]!r}: images can be sent, other files cannot.")
    if not part.url.startswith(("data:", "http://", "https://")):
        raise Invalid(f"{where} has a `url` that is no data: URL of an image.")
    return Image(part.url) if role == "user" else Attachment("image", {"url": part.url})


def _tool(part: ToolPart, name: str, metadata: object, where: str) -> list[Part]:
    if part.state == "input-streaming":
        return []
    if part.state in ("approval-requested", "approval-responded"):
        raise Invalid(f"{where} waits for an approval: Headrace runs no tools, so the app runs them and adds their output.")
    name = part.toolName or name
    given = part.input if part.input is not None else part.rawInput if part.rawInput is not None else {}
    arguments = given if part.input is None and isinstance(given, str) else _json(given, where)
    call = ToolCall(part.toolCallId, name, arguments, part.input, _own(metadata).side)
    match part.state:
        case "output-available":
            text = part.output if isinstance(part.output, str) else _json(part.output, where)
            return [call, ToolResult(part.toolCallId, text, name)]
        case "output-error":
            return [call, ToolResult(part.toolCallId, part.errorText or "The tool failed.", name, failed=True)]
        case "output-denied":
            return [call, ToolResult(part.toolCallId, (part.approval and part.approval.reason) or DENIED, name, failed=True)]
    return [call]


def _own(metadata: object) -> OwnMetadata:
    """Ours among the metadata of providers. Anything else in it came from elsewhere, and stays there."""
    given = metadata.get(OWN) if isinstance(metadata, dict) else None
    return turns.convert(given, OwnMetadata, f"providerMetadata.{OWN}") if given is not None else OwnMetadata()


def _json(value: object, where: str) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (ValueError, OverflowError, RecursionError) as exc:
        raise Invalid(
            f"{where} holds something that cannot be sent on as JSON: it is nested too deeply, or a number is too large."
        ) from exc
