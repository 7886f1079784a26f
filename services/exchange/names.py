"""File names that Windows, macOS, Linux and what lies between them take, and that lead nowhere else.

Windows: no `<>:"/\\|?*`, no control characters, no dot or space at the end, no names of devices, whatever the case
(learn.microsoft.com/windows/win32/fileio/naming-a-file). Everywhere: 255 bytes at most; encrypted home folders: 143.
"""

import re
import unicodedata

from services.conversations import cleaned

LONGEST = 100  # bytes of UTF-8, without what follows

UNFIT = re.compile(r'[<>:"/\\|?*%\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]+')
DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:\..*)?", re.IGNORECASE)


def file_name(title: str, suffix: str, taken: set[str] | None = None) -> str:
    """Of a title, with `suffix` (`.md`) behind it. With `taken`, unlike all that are in it, whatever the case; it is added there."""
    stem = _cut(_plain(title), LONGEST) or "Conversation"
    if DEVICES.fullmatch(stem):
        stem = "_" + stem
    if taken is None:
        return stem + suffix
    name, number = stem + suffix, 1
    while (key := unicodedata.normalize("NFKC", name).casefold()) in taken:
        number += 1
        name = f"{stem} {number}{suffix}"
    taken.add(key)
    return name


def _plain(title: str) -> str:
    # Format characters could show another name than it is: `gpj.exe` behind a right-to-left override.
    text = "".join(
        c for c in UNFIT.sub(" ", unicodedata.normalize("NFC", cleaned(title))) if unicodedata.category(c) not in ("Cf", "Co", "Cn")
    )
    return " ".join(text.split()).strip(" .-~")


def _cut(text: str, longest: int) -> str:
    return text.encode()[:longest].decode(errors="ignore").strip(" .-~")
