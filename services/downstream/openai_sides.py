"""What a server wants back with its own words, in the places that OpenAI's dialects have for it. No I/O.

    reasoning_details    Chat Completions, as OpenRouter has them: signatures, encrypted reasoning, and its text once more
    extra_content        beside a tool call or a message, as Google's servers of this dialect have it: a thought signature
    encrypted_content    Responses: of a reasoning item, where everything that has to come back is sealed in one string

Clients return these untouched, and what returns says to whom it belongs: readers send back only what their server knows.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from services.errors import Invalid
from services.messages import Reasoning

Side = dict[str, object]
Form = Literal["plain", "summary", "encrypted"]

SEAL = "headrace."  # a string without it came from a server itself
ANTHROPIC, OPENAI = "anthropic-claude-v1", "openai-responses-v1"


class Sealed(msgspec.Struct):
    form: Form = "plain"
    side: Side | None = None


# Responses: encrypted_content


def sealed(form: Form | None, side: Side | None) -> str | None:
    """The one string for all that has to come back with a reasoning item; None when nothing has to.

    Words of the model's own have to be known as such, because some servers want them back beside tool calls.
    """
    if not side and form != "plain":
        return None
    return SEAL + base64.b64encode(msgspec.json.encode(Sealed(form or "plain", side))).decode()


def opened(encrypted: str | None, id: str | None, where: str) -> Sealed:
    """What such a string stands for, also one that comes from a Responses server itself. Raises Invalid for a broken seal."""
    if not encrypted:
        return Sealed("summary")
    if not encrypted.startswith(SEAL):
        return Sealed("summary", {"id": id, "encrypted_content": encrypted} if id else {"encrypted_content": encrypted})
    try:
        return msgspec.json.decode(base64.b64decode(encrypted[len(SEAL) :], validate=True), type=Sealed)
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError) as exc:
        raise Invalid(f"`{where}.encrypted_content` came back changed: send it as it was.") from exc


# extra_content


def extra(side: Mapping[str, object] | None) -> dict[str, Any]:
    """`{"extra_content": ...}`, or nothing."""
    if not side:
        return {}
    if "extra_content" in side:
        return {"extra_content": side["extra_content"]}
    if isinstance(signature := side.get("thought_signature"), str):
        return {"extra_content": {"google": {"thought_signature": signature}}}
    return {}


def of_extra(given: dict[str, Any] | None) -> Side | None:
    match given:
        case {"google": {"thought_signature": str(signature)}}:
            return {"extra_content": given, "thought_signature": signature}
    return {"extra_content": given} if given else None


# reasoning_details


def details(part: Reasoning) -> list[Any]:
    """What has to come back with this part of a reply; [] when nothing has to."""
    match part.side:
        case {"reasoning_details": list(kept)}:
            return kept
        case {"signature": str(signature)}:
            return [{"type": "reasoning.text", "text": part.text, "signature": signature, "format": ANTHROPIC}]
        case {"redacted": str(data)}:
            return [{"type": "reasoning.encrypted", "data": data, "format": ANTHROPIC}]
        case {"encrypted_content": str(data), **rest}:
            summary = [{"type": "reasoning.summary", "summary": part.text, "format": OPENAI}] if part.text else []
            return [*summary, {"type": "reasoning.encrypted", "data": data, "id": rest.get("id"), "format": OPENAI}]
    return []


def reasoning(text: str, given: Iterable[dict[str, Any]]) -> Sequence[Reasoning]:
    """The reasoning of a message in a history: its text, which the details hold once more, counts once."""
    parts: list[Reasoning] = []
    for detail in given:
        parts = _with(parts, detail)
    if text and not any(part.text for part in parts):
        return [Reasoning(text), *parts]
    return parts


def _with(parts: list[Reasoning], detail: dict[str, Any]) -> list[Reasoning]:
    side: Side = {"reasoning_details": [detail]}
    match detail:
        case {"type": "reasoning.text", "signature": str(signature)} if signature:
            return [*parts, Reasoning(_string(detail.get("text")), "plain", side | {"signature": signature})]
        case {"type": "reasoning.summary"}:
            return [*parts, Reasoning(_string(detail.get("summary")), "summary", side)]
        case {"type": "reasoning.encrypted", "data": str(data), "format": str(kind)} if kind == ANTHROPIC:
            return [*parts, Reasoning("", "encrypted", side | {"redacted": data})]
        case {"type": "reasoning.encrypted", "data": str(data), "id": str(id), "format": str(kind)} if kind == OPENAI:
            own: Side = {"id": id, "encrypted_content": data}
            if parts and parts[-1].form == "summary":
                last = parts[-1]
                kept = (last.side or {}).get("reasoning_details")
                both = [*(kept if isinstance(kept, list) else ()), detail]
                return [*parts[:-1], Reasoning(last.text, "summary", own | {"reasoning_details": both})]
            return [*parts, Reasoning("", "encrypted", own | side)]
    return [*parts, Reasoning(_string(detail.get("text")), "plain", side)]


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
