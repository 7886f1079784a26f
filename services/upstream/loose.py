"""JSON as servers really send it. Pure functions: the slow path of every reader, taken when msgspec says no.

objects(bytes)         the JSON texts in a frame: glued together, with NaN, with half characters, with control characters
shaped(object, kind)   as much of a struct as an object has in the right shape
clean(value)           the same value, fit to be encoded again
"""

import json
import math
import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_SPACE = re.compile(r"\s*")
_decoder = json.JSONDecoder(strict=False)

# What a msgspec decoder raises for bytes that are not the JSON it expects.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def objects(data: bytes) -> list[Any]:
    """The JSON texts in `data`, not cleaned: half a character may wait for its other half. Raises ValueError for anything else."""
    text = data.decode("utf-8", "replace").lstrip("\ufeff").strip()
    found, at = [], 0
    try:
        while at < len(text):
            value, end = _decoder.raw_decode(text, at)
            found.append(value)
            at = _SPACE.match(text, end).end()  # type: ignore[union-attr]  # of nothing, too
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    return found


def shaped(value: object, kind: type[T]) -> T:
    """Fields of the wrong shape are left at their defaults; numbers may be written as strings."""
    good: dict[str, Any] = {}
    given = value if isinstance(value, dict) else {}
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        if field.encode_name in given:
            try:
                good[field.name] = msgspec.convert(given[field.encode_name], field.type, strict=False)
            except (msgspec.ValidationError, UnicodeEncodeError):  # half a character where a number belongs
                continue
    return kind(**good)


def arguments(text: str) -> object:
    """What the arguments of a tool call mean: {} for none, None when they are not JSON."""
    if not text.strip():
        return {}
    try:
        found = objects(text.encode())
    except ValueError:
        return None
    return found[0] if len(found) == 1 else None


def inner(given: dict[str, Any], name: str) -> dict[str, Any]:
    """The object under this name; an empty one when there is none."""
    found = given.get(name)
    return found if isinstance(found, dict) else {}


def count(value: object) -> int | None:
    """The value when it counts something."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def clean(value: Any) -> Any:
    """Without half characters (no UTF-8 says them) and NUL (databases refuse it), both U+FFFD as CommonMark has it; NaN is None.

    So is all of a value that is nested deeper than Python's stack.
    """
    try:
        return _clean(value)
    except RecursionError:
        return None


def _clean(value: Any) -> Any:
    match value:
        case str():
            return whole_characters(value)
        case float():
            return value if math.isfinite(value) else None
        case list():
            return [_clean(item) for item in value]
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def whole_characters(text: str) -> str:
    """Two halves of a character that stand together become one; a half that stands alone becomes U+FFFD."""
    try:
        text.encode()  # ten times as fast as the way around UTF-16
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")
