"""What a search looks for, and what it shows of where that was found. Pure: the same for every store.

A query is words, all of which have to be in a text, wherever in it and in whatever case; what stands in "quotation marks" is one word.
Nothing in a query has another meaning.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from services.conversations import Node, cleaned
from services.messages import Refusal, Text

LONGEST = 200  # characters of a query that are looked at
WORDS = 8  # and of its words
EACH = 3  # places shown of one conversation
BEFORE, AFTER = 40, 140  # characters of a text that are shown around the first word found

Snippet = tuple[tuple[str, bool], ...]  # pieces of a text, and whether each is what was looked for


class Found(NamedTuple):
    """A message. `rank` is larger for what fits better."""

    conversation: str
    node: str
    snippet: Snippet
    rank: int


def sought(query: str) -> tuple[str, ...]:
    """As they are looked for in `folded` texts; none for a query that says nothing."""
    found = re.findall(r'"([^"]*)"|([^\s"]+)', folded(query[:LONGEST]))
    return tuple(dict.fromkeys(word for quoted, plain in found if (word := " ".join((quoted or plain).split()))))[:WORDS]


def folded(text: str) -> str:
    return cleaned(text).casefold()


def text_of(node: Node) -> str:
    """The text of a message that is looked through."""
    return node.message.text if node.message else "\n".join(part.text for part in node.parts if isinstance(part, Text | Refusal))


def ranked(words: tuple[str, ...], texts: Iterable[tuple[str, str, str]], most: int) -> list[Found]:
    """Of (conversation, message, text), the newest first, what fits best; at most EACH of one conversation."""
    found: list[Found] = []
    seen: Counter[str] = Counter()
    for conversation, node, text in texts:
        if seen[conversation] < EACH and (hit := look(words, text)):
            seen[conversation] += 1
            found.append(Found(conversation, node, hit[1], hit[0]))
    return sorted(found, key=lambda hit: -hit.rank)[:most]


def look(words: tuple[str, ...], text: str) -> tuple[int, Snippet] | None:
    """The rank and the snippet; None where a word is missing.

    2 for all words next to each other as they were written, 1 for words that are found at the beginnings of words.
    """
    plain = folded(text)
    if not words or not all(word in plain for word in words):
        return None
    phrase = " ".join(words)
    together = len(words) > 1 and phrase in plain
    begins = all(re.search(rf"(?<!\w){re.escape(word)}", plain) for word in words)
    at = plain.index(phrase) if together else min(plain.index(word) for word in words)
    return 2 * together + begins, _snippet(words, text, plain, at)


def _snippet(words: tuple[str, ...], text: str, plain: str, at: int) -> Snippet:
    start, end = max(0, at - BEFORE), at + AFTER
    if len(text) == len(plain):
        shown, window = text[start:end], plain[start:end]
    else:  # folding made some characters longer: `ß`
        shown = window = plain[start:end]
    marks = sorted((hit.start(), hit.end()) for word in words for hit in re.finditer(re.escape(word), window))
    pieces: list[tuple[str, bool]] = [("…" if start else "", False)]
    done = 0
    for first, last in marks:
        if last > done:
            pieces += [(shown[done : max(first, done)], False), (shown[max(first, done) : last], True)]
            done = last
    pieces += [(shown[done:] + ("…" if end < len(plain) else ""), False)]
    return tuple((re.sub(r"\s+", " ", piece), marked) for piece, marked in pieces if piece)
