"""A small seeded grammar of mills, weirs and streams: sentences and titles, also of an exact number of pieces.

RULES maps a name to its alternatives; <name> is replaced by one of them, <2-9> by a number. Plain words, no Markdown.
"""

import re
from collections import defaultdict
from functools import cache
from random import Random

from services.upstream.rehearsal.pieces import size

RULES: dict[str, tuple[str, ...]] = {
    "sentence": (
        "<water> <runs> <way>.",
        "<wheel> <turns> <time>.",
        "<time> <water> <runs> <way>.",
        "<time> <wheel> <turns>, and <machine> with it.",
        "<water> <runs> <way>, and <wheel> <turns>.",
        "<water> <runs> <way>; further down it <runs> <way>.",
        "<way> <water> is <quality>, <place> it is <quality>.",
        "When <weather>, <water> rises by <5-60> centimetres and <wheel> <turns>.",
        "When <weather>, the miller opens <gate> and waits.",
        "The miller opens <gate> by <a_little>, and <time> <wheel> <turns>.",
        "Nobody hurries <wheel>: it <turns> as fast as <water> lets it.",
        "<gate> was built of <wood> in 17<10-99> and has been mended <3-40> times since.",
        "A hundred litres a second that fall one metre carry about one kilowatt; <machine> needs <2-9>.",
        "What is held back <place> can be used <time>.",
        "Below <gate> <water> is <quality>; above it, <quality> and <quality>.",
        "<people> say that <water> never <runs> twice the same way.",
        "<people> measured the level <place> and wrote it down: <20-95> centimetres.",
        "The channel drops only <2-9> millimetres in a metre, yet <water> <runs> <way>.",
        "Leaves gather <place>, so <people> clear the rack <time>.",
        "The stones are dressed every <2-9> weeks, or the flour grows warm.",
        "From <wheel> the power goes to <machine>, and <time> to <machine> as well.",
        "There is a bench <place> from which one sees <gate> and <wheel>.",
        "In <season> <water> is <quality>, and <people> come to listen.",
        "It takes <2-9> minutes from <gate> to <wheel>, less when <weather>.",
    ),
    "title": (
        "The <thing> <place>",
        "How the <thing> works",
        "What the <thing> is for",
        "A <thing> in <season>",
        "Why <water> <runs> <way>",
        "<season> <place>",
        "From the <thing> to the <thing>",
        "The <thing> and the <thing>",
        "Notes on the <thing>",
    ),
    "remark": (
        "<quality> <place>",
        "mended in <season>",
        "<quality> in <season>",
        "closed when <weather>",
        "<quality> and <quality>",
        "seen <time> by <people>",
        "<quality> in <season>, <quality> in <season>",
        "closed when <weather>, open when <weather>",
    ),
    "time": ("at dawn", "by noon", "in the evening", "after the rain", "late in the year", "for most of the day", "at night"),
    "season": ("spring", "summer", "autumn", "winter"),
    "weather": ("it rains in the hills", "the snow melts", "the wind turns", "the frost comes", "a dry summer ends"),
    "water": ("the water", "the stream", "the brook", "the current", "the headrace", "the tailrace", "the old channel"),
    "runs": ("runs", "slips", "winds", "flows", "falls", "drifts", "glides"),
    "way": (
        "past the alders",
        "under the bridge",
        "along the meadow",
        "between two stone walls",
        "through the sluice",
        "over the sill",
        "into the millpond",
        "round the island",
        "out of the wood",
        "down to the ford",
    ),
    "place": (
        "behind the mill",
        "below the weir",
        "beside the towpath",
        "at the ford",
        "near the bridge",
        "in the millpond",
        "by the upper rack",
        "under the alders",
    ),
    "a_little": ("a hand's width", "two fingers", "a single notch", "half a turn"),
    "wheel": ("the wheel", "the old wheel", "the breast wheel", "the larch wheel", "the turbine", "the upper stone", "the whole mill"),
    "turns": ("turns", "turns a little faster", "slows down", "keeps turning", "begins to move", "hums", "groans and turns"),
    "gate": ("the sluice", "the upper gate", "the little gate", "the paddle", "the weir"),
    "thing": ("mill", "weir", "sluice", "wheel", "millpond", "headrace", "tailrace", "paddle", "millstone", "fish ladder"),
    "wood": ("oak", "larch", "elm", "pine"),
    "people": ("the millers", "the neighbours", "the surveyors", "old people", "two children", "the anglers"),
    "machine": ("the stones", "the saw", "the hammer", "the loom", "the pump", "the small generator"),
    "quality": ("clear", "cold", "brown", "loud", "quick", "shallow", "deep", "calm", "patient"),
}

# For what is shorter than any sentence: the text of n pieces, for n from 1.
SHORT = ("So", "On.", "It ran.", "On it ran.", "So on it ran.", "And so on it ran.", "And on and on it ran.")

_SLOT = re.compile(r"<(?:(\d+)-(\d+)|([a-z_]+))>")


def expand(random: Random, template: str) -> str:
    """The template with every slot filled."""

    def fill(slot: re.Match[str]) -> str:
        low, high, name = slot.groups()
        return expand(random, random.choice(RULES[name])) if name else str(random.randint(int(low), int(high)))

    return _SLOT.sub(fill, template)


def draw(random: Random, rule: str) -> str:
    """One text of a rule, with a capital letter."""
    text = expand(random, f"<{rule}>")
    return text[0].upper() + text[1:]


def exactly(random: Random, n: int, rule: str = "sentence") -> str:
    """Texts of this rule with exactly n pieces in all; n is at least 1. From 2 on it ends with a full stop."""
    bank = _bank(rule)
    texts: list[str] = []
    while n > 2 * max(bank):
        texts.append(random.choice(bank[random.choice(list(bank))]))
        n -= size(texts[-1])
    if n in bank:
        return " ".join([*texts, random.choice(bank[n])])
    pairs = [first for first in bank if n - first in bank]
    if pairs:
        first = random.choice(pairs)
        return " ".join([*texts, random.choice(bank[first]), random.choice(bank[n - first])])
    return SHORT[n - 1]


@cache
def _bank(rule: str) -> dict[int, list[str]]:
    """Texts by their number of pieces, for places that want an exact number."""
    random = Random(rule)
    bank: dict[int, list[str]] = defaultdict(list)
    for _ in range(600):
        text = draw(random, rule)
        text = text if text.endswith(".") else f"{text}."
        bank[size(text)].append(text)
    return dict(sorted(bank.items()))
