"""The model that writes as many tokens as asked, at the pace asked, in the kinds of Markdown asked. Text only: no waiting.

    2000 tokens at 100 tokens/s         the question is read for a number of tokens and a speed
    10k tokens, fast                    as fast as possible
    500 tokens with code and tables     prose and these kinds
    only math, 300 tokens               these kinds alone

Exactly that many tokens, always valid Markdown: the plan gives every block a size, and a block is written to its size.
"""

import re
from collections.abc import Iterator
from itertools import cycle, groupby
from math import inf
from random import Random
from typing import NamedTuple

from services.upstream.rehearsal.blocks import KINDS, Kind, block
from services.upstream.rehearsal.pieces import pieces
from services.upstream.rehearsal.prose import exactly
from services.upstream.rehearsal.script import Question, Say, Script

DEFAULT = 400
MOST = 200_000  # tokens: about 750 kB of text
SLOWEST = 0.1  # tokens per second
READ = 2_000  # characters of the question that are looked at

MIX = ("heading", "prose", "list", "table", "code", "prose", "quote", "math")
NAMES = {
    "prose": r"prose|paragraphs?",
    "heading": r"headings?|titles?",
    "list": r"lists?|bullets?|items",
    "table": r"tables?",
    "code": r"code|python|javascript|js|snippets?",
    "math": r"math|maths|latex|formulas?|equations?",
    "quote": r"quotes?|quotations?|blockquotes?",
}

_NUMBER = r"(\d{1,3}(?:,\d{3}){1,3}|\d{1,9}(?:\.\d{1,3})?)\s?(k\b)?"
_SPEED = re.compile(rf"{_NUMBER}\s?(?:tokens?|tok|t)?\s?(?:/\s?s(?:ec(?:ond)?)?\b|(?:per|a) second|tps)")
_SIZE = re.compile(rf"{_NUMBER}[\s-]?(?:tokens?|tok)\b")
_BARE = re.compile(rf"\b{_NUMBER}")
_FAST = re.compile(r"\bfast\b|as fast as possible")
_LEFT_OUT = re.compile(r"\b(?:no|without) (\w+)")


class Order(NamedTuple):
    """What the question asks for. `speed` None is the server's own, infinity as fast as possible."""

    tokens: int
    speed: float | None
    kinds: tuple[str, ...]


def play(question: Question) -> Script:
    order = read(question.text)
    deltas = (Say(piece) for text in write(question.random, order) for piece in pieces(text))
    return Script(deltas, pause=3, speed=order.speed)


def read(text: str) -> Order:
    """The order in a question in plain words."""
    text = text[:READ].lower()
    speed = _SPEED.search(text)
    rest = _SPEED.sub(" ", text)
    size = _SIZE.search(rest) or _BARE.search(rest)
    tokens = int(_number(size)) if size else DEFAULT
    return Order(min(max(tokens, 1), MOST), _speed(speed, text), _kinds(text))


def write(random: Random, order: Order) -> Iterator[str]:
    """The text, block by block, each but the first with the empty line before it."""
    gap = ""
    for kind, size in _plan(random, order):
        size -= bool(gap)
        yield gap + (block(kind, random, size) if size >= kind.least else exactly(random, size))
        gap = "\n\n"


def _plan(random: Random, order: Order) -> Iterator[tuple[Kind, int]]:
    """Kinds and sizes, the empty line before a block included; the last takes what is left."""
    left = order.tokens
    reserve = 1 + max(kind.least for name in order.kinds for kind in KINDS[name])
    for name in cycle(order.kinds):
        kind = random.choice(KINDS[name])
        if name == "heading" and len(order.kinds) > 1 and left < 2 * reserve:
            continue  # a heading is never the last word
        size = random.randint(kind.least + 1, kind.most)
        if left - size < reserve:
            yield kind, left
            return
        yield kind, size
        left -= size


def _number(match: re.Match[str]) -> float:
    return float(match[1].replace(",", "")) * (1000 if match[2] else 1)


def _speed(match: re.Match[str] | None, text: str) -> float | None:
    if match:
        return max(_number(match), SLOWEST)
    return inf if _FAST.search(text) else None


def _kinds(text: str) -> tuple[str, ...]:
    left_out = " ".join(_LEFT_OUT.findall(text))
    asked = _named(_LEFT_OUT.sub(" ", text)) or set(MIX)
    if "only" not in text.split():
        asked.add("prose")
    wanted = asked - _named(left_out) or {"prose"}
    return tuple(name for name, _ in groupby(name for name in MIX if name in wanted))


def _named(text: str) -> set[str]:
    return {name for name, words in NAMES.items() if re.search(rf"\b(?:{words})\b", text)}
