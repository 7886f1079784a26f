"""What a server wants back with its reasoning, in the one string that Anthropic's dialect has for that: a signature, or redacted data.

Anthropic's own strings go as they are. What other vendors want back (ids and encrypted contents, details, thought signatures) is an
object: it travels sealed in such a string, as JSON in base64 behind a prefix, and comes back by itself, because clients of this
dialect return thinking blocks untouched.
"""

import base64
import binascii

import msgspec

from services.errors import Invalid

PREFIX = "headrace."

Side = dict[str, object]


def signature(side: Side | None) -> str | None:
    """The signature of a thinking block; None when nothing has to be sent back."""
    return _said(side, "signature") if side else None


def redacted(side: Side | None) -> str:
    """The data of a redacted block."""
    return _said(side or {}, "redacted")


def opened(given: str, name: str) -> Side | None:
    """The side that a signature or data stands for, which is `{name: given}` if it is Anthropic's own. Raises Invalid for a broken seal."""
    if not given.startswith(PREFIX):
        return {name: given} if given else None
    try:
        found = msgspec.json.decode(base64.b64decode(given[len(PREFIX) :], validate=True))
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError) as exc:
        raise Invalid("A thinking block came back changed: send its signature or data as it was.") from exc
    if not isinstance(found, dict):
        raise Invalid("A thinking block came back changed: send its signature or data as it was.")
    return found or None


def _said(side: Side, name: str) -> str:
    own = side.get(name)
    if len(side) == 1 and isinstance(own, str) and not own.startswith(PREFIX):
        return own
    return PREFIX + base64.b64encode(msgspec.json.encode(side)).decode()
