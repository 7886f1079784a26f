"""The kinds of Markdown that longform writes, each in blocks of an exact number of pieces. Pure text, seeded.

A block is a frame around units (sentences, items, rows, functions) and closing words. Units are added while they fit, the
closing words have as many pieces as are left. That works because the cut of a text is local: words that begin with a
letter after a space or a line start, and end with a full stop, have the same size in any frame.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import NamedTuple

from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.prose import draw, exactly, expand

PROBE = "On."  # words of a known size
ENOUGH = 9  # pieces kept for the closing words: from here on the grammar has whole sentences
BEGINNING = 18  # characters by which two units count as the same: a place, the name of a function
TRIES = 12  # draws per block: bounds the work when a small grammar repeats itself

FORMULAS = (
    ("The flow $Q$ is the width $b$ times the depth $h$ times the speed $v$:", r"Q = b \, h \, v"),
    ("A head $h$ of water gives the power", r"P = \eta \, \rho \, g \, Q \, h"),
    ("Under a gate opened by $a$ the water leaves with", r"v = \sqrt{2 g h}, \qquad Q = \mu \, a \, b \, \sqrt{2 g h}"),
    ("Over a weir of width $b$ it is", r"Q = \frac{2}{3} \, \mu \, b \, \sqrt{2 g} \, h^{3/2}"),
    ("In an open channel of slope $I$ Manning found", r"v = \frac{1}{n} \, R^{2/3} \, I^{1/2}"),
    ("In one day the pond gathers", r"V = \int_{0}^{T} Q(t) \, dt \approx \sum_{k=1}^{24} Q_k \, \Delta t"),
)

PYTHON = (
    "def flow_<quality>(width: float, depth: float, speed: float) -> float:\n    return width * depth * speed",
    "def power_<season>(flow: float, head: float = <2-9>.0) -> float:\n    return 0.<60-90> * 9.81 * flow * head  # kilowatts",
    'for hour in range(<2-9>, <12-20>):\n    print(f"{hour:02d}:00", level(hour))',
    "levels_<season> = [0.<10-99>, 0.<10-99>, 0.<10-99>]",
    "async def follow_<quality>(stream):\n    async for drop in stream:\n        if drop.level > <20-90>:\n            yield drop",
    "class Gate<2-99>:\n    def __init__(self, opening: int = <2-9>) -> None:\n        self.opening = opening",
)

JAVASCRIPT = (
    "function flow<2-99>(width, depth, speed) {\n  return width * depth * speed;\n}",
    "async function follow<2-99>(stream) {\n  for await (const drop of stream) {\n    console.log(`level ${drop.level}`);\n  }\n}",
    "levels.push(0.<10-99>, 0.<10-99>, 0.<10-99>);",
    'if (level > <20-90>) {\n  gate.open({ by: "<a_little>", at: "<time>" });\n}',
)


class Kind(NamedTuple):
    """`least` and `most` pieces of a block. `frame(units, words)` is its text; `words` names the rule of the closing words."""

    least: int
    most: int
    frame: Callable[[Sequence[str], str], str]
    unit: Callable[[Random], str] | None = None
    words: str = "sentence"


def block(kind: Kind, random: Random, n: int) -> str:
    """A block of this kind with exactly n pieces; n is at least `kind.least`."""
    units: dict[str, str] = {}  # by how they begin: no function, item or place twice
    for unit in (kind.unit(random) for _ in range(TRIES)) if kind.unit else ():
        if unit[:BEGINNING] not in units and _bare(kind, [*units.values(), unit]) + ENOUGH <= n:
            units[unit[:BEGINNING]] = unit
    told = list(units.values())
    return kind.frame(told, exactly(random, n - _bare(kind, told), kind.words))


def _bare(kind: Kind, units: Sequence[str]) -> int:
    """The size without closing words."""
    return size(kind.frame(units, PROBE)) - size(PROBE)


def _sentence(random: Random) -> str:
    text, space, last = draw(random, "sentence").removesuffix(".").rpartition(" ")
    mark = random.choice(("", "", "", "*", "**"))
    return f"{text}{space}{mark}{last}{mark}."


def _item(random: Random) -> str:
    return expand(random, f"**{draw(random, 'place')}**: <water> <runs> <way>")


def _row(random: Random) -> str:
    return expand(random, f"| {draw(random, 'place')} | 0.<10-99> | {draw(random, 'remark')} |")


def _formula(random: Random) -> str:
    said, formula = random.choice(FORMULAS)
    return f"{said}\n\n$$\n{formula}\n$$"


def _python(random: Random) -> str:
    return expand(random, random.choice(PYTHON))


def _javascript(random: Random) -> str:
    return expand(random, random.choice(JAVASCRIPT))


def _heading(units: Sequence[str], words: str) -> str:
    return f"## {words.removesuffix('.')}"


def _prose(units: Sequence[str], words: str) -> str:
    return " ".join([*units, words])


def _bullets(units: Sequence[str], words: str) -> str:
    return "\n".join(f"- {item}" for item in [*units, words])


def _steps(units: Sequence[str], words: str) -> str:
    return "\n".join(f"{number}. {item}" for number, item in enumerate([*units, words], 1))


def _table(units: Sequence[str], words: str) -> str:
    return "\n".join(["| Place | Depth (m) | Remark |", "|:--|--:|:--|", *units, f"| Elsewhere | 0.42 | {words.removesuffix('.')} |"])


def _math(units: Sequence[str], words: str) -> str:
    return "\n\n".join([*units, words])


def _quote(units: Sequence[str], words: str) -> str:
    return "\n".join(f"> {line}" for line in [*units, words])


def _code(language: str, comment: str, units: Sequence[str], words: str) -> str:
    return "\n".join([f"```{language}", "\n\n".join([*units, f"{comment} {words}"]), "```"])


KINDS: dict[str, tuple[Kind, ...]] = {
    "prose": (Kind(9, 50, _prose, _sentence),),
    "heading": (Kind(6, 11, _heading, words="title"),),
    "list": (Kind(25, 55, _bullets, _item), Kind(25, 55, _steps, _item)),
    "table": (Kind(50, 90, _table, _row, words="remark"),),
    "code": (Kind(55, 95, partial(_code, "python", "#"), _python), Kind(55, 95, partial(_code, "js", "//"), _javascript)),
    "math": (Kind(50, 80, _math, _formula),),
    "quote": (Kind(20, 35, _quote, _sentence),),
}
