"""The contents of Anthropic's messages as parts: each block is mapped, or refused by name. No I/O.

Results of tools become a message of their own before the rest of theirs; what a result shows besides text follows it there.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from services.downstream import turns
from services.downstream.anthropic_sides import opened
from services.errors import Invalid
from services.messages import Image, Message, Part, Reasoning, Role, Text, ToolCall, ToolResult

Block = dict[str, Any]
Content = str | list[Block]


class AnyBlock(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`cache_control` may stand in every block and means nothing here."""

    type: str
    cache_control: Any = None


class TextBlock(AnyBlock, kw_only=True):
    """`citations` are what a server noted about its own words: they are not asked for again."""

    text: str
    citations: Any = None


class ImageSource(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["base64", "url"]
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"] | None = None
    data: str | None = None
    url: str | None = None


class ImageBlock(AnyBlock, kw_only=True):
    source: ImageSource


class CitationsConfig(msgspec.Struct, forbid_unknown_fields=True):
    enabled: Literal[False] | None = None


class DocumentBlock(AnyBlock, kw_only=True):
    source: dict[str, Any]
    title: str | None = None
    context: str | None = None
    citations: CitationsConfig | None = None


class TextSource(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text"]
    data: str
    media_type: Literal["text/plain"] = "text/plain"


class ContentSource(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["content"]
    content: str | list[Block]


class ToolUseBlock(AnyBlock, kw_only=True):
    """`caller` says that the model itself called it, which is all that can be said here."""

    id: str
    name: str
    input: dict[str, Any]
    caller: Any = None


class ToolResultBlock(AnyBlock, kw_only=True):
    tool_use_id: str
    content: str | list[Block] | None = None
    is_error: bool | None = None


class ThinkingBlock(AnyBlock, kw_only=True):
    thinking: str
    signature: str | None = None


class RedactedBlock(AnyBlock, kw_only=True):
    data: str


def message(role: Literal["user", "assistant", "system"], content: Content, where: str) -> Iterable[Message]:
    """One message, or two when it holds results of tools and something else. Raises Invalid when it says nothing."""
    parts: list[Part] = []
    for index, block in enumerate([{"type": "text", "text": content}] if isinstance(content, str) else content):
        if role == "assistant" and block.get("type") == "redacted_thinking":
            parts = _with_redacted(parts, turns.convert(block, RedactedBlock, f"{where}.content[{index}]").data)
        else:
            parts += _parts(role, block, f"{where}.content[{index}]")
    results = [part for part in parts if isinstance(part, ToolResult)]
    rest = [part for part in parts if not isinstance(part, ToolResult)]
    if not results and not rest:
        raise Invalid(f"{where} says nothing: it needs `content`, a string or a list of blocks, that is not empty.")
    if results:
        yield Message("tool", tuple(results))
    if rest:
        yield Message(role, tuple(rest))


def text_of(content: object, where: str) -> str:
    """The text of a content that can be nothing else."""
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for index, block in enumerate(turns.convert(content, list[Block], where)):
        for part in _shown("system", block, f"{where}[{index}]"):
            if isinstance(part, Text):
                texts.append(part.text)
    return "\n\n".join(texts)


def _parts(role: Role, block: Block, where: str) -> Iterable[Part]:
    match role, block.get("type"):
        case "user", "tool_result":
            return _result(turns.convert(block, ToolResultBlock, where), where)
        case "assistant", "tool_use":
            call = turns.convert(block, ToolUseBlock, where)
            return [ToolCall(call.id, call.name, msgspec.json.encode(call.input).decode(), call.input)]
        case "assistant", "thinking":
            thinking = turns.convert(block, ThinkingBlock, where)
            sealed = opened(thinking.signature or "", "signature")
            return [Reasoning(thinking.thinking, sealed.form, sealed.side)] if thinking.thinking or sealed.side else []
    return _shown(role, block, where)


def _with_redacted(parts: list[Part], data: str) -> list[Part]:
    """A block of its own, or what belongs to a call before it."""
    sealed = opened(data, "redacted")
    if sealed.call is None:
        return [*parts, Reasoning("", "encrypted", sealed.side)] if sealed.side else parts
    return [
        msgspec.structs.replace(part, side=sealed.side) if isinstance(part, ToolCall) and part.id == sealed.call else part for part in parts
    ]


def _shown(role: Role, block: Block, where: str) -> Iterable[Part]:
    """What a block of text, an image or a document shows."""
    match role, block.get("type"):
        case _, "text":
            text = turns.convert(block, TextBlock, where).text
            return [Text(text)] if text else []
        case "user", "image":
            return [_image(turns.convert(block, ImageBlock, where).source, where)]
        case "user", "document":
            return _document(turns.convert(block, DocumentBlock, where), where)
    known = {"user": "text, image, document and tool_result", "assistant": "text, thinking, redacted_thinking and tool_use"}
    can = known.get(role, "text")
    raise Invalid(f"{where} of type {str(block.get('type'))[:60]!r} cannot be sent in a message of role {role!r}: {can} can.")


def _image(source: ImageSource, where: str) -> Image:
    if source.type == "url" and source.url:
        return Image(source.url)
    if source.type == "base64" and source.data and source.media_type:
        return Image(f"data:{source.media_type};base64,{source.data}")
    raise Invalid(f"`{where}.source` needs `url`, or `media_type` and `data`.")


def _document(given: DocumentBlock, where: str) -> Iterable[Part]:
    kind = given.source.get("type")
    named = [Text(f"{text}\n\n") for text in (given.title, given.context) if text]
    if kind == "text":
        return [*named, Text(turns.convert(given.source, TextSource, f"{where}.source").data)]
    if kind == "content":
        content = turns.convert(given.source, ContentSource, f"{where}.source").content
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        return [*named, *(part for index, block in enumerate(blocks) for part in _flat(block, f"{where}.source.content[{index}]"))]
    what = given.source.get("media_type") or kind
    raise Invalid(f"{where} is a document of type {str(what)[:60]!r}, which cannot be sent: text can, pages of a PDF as images.")


def _flat(block: Block, where: str) -> Iterable[Part]:
    """Text or an image, and no document: documents in documents would have no end."""
    if block.get("type") not in ("text", "image"):
        raise Invalid(f"{where} of type {str(block.get('type'))[:60]!r} cannot be sent: text and image can.")
    return _shown("user", block, where)


def _result(given: ToolResultBlock, where: str) -> Iterable[Part]:
    blocks = [{"type": "text", "text": given.content}] if isinstance(given.content, str) else given.content or []
    shown = [part for index, block in enumerate(blocks) for part in _shown("user", block, f"{where}.content[{index}]")]
    text = "".join(part.text for part in shown if isinstance(part, Text))
    images = [part for part in shown if isinstance(part, Image)]
    return [ToolResult(given.tool_use_id, text, failed=bool(given.is_error)), *images]
