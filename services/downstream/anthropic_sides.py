"""What a server wants back with its own words, in the one string that Anthropic's dialect has for that: a signature, or redacted data.

Anthropic's own strings go as they are. What other vendors want back (ids and encrypted contents, details, thought signatures) is an
object: it travels sealed in such a string, as JSON in base64 behind a prefix, and comes back by itself, because clients of this
dialect return thinking blocks untouched. What belongs to a tool call follows it in a redacted block of its own.
"""

import base64
import binascii
from typing import Literal

import msgspec

from services.errors import Invalid

PREFIX = "headrace."

Side = dict[str, object]
Form = Literal["plain", "summary", "encrypted"]


class Sealed(msgspec.Struct, omit_defaults=True):
    """`call` is the id of the tool call that the side belongs to; None for reasoning."""

    form: Form = "plain"
    side: Side | None = None
    call: str | None = None


def signature(form: Form | None, side: Side | None) -> str:
    """The signature of a thinking block; empty when nothing has to be sent back."""
    if not side and form in (None, "plain"):
        return ""
    return _own(side, "signature") or _seal(Sealed(form or "plain", side))


def redacted(side: Side | None) -> str:
    """The data of a redacted block."""
    return _own(side, "redacted") or _seal(Sealed("encrypted", side))


def of_call(id: str, side: Side) -> str:
    """The data of the redacted block that follows a tool call."""
    return _seal(Sealed(side=side, call=id))


def opened(given: str, name: Literal["signature", "redacted"]) -> Sealed:
    """What a signature, or redacted data, stands for. Raises Invalid for a broken seal."""
    form: Form = "plain" if name == "signature" else "encrypted"
    if not given.startswith(PREFIX):
        return Sealed(form, {name: given} if given else None)
    try:
        return msgspec.json.decode(base64.b64decode(given[len(PREFIX) :], validate=True), type=Sealed)
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError) as exc:
        raise Invalid("A thinking block came back changed: send its signature, or its data, as it was.") from exc


def _own(side: Side | None, name: str) -> str:
    """Anthropic's own string, if the side is nothing else."""
    own = side.get(name) if side and len(side) == 1 else None
    return own if isinstance(own, str) and not own.startswith(PREFIX) else ""


def _seal(sealed: Sealed) -> str:
    return PREFIX + base64.b64encode(msgspec.json.encode(sealed)).decode()
