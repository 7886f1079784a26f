"""A request's JSON object into declared shapes: what is wrong with it becomes a sentence that names the field. No I/O."""

import difflib
from collections.abc import Collection
from typing import TypeVar

import msgspec

from services.downstream.writer import Body
from services.errors import Invalid

T = TypeVar("T")


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


def arguments(text: str) -> object:
    """What a tool call's arguments mean; None when they are not JSON."""
    try:
        return msgspec.json.decode(text) if text else {}
    except (msgspec.DecodeError, RecursionError):
        return None
