"""The score card of a run: a value for programs, Markdown for people."""

from collections.abc import Iterable
from typing import Any

from services.lab.judging import VERDICTS
from services.lab.runs import Run


def value(run: Run, origin: str) -> dict[str, Any]:
    """All of it. `origin` is where the client reaches Headrace, such as http://127.0.0.1:8080."""
    return {
        "id": run.id,
        "dialect": run.dialect,
        "client": run.client,
        "page": f"{origin}/lab?run={run.id}",
        "card_url": f"{origin}/lab/runs/{run.id}?format=markdown",
        "good": run.good,
        "score": run.score(),
        "cases": [_case(run, name, origin) for name in run.cases],
    }


def _case(run: Run, name: str, origin: str) -> dict[str, Any]:
    case, result, seen = run.cases[name], run.results.get(name), run.seen.get(name)
    return {
        "name": name,
        "does": case.does,
        "expect": case.expect,
        "outcomes": case.outcomes,
        "base_url": base_url(run, name, origin),
        "report_url": f"{origin}/lab/runs/{run.id}/{name}",
        "result": result._asdict() if result else None,
        "seen": {"asked": seen.asked, "bytes": seen.bytes, "left": seen.left} if seen else None,
    }


def base_url(run: Run, name: str, origin: str) -> str:
    return f"{origin}/lab/case/{run.id}/{name}{run.surface.base}"


def sentence(run: Run) -> str:
    """`51 of 63 correct; 9 false success, 3 needless error`"""
    bad = [f"{count} {VERDICTS[verdict]}" for verdict, count in _counted(run) if verdict not in ("correct", "passed")]
    missing = run.score()["not_run"]
    rest = [*bad, *([f"{missing} not run"] if missing else [])]
    return f"{run.good} of {len(run.cases)} correct" + (f"; {', '.join(rest)}" if rest else "")


def markdown(run: Run) -> str:
    head = f"# {cell(run.client)}\n\n{run.surface.title}: {sentence(run)}.\n\n"
    rows = [
        [f"`{name}`", case.does, case.expect, f"**{VERDICTS[result.verdict]}**" if result else "not run", _remarks(run, name)]
        for name, case in run.cases.items()
        for result in [run.results.get(name)]
    ]
    return head + table(["case", "what happens", "a correct client", "this client", "seen"], rows) + "\n"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)])


def cell(text: str) -> str:
    """What others wrote, in a cell of a table, as the words they are."""
    line = " ".join(text.split())
    return "".join("\\" + char if char in "\\`*_[]<>|#&~!" else char for char in line)


def _counted(run: Run) -> list[tuple[Any, int]]:
    return [(verdict, count) for verdict, count in run.score().items() if verdict in VERDICTS]


def remarks(run: Run, name: str) -> list[str]:
    """What is to be said besides the verdict: what the judge saw, and what the server did."""
    result, seen = run.results.get(name), run.seen.get(name)
    told = [result.remark] if result and result.remark else []
    if seen is None:
        return [*told, "It never asked."] if result else told
    if seen.asked > 1:
        told.append(f"It asked {seen.asked} times.")
    if seen.left:
        told.append("It left before the end." if seen.left == 1 else f"It left before the end {seen.left} times.")
    return told


def _remarks(run: Run, name: str) -> str:
    return cell(" ".join(remarks(run, name)))
