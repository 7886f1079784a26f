"""Values of a file that nobody vouches for: what is asked for, or nothing. Never raises."""

import hashlib
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from services.conversations import cleaned

Object = dict[str, object]

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LATEST = 253402300799.0  # the end of the year 9999, the last that calendars know


def text(value: object) -> str:
    """Without NUL and halves of characters."""
    if not isinstance(value, str):
        return ""
    clean = cleaned(value)
    return value if clean == value else clean  # not a second copy: there may be much of it


def line(value: object) -> str:
    """On one line, without control characters: a title, a name."""
    return " ".join(CONTROLS.sub(" ", text(value)).split())


def mapping(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def objects(value: object) -> Iterator[Object]:
    return (each for each in items(value) if isinstance(each, dict))


def name(value: object) -> str | None:
    """What an id is in the file, None if it is none."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63 else None


def count(value: object) -> int | None:
    """A number of tokens."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def seconds(value: object, now: float) -> float | None:
    """A moment as Unix seconds, from seconds, milli-, micro- or nanoseconds or ISO 8601; None if it is absurd.

    Absurd is what lies before 1970, or more than a day after `now`: clocks differ, and zones do.
    """
    if isinstance(value, str) and len(value) < 64:
        try:
            moment = datetime.fromisoformat(value)
            value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e20:  # NaN is not, either
        return None
    found = float(value)
    while found > 1e11:
        found /= 1000
    return found if math.isfinite(found) and found <= min(now + 86400, LATEST) else None


def identity(*names: str) -> str:
    """32 hexadecimal digits that the same names always have, and no others do."""
    digest = hashlib.sha256()
    for each in names:
        raw = each.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(raw) + raw)
    return digest.hexdigest()[:32]


def json(value: object) -> str:
    """As JSON, for people to read; what was read from JSON always can be."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(walked(value)).decode()
    except (RecursionError, TypeError, OverflowError):
        return ""


def walked(value: object) -> object:
    """With all its texts cleaned. Values are as shallow as `pieces` lets them be."""
    match value:
        case str():
            return cleaned(value)
        case dict():
            return {cleaned(str(key)): walked(each) for key, each in value.items()}
        case list() | tuple():
            return [walked(each) for each in value]
        case float() if not math.isfinite(value):
            return None
    return value
