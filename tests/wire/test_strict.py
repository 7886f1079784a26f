"""What a client may send as JSON: one meaning for every reader, and nothing that keeps this one busy."""

import json
import re
from typing import Any

import pytest

from services.wire import strict

MANY = 200_000
UNIQUE = ",".join(f'"key {number}":0' for number in range(MANY))

READ: dict[str, tuple[bytes, Any]] = {
    "any value": (b'{"a":[1,2.5,null,true,"\\u00e9\\ud83d\\ude00"]}', {"a": [1, 2.5, None, True, "é😀"]}),
    "64 bits": (b"-9223372036854775808", -(2**63)),
    "as deep as it may be": (b'{"a":' * 31 + b"[]" + b"}" * 31, json.loads('{"a":' * 31 + "[]" + "}" * 31)),
}
REFUSED = {
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}', "begins with a byte order mark"),
    "no UTF-8": (b'{"a":"\xff"}', "byte 6 is not UTF-8"),
    "a key twice": (b'{"a":1,"b":{"c":1,"c":2}}', "the key 'c' comes twice"),
    "the last of many keys twice": (f'{{{UNIQUE},"key {MANY - 1}":1}}'.encode(), f"the key 'key {MANY - 1}' comes twice"),
    "65 bits": (b"9223372036854775808", "more than 64 bits"),
    "a number without an end": (b"9" * 5000, "more than 64 bits"),
    "a number that becomes infinite": (b"1e999", "number that is too large"),
    "NaN": (b'{"a":NaN}', "NaN is no JSON"),
    "minus infinity": (b"-Infinity", "-Infinity is no JSON"),
    "too deep": (b"[" * 34 + b"]" * 34, "deeper than 32"),
    "deeper than any stack": (b"[" * 200_000, "deeper than 32"),
    "half a character": (b'"\\ud83d"', "half of a character"),
}


@pytest.mark.parametrize(("body", "value"), READ.values(), ids=READ)
def test_what_has_one_meaning_is_read(body: bytes, value: Any) -> None:
    assert strict.decode(body) == value


@pytest.mark.parametrize(("body", "says"), REFUSED.values(), ids=REFUSED)
def test_what_could_mean_two_things_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        strict.decode(body)
