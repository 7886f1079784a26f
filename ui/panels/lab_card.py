"""The score card of a client check, live: its cases, how to ask each, and what became of them. It talks to nobody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from services.lab.card import remarks
from services.lab.judging import GOOD, Verdict
from services.lab.runs import Run
from services.lab.snippets import snippets
from ui.language import phrase, say

WORDS: dict[Verdict, str] = {
    "correct": phrase("correct"),
    "false_success": phrase("false success"),
    "wrong_text": phrase("wrong text"),
    "silent": phrase("neither text nor error"),
    "lost_text": phrase("the part is lost"),
    "needless_error": phrase("needless error"),
    "passed": phrase("passed, you say"),
    "failed": phrase("failed, you say"),
}
HERE = {"headrace": "fetch", "event_source": "EventSource"}  # what every browser has


class Card(Element, component=Path(__file__).parent.parent / "static" / "lab.js"):
    """`on_decide(case, passed)`: a person has looked at the client."""

    def __init__(self, run: Run, *, on_decide: Callable[[str, bool], None]) -> None:
        super().__init__()
        self._on_decide = on_decide
        self._props["words"] = _words(HERE.get(run.dialect, ""))
        self._props["start"] = _told(run)
        self.on("decide", self._decide)

    def show(self, run: Run) -> None:
        told = _told(run)
        with self._props.suspend_updates():
            self._props["start"] = told
        self.run_method("told", told)

    def _decide(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"case": str(name), "passed": bool(passed)}:
                self._on_decide(name, passed)


def score(run: Run) -> str:
    """`50 of 63 correct · false success: 2 · not run: 11`"""
    counts = run.score()
    bad = [f"{say(WORDS[verdict])}: {counts[verdict]}" for verdict in WORDS if verdict in counts and verdict not in GOOD]
    left = [say("not run: {n}", n=counts["not_run"])] if counts["not_run"] else []
    return " · ".join([say("{good} of {all} correct", good=run.good, all=len(run.cases)), *bad, *left])


def _told(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "client": run.client,
        "title": run.surface.title,
        "base": run.surface.base,
        "here": HERE.get(run.dialect, ""),
        "codes": [list(each) for each in snippets(run.dialect, "{base}", run.surface.path)],
        "score": score(run),
        "left": run.score()["not_run"],
        "rows": [_row(run, name) for name in run.cases],
    }


def _row(run: Run, name: str) -> dict[str, Any]:
    case, result = run.cases[name], run.results.get(name)
    reported = "" if result is None else result.text if result.error is None else f"{result.text}\n\n{result.error}".strip()
    return {
        "name": name,
        "does": case.does,
        "expect": case.expect,
        "verdict": result.verdict if result else "",
        "word": say(WORDS[result.verdict]) if result else "",
        "bad": result is not None and result.verdict not in GOOD,
        "remark": " ".join(remarks(run, name)),
        "reported": reported,
    }


def _words(here: str) -> dict[str, Any]:
    return {
        "card": say("Score card"),
        "cases": say("Cases"),
        "case": say("Case"),
        "expect": say("A correct client has"),
        "verdict": say("Your client"),
        "decide": say("Decide yourself"),
        "pass": say("{case}: passed", case="{case}"),
        "fail": say("{case}: failed", case="{case}"),
        "here": say("Run {client} in this browser", client=here),
        "going": say("Running…"),
        "show": say("Show"),
        "kinds": [["", say("All cases")], ["bad", say("Not correct")], ["missing", say("Not run")]],
        "base": say("Base URL"),
        "reported": say("What it reported"),
        "copy": say("Copy"),
    }
