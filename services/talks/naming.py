"""The first title of a conversation, made of its first question alone."""

import re

TITLE = 60  # characters

MARKS = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+|\d{1,3}[.)][ \t]+)|`{3,}[^\n]*|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}(?=\W|$)", re.MULTILINE
)
SENTENCE = re.compile(r"(.{12,}?[.!?。！？])(?:\s|$|(?<=[。！？]))", re.DOTALL)


def named_after(text: str) -> str:
    """One that is short is taken as it is; of a longer one its first sentence or line if that is short, else its first words."""
    line = " ".join(text.split())
    if len(line) <= TITLE:
        return line
    plain = MARKS.sub("", text[:2000]).strip() or text[:2000]
    begin = " ".join(plain.split())
    for first in (SENTENCE.match(begin), re.match(r".{12,}$", plain, re.MULTILINE)):
        if first and len(first[0].strip()) <= TITLE:
            return first[0].strip()
    cut = begin[: TITLE - 1]
    whole = cut.rpartition(" ")[0] if len(begin) > TITLE - 1 and begin[TITLE - 1] != " " else cut
    return (whole if len(whole) > TITLE // 2 else cut).rstrip(" ,;:-–") + "…"
