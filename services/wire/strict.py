"""JSON from a client, strictly: what two readers could understand in two ways, or a database cannot keep, is refused.

RFC 8259 leaves open what duplicate keys, lone surrogates and huge numbers mean; NaN and Infinity are no JSON, though Python reads them.
"""

import json
from collections import Counter
from typing import Any

DEEPEST = 32  # an object in an object in ...
WIDEST = 19  # digits: more are no 64-bit integer


def decode(body: bytes) -> Any:
    """UTF-8 only. Raises ValueError with what is wrong."""
    if body.startswith(b"\xef\xbb\xbf"):
        raise ValueError("it begins with a byte order mark")
    try:
        text = body.decode()
    except UnicodeDecodeError as exc:
        raise ValueError(f"byte {exc.start} is not UTF-8") from None
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant)
    except RecursionError:
        raise ValueError(f"it is deeper than {DEEPEST}") from None
    _check_depth(value)
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {key[:40]!r} comes twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > WIDEST or not -(2**63) <= int(digits) < 2**63:
        raise ValueError("it has an integer of more than 64 bits")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("it has a number that is too large")
    return number


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_depth(value: Any) -> None:
    """Level by level: the recursion of what is checked is not that of who checks."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level if (inside := _inside(outer)) for inner in inside]
        if not level:
            return
    raise ValueError(f"it is deeper than {DEEPEST}")


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("it has half of a character (a lone surrogate)") from None
