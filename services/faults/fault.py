"""What a fault is: a name, what it does, what a correct client makes of it, and the stage that does it."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from services.faults.actions import Kind, Stage

Outcome = Literal["same", "before", "after"]  # the whole text; an error before any text; an error after a part of it

STREAMS: tuple[Kind, ...] = ("events", "lines")
ANY: tuple[Kind, ...] = ("events", "lines", "other")

SENTENCES: dict[tuple[Outcome, ...], str] = {
    ("same",): "the same text",
    ("before",): "an error before any text",
    ("after",): "an error after a part of the text, which it keeps",
    ("same", "before"): "the same text, or an error before any",
    ("same", "after"): "the same text, or an error after a part of it; never less as if it were all",
}
KINDS: dict[tuple[Kind, ...], str] = {
    ("events",): "server-sent events",
    ("lines",): "NDJSON",
    STREAMS: "server-sent events, NDJSON",
    ANY: "anything",
}


class Parameter(NamedTuple):
    """What may follow the name after `=`: a number of `unit`, or one of `words`. `usual` is without it."""

    usual: str
    unit: str
    least: float = 0.0
    most: float = 0.0
    words: tuple[str, ...] = ()


class Given(NamedTuple):
    """What a stage is made for: the fault's parameter, the family of the dialect's errors (shapes.py), seconds since 1970."""

    value: str
    family: str
    now: float

    @property
    def number(self) -> float:
        return float(self.value)


class Fault(NamedTuple):
    """`note` is what is to be said of the outcome besides."""

    name: str
    does: str
    outcomes: tuple[Outcome, ...]
    make: Callable[[Given], Stage]
    kinds: tuple[Kind, ...] = ANY
    takes: Parameter | None = None
    note: str = ""

    @property
    def expect(self) -> str:
        return SENTENCES[self.outcomes] + (f"; {self.note}" if self.note else "")

    @property
    def applies_to(self) -> str:
        return KINDS[self.kinds]
