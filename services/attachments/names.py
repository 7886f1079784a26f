"""A file's name as it may be shown, saved and written into a prompt. It is never a path here."""

import re
import unicodedata

from services.conversations import cleaned

LONGEST = 120  # characters
UNSAFE = re.compile(r'[<>:"|?*]')


def file_name(given: str) -> str:
    """The last part of a path of any system, without what cannot be seen or turns the reading direction; its ending is kept."""
    last = re.split(r"[/\\]", cleaned(given))[-1]
    seen = "".join(" " if unicodedata.category(each) in ("Zl", "Zp") else each for each in last if unicodedata.category(each)[0] != "C")
    name = " ".join(UNSAFE.sub("_", seen).split()).strip(". ")
    if len(name) > LONGEST:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) <= 12 else ""
        name = name[: LONGEST - 1 - len(ending)].rstrip() + "…" + ending
    return name or "file"
