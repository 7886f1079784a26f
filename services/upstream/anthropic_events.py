"""The shapes of Anthropic's Messages that are read often, and what its words mean. Values and pure functions, no story.

https://docs.anthropic.com/en/api/messages-streaming; the list of models: https://docs.anthropic.com/en/api/models-list
"""

from typing import Any

import msgspec

from services.errors import ProtocolError
from services.events import Reason, Usage
from services.models import Model
from services.upstream import loose, words


class Piece(msgspec.Struct, gc=False):
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None


class Fragment(msgspec.Struct, gc=False):
    """A frame as far as it is a piece of text, thinking or arguments: nearly all of them are."""

    type: str | None = None
    index: int | None = None
    delta: Piece | None = None


decode = msgspec.json.Decoder(Fragment).decode

# What is not here means stop: end_turn, stop_sequence, and pause_turn, after which the same conversation may be sent again.
REASONS: dict[str, Reason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def usage(given: dict[str, Any]) -> Usage:
    """Input is what was neither read from the cache nor written into it; output includes thinking. So nothing is computed here."""
    return Usage(
        input_tokens=loose.count(given.get("input_tokens")),
        output_tokens=loose.count(given.get("output_tokens")),
        reasoning_tokens=loose.count(loose.inner(given, "output_tokens_details").get("thinking_tokens")),
        cached_tokens=loose.count(given.get("cache_read_input_tokens")),
        cache_write_tokens=loose.count(given.get("cache_creation_input_tokens")),
    )


def source(citation: dict[str, Any]) -> dict[str, Any]:
    """A citation as it came, its title under one name: a document's stands under another one than a web page's."""
    title = citation.get("title") or citation.get("document_title")
    return citation | {"title": title} if isinstance(title, str) else citation


def image_url(block: dict[str, Any]) -> str:
    """The URL of an image block; empty when it shows none."""
    match block.get("source"):
        case {"type": "base64", "media_type": str(kind), "data": str(payload)}:
            return f"data:{kind};base64,{payload}"
        case {"type": "url", "url": str(url)}:
            return url
    return ""


def models(body: bytes) -> list[Model]:
    """Raises ProtocolError when this is no list of models."""
    try:
        [found] = loose.objects(body)
    except ValueError:
        found = None
    listed = found.get("data") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ProtocolError("The server did not answer with a list of models.", upstream=words.of_body(body).message or None)
    return [_model(entry) for entry in listed if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _model(entry: dict[str, Any]) -> Model:
    able = loose.inner(entry, "capabilities")  # since 2026, as {"supported": true}; tools are not among them
    return Model(
        loose.whole_characters(entry["id"]),
        context=loose.count(entry.get("max_input_tokens")) or None,
        vision=_supported(able, "image_input"),
        reasoning=_supported(able, "thinking"),
    )


def _supported(able: dict[str, Any], name: str) -> bool | None:
    said = loose.inner(able, name).get("supported")
    return said if isinstance(said, bool) else None
