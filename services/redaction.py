"""What may not stand in a log, an error or a page: secrets, and characters that make text look like another. Pure functions.

    without_secrets(text)     keys, tokens and passwords, wherever they turn up
    escaped(text)             one line, whatever is in it: it can neither forge a second one nor colour a terminal

Patterns know the shapes of keys, not the keys. Who knows those masks them as well: services/record/hiding.py, services/logs.py.
"""

import re

_NAMED = r"\b((?:x-)?(?:goog-)?api[_-]?key|authorization|access[_-]?token|client[_-]?secret|password|set-cookie|cookie)"
_SECRETS = [
    (re.compile(r"(://)[^/\s@]+@"), r"\1[redacted]@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=*-]{6,}", re.IGNORECASE), r"\1 [redacted]"),
    (re.compile(r"\b(?:sk|pk|rk)-[\w*-]{3,}|\b(?:gsk|hf|r8|ghp|xai|nvapi|pplx)[_-][\w*-]{6,}|\bAIza[\w-]{10,}|\bAKIA\w{8,}"), "[redacted]"),
    (re.compile(r"\bhr_\w{12,}"), "[redacted]"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), "[redacted]"),
    (re.compile(r"\b(api[_-]?key|key|token|secret|password|signature)(=)[^\s&\"',;]{3,}", re.IGNORECASE), r"\1\2[redacted]"),
    (re.compile(_NAMED + r"(\W{1,3}:\s*\W?)(?!\W|bearer\b)[^\s\"',;}]{3,}", re.IGNORECASE), r"\1\2[redacted]"),
]  # fmt: skip

# C0, DEL, C1, the line and paragraph separators, and what turns or hides text; half a surrogate pair no stream could take.
_UNFIT = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def without_secrets(text: str) -> str:
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def escaped(text: str) -> str:
    r"""ESC becomes `\x1b`, a line end `\n`, U+202E `\u202e`."""
    return _UNFIT.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    number = ord(found[0])
    return {9: r"\t", 10: r"\n", 13: r"\r"}.get(number) or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")
