"""Runs of the client check: what was asked for, what was seen on the wire, what was reported. The newest are kept, in memory."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from services.errors import Invalid, NotFound
from services.lab.cases import Case, cases
from services.lab.judging import GOOD, VERDICTS, Reported, Verdict, judge
from services.lab.surfaces import SURFACES, Surface

MOST = 50  # runs that are kept
NAME = 80  # characters of a client's name
EXCERPT = 600  # characters kept of a text or an error


class Result(NamedTuple):
    """`text` and `error` are excerpts of what was reported."""

    verdict: Verdict
    remark: str = ""
    text: str = ""
    error: str | None = None


@dataclass(slots=True)
class Seen:
    """What the server saw of a case. `left`: how often the client went before the end."""

    asked: int = 0
    bytes: int = 0
    left: int = 0


@dataclass(slots=True)
class Run:
    id: str
    dialect: str
    client: str
    created: float  # seconds since 1970
    cases: dict[str, Case]
    results: dict[str, Result] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    changes: int = 0  # grows with everything that is new

    @property
    def surface(self) -> Surface:
        return SURFACES[self.dialect]

    def case(self, name: str) -> Case:
        """Raises NotFound."""
        if name not in self.cases:
            raise NotFound(f"This check has no case {name[:40]!r}.")
        return self.cases[name]

    def report(self, name: str, reported: Reported) -> Result:
        """Raises NotFound. A second report takes the place of the first."""
        judged = judge(self.case(name), reported)
        error = None if reported.error is None else _excerpt(reported.error)
        return self._put(name, Result(judged.verdict, judged.remark, _excerpt(reported.text), error))

    def decide(self, name: str, passed: bool) -> Result:
        """What a person says who looked at the client. Raises NotFound."""
        self.case(name)
        return self._put(name, Result("passed" if passed else "failed"))

    def note(self, name: str, *, asked: int = 0, bytes: int = 0, left: int = 0) -> None:
        seen = self.seen.setdefault(name, Seen())
        seen.asked += asked
        seen.bytes += bytes
        seen.left += left
        self.changes += 1

    def score(self) -> dict[str, int]:
        """How many cases had which verdict, the worst first; `not_run` are the others."""
        found = [result.verdict for result in self.results.values()]
        told = {str(verdict): found.count(verdict) for verdict in VERDICTS if verdict in found}
        return told | {"not_run": len(self.cases) - len(found)}

    @property
    def good(self) -> int:
        return sum(result.verdict in GOOD for result in self.results.values())

    def _put(self, name: str, result: Result) -> Result:
        self.results[name] = result
        self.changes += 1
        return result


class Runs:
    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def begin(self, id: str, dialect: str, client: str, now: float, only: Collection[str] = ()) -> Run:
        """Of all cases, or `only` of these. Raises Invalid."""
        if dialect not in SURFACES:
            raise Invalid(f"There is no dialect {dialect[:40]!r} to check a client in. There are: {', '.join(SURFACES)}.")
        there = {case.name: case for case in cases(dialect)}
        if unknown := [name for name in only if name not in there]:
            raise Invalid(f"There is no case {unknown[0][:40]!r} in this dialect. There are: {', '.join(there)}.")
        wanted = {name: case for name, case in there.items() if not only or name in only}
        self._runs[id] = run = Run(id, dialect, _line(client) or "a client", now, wanted)
        while len(self._runs) > MOST:
            self._runs.popitem(last=False)
        return run

    def get(self, id: str) -> Run:
        """Raises NotFound."""
        if id not in self._runs:
            raise NotFound(f"There is no check {id[:40]!r}: the newest {MOST} are kept, and end with the process.")
        return self._runs[id]

    def list(self) -> list[Run]:
        """The newest first."""
        return list(reversed(self._runs.values()))


def _line(name: str) -> str:
    return "".join(char for char in " ".join(name.split()) if char.isprintable())[:NAME]


def _excerpt(text: str) -> str:
    """Half a character, as some clients hand on, is written as what it is: none."""
    whole = "".join("\ufffd" if 0xD800 <= ord(char) < 0xE000 else char for char in text[:EXCERPT])
    return whole + ("…" if len(text) > EXCERPT else "")
