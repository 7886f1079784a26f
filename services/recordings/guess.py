"""Which dialect bytes are in, told from what stands in their frames: nobody else says so. Pure functions.

guess(body) -> Guess     `dialect` is None where nothing tells; `because` is what told, in the body's own words
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

import msgspec

from services.errors import LimitExceeded
from services.wire.ndjson import NDJSONDecoder
from services.wire.sse import SSEDecoder

LOOKED_AT = 40  # frames: the first ones of a stream may be comments, pings, or somebody else's
LINE = 4 << 20

Framing = Literal["events", "lines", "whole", "unknown"]
_BOM = b"\xef\xbb\xbf"


class Guess(NamedTuple):
    dialect: str | None
    because: str
    framing: Framing


def guess(body: bytes) -> Guess:
    framing = framed(body)
    seen = list(islice(_values(body, framing), LOOKED_AT))
    for tell in (_tells, _tells_an_error):  # an error says less of its dialect than a word of an answer
        for value in seen:
            if isinstance(value, dict) and (told := tell(value)):
                return Guess(*told, framing)
    return Guess(None, "", framing)


def framed(body: bytes) -> Framing:
    """How frames are told apart."""
    start = body.removeprefix(_BOM).lstrip()
    if start[:1] in (b"{", b"["):
        try:
            msgspec.json.decode(start)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return "lines" if start[:1] == b"{" else "unknown"
        return "whole" if b"\n" in start.strip() or not _one_of_lines(start) else "lines"
    fields = (b"data:", b"event:", b"id:", b"retry:", b":")
    return "events" if any(line.startswith(fields) for line in start.replace(b"\r", b"\n").split(b"\n", 40)[:40]) else "unknown"


def _one_of_lines(text: bytes) -> bool:
    """A single line of a stream, not yet its end."""
    value = msgspec.json.decode(text)
    return isinstance(value, dict) and value.get("done") is False


def _values(body: bytes, framing: Framing) -> Iterator[Any]:
    """The JSON in its frames, as far as it is JSON."""
    match framing:
        case "events":
            texts: Iterator[bytes] = (data for _, data, _ in _frames(body))
        case "lines":
            texts = iter(_lines(body))
        case _:
            texts = iter((body.removeprefix(_BOM),))
    for text in texts:
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        yield from value if isinstance(value, list) else [value]


def _frames(body: bytes) -> list[Any]:
    try:
        return list(SSEDecoder("", LINE).feed(body[: 4 * LINE] + b"\n\n"))
    except LimitExceeded:
        return []


def _lines(body: bytes) -> list[bytes]:
    try:
        return NDJSONDecoder(LINE).feed(body[: 4 * LINE] + b"\n")
    except LimitExceeded:
        return []


def _tells(value: dict[str, Any]) -> tuple[str, str] | None:
    match value:
        case {"type": "message_start" | "content_block_start" | "content_block_delta" | "message_delta" | "message_stop" as type}:
            return "anthropic", f"“type”: “{type}”"
        case {"type": "message", "content": list()}:
            return "anthropic", "“type”: “message”"
        case {"type": str(type)} if type.startswith("response."):
            return "openai_responses", f"“type”: “{type[:60]}”"
        case {"object": "response"}:
            return "openai_responses", "“object”: “response”"
        case {"object": "text_completion"}:
            return "openai_completions", "“object”: “text_completion”"
        case {"choices": [{"delta": dict()}, *_]}:
            return "openai_chat", "“choices”, “delta”"
        case {"choices": [{"message": dict()}, *_]}:
            return "openai_chat", "“choices”, “message”"
        case {"choices": [{"text": str()}, *_]}:
            return "openai_completions", "“choices”, “text”"
        case {"candidates": list()} | {"usageMetadata": dict()} | {"promptFeedback": dict()}:
            return "gemini", next(f"“{key}”" for key in ("candidates", "usageMetadata", "promptFeedback") if key in value)
        case {"message": dict(), "done": bool()}:
            return "ollama", "“message”, “done”"
        case {"response": str(), "done": bool()}:
            return "ollama_generate", "“response”, “done”"
        case {"object": "chat.completion.chunk" | "chat.completion" as kind}:
            return "openai_chat", f"“object”: “{kind}”"
    return None


def _tells_an_error(value: dict[str, Any]) -> tuple[str, str] | None:
    match value:
        case {"type": "error", "error": dict()}:
            return "anthropic", "“type”: “error”"
        case {"error": {"code": int(), "status": str()}}:
            return "gemini", "“error”, “status”"
        case {"error": dict()}:
            return "openai_chat", "“error”"
        case {"error": str()}:
            return "ollama", "“error”"
    return None
