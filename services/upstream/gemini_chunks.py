"""The shapes of Gemini's answers that are read often, and what its words mean. Values and pure functions, no story.

https://ai.google.dev/api/generate-content; the list of models: https://ai.google.dev/api/models
"""

import json
from typing import Any

import msgspec

from services.errors import ProtocolError
from services.events import Reason, Usage
from services.models import Model
from services.upstream import loose, words


class Prose(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A part that is nothing but prose. Any other makes the decoder refuse the whole chunk, which is then read by hand."""

    text: str
    thought: bool = False


class Content(msgspec.Struct, gc=False):
    parts: list[Prose] | None = None


class Candidate(msgspec.Struct, gc=False):
    index: int | None = None
    content: Content | None = None
    finishReason: str | None = None
    finishMessage: str | None = None
    groundingMetadata: Any = None
    citationMetadata: Any = None


class Counts(msgspec.Struct, gc=False):
    promptTokenCount: int | None = None
    candidatesTokenCount: int | None = None
    thoughtsTokenCount: int | None = None
    cachedContentTokenCount: int | None = None
    totalTokenCount: int | None = None


class Chunk(msgspec.Struct, gc=False):
    candidates: list[Candidate] | None = None
    usageMetadata: Counts | None = None
    promptFeedback: Any = None
    error: Any = None


decode = msgspec.json.Decoder(Chunk).decode

# What is not here means stop. A prompt that was refused has one of these words as its blockReason.
REASONS: dict[str, Reason] = {
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
# These are ends, but not good ones: what the model said was of no use, or nobody knows why it ended.
FAILURES = {
    "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
    "OTHER", "IMAGE_OTHER",
}  # fmt: skip

_decoder = json.JSONDecoder(strict=False)


def usage(given: Counts) -> Usage:
    """Output excludes thoughts, input includes what was cached. So nothing is computed here."""
    return Usage(
        input_tokens=loose.count(given.promptTokenCount),
        output_tokens=loose.count(given.candidatesTokenCount),
        reasoning_tokens=loose.count(given.thoughtsTokenCount),
        cached_tokens=loose.count(given.cachedContentTokenCount),
        total_tokens=loose.count(given.totalTokenCount),
    )


def documents(body: bytes) -> list[Any]:
    """The objects of a JSON array as far as it has come, or the one object there is. What is cut off at the end is left out."""
    text = body.decode("utf-8", "replace")
    found: list[Any] = []
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n,[]":
            at += 1
        try:
            value, at = _decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return found
        found.append(value)


def blob(given: dict[str, Any]) -> dict[str, Any] | None:
    """Inline data as an object with a data URL; None when it is none."""
    kind, payload = given.get("mimeType"), given.get("data")
    if not isinstance(kind, str) or not isinstance(payload, str):
        return None
    return {"url": f"data:{kind};base64,{payload}", "media_type": kind}


def sources(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    """What an answer is grounded on, and what it recites, each with its URL."""
    found: list[dict[str, Any]] = []
    for chunk in _objects(loose.inner(candidate, "groundingMetadata"), "groundingChunks"):
        for place in chunk.values():  # under `web`, `maps`, `retrievedContext`, ...
            if isinstance(place, dict) and isinstance(place.get("uri"), str):
                found.append(_source(place))
    cited = loose.inner(candidate, "citationMetadata")
    for place in _objects(cited, "citationSources") + _objects(cited, "citations"):
        if isinstance(place.get("uri"), str):
            found.append(_source(place))
    return found


def models(body: bytes) -> list[Model]:
    """The models that can answer: others embed, or only count. Raises ProtocolError when this is no list of models."""
    try:
        [found] = loose.objects(body)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("models"), list):
        raise ProtocolError("The server did not answer with a list of models.", upstream=words.of_body(body).message or None)
    return [_model(entry) for entry in _objects(found, "models") if isinstance(entry.get("name"), str) and _answers(entry)]


def _answers(entry: dict[str, Any]) -> bool:
    methods = entry.get("supportedGenerationMethods")
    return not isinstance(methods, list) or "generateContent" in methods


def _model(entry: dict[str, Any]) -> Model:
    thinks = entry.get("thinking")
    return Model(
        loose.whole_characters(entry["name"].removeprefix("models/")),
        context=loose.count(entry.get("inputTokenLimit")) or None,
        reasoning=thinks if isinstance(thinks, bool) else None,
    )


def _source(place: dict[str, Any]) -> dict[str, Any]:
    return {"url": place["uri"]} | {key: value for key, value in place.items() if key != "uri" and value is not None}


def _objects(given: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = given.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
