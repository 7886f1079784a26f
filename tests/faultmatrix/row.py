"""What stands in the tables: rows, and the cases that a model server plays for them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tests.upstream.model_server import Behave

NO_TIMEOUTS: Mapping[str, float] = {}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One way to misbehave, and how the reply ends then. `name` is the name of the model server, too.

    `says` is the whole sentence of a failure, {name} and {host} are the server's; without `code` there is none.
    """

    name: str
    behave: Behave | None = None  # None: nobody gets that far
    at: str = "mill"  # where the server is, by the names in playing.py
    dialect: str = "openai_chat"
    timeouts: Mapping[str, float] = NO_TIMEOUTS
    asks: int = 1  # at most, one after the other, until one fails with this code
    tries: int = 1  # that the last one has made in all
    code: str = ""
    says: str = ""
    quotes: str = ""  # of the server's own words
    text: str | None = "Hello"  # that stays; None: whatever has come
    reason: str = "stop"
    keeps: Mapping[str, Any] = {}  # further fields of the end
    heavy: bool = False  # played alone, and memory is looked at

    @property
    def state(self) -> str:
        return "failed" if self.code else "finished"

    @property
    def reaches(self) -> int:
        """How many requests come to the mill."""
        if self.at not in ("mill", "signed"):
            return 0
        return self.tries


class Fails(Case, frozen=True, kw_only=True):
    """A case that ends with `code`, mostly before the first word."""

    text: str | None = ""


class Row(msgspec.Struct, frozen=True):
    """`sees` and `keeps` in words; `cases` and `tests` try it, and `run`, a command, at length; without any, `why` says why."""

    number: int
    fault: str
    sees: str
    keeps: str
    cases: tuple[Case, ...] = ()
    tests: tuple[str, ...] = ()  # path::name below tests/
    run: str = ""  # what stands behind `python -m`
    why: str = ""
