"""Who is judged how: what a client says it has, on the left, and the verdict on the right."""

import pytest

from services.errors import Invalid, NotFound
from services.faults import FAULTS
from services.lab.card import markdown, sentence
from services.lab.cases import cases
from services.lab.judging import Reported, judge
from services.lab.runs import MOST, Runs
from services.lab.surfaces import SURFACES
from services.upstream.rehearsal.scenes import ANSWER as TEXT

HALF = TEXT[:40]
LOST = "the connection was lost"
OPENAI = {case.name: case for case in cases("openai_chat")}


@pytest.mark.parametrize(
    ("name", "reported", "verdict"),
    [
        ("none", Reported(TEXT), "correct"),
        ("none", Reported(""), "false_success"),
        ("none", Reported(HALF, LOST), "needless_error"),
        ("none", Reported("", silent=True), "silent"),
        ("crlf", Reported(TEXT), "correct"),
        ("crlf", Reported(TEXT + TEXT), "wrong_text"),
        ("crlf", Reported("", LOST), "needless_error"),
        ("reset-middle", Reported(HALF, LOST), "correct"),
        ("reset-middle", Reported(HALF), "false_success"),
        ("reset-middle", Reported("", LOST), "lost_text"),
        ("reset-middle", Reported(HALF + "?", LOST), "wrong_text"),
        ("no-terminator", Reported(TEXT, LOST), "correct"),
        ("no-terminator", Reported(TEXT), "false_success"),
        ("http-500", Reported("", ""), "correct"),
        ("http-500", Reported(""), "false_success"),
        ("html-200", Reported("<!DOCTYPE html>"), "wrong_text"),
        ("stall-middle", Reported(TEXT), "correct"),
        ("stall-middle", Reported(HALF, "timed out"), "correct"),
        ("stall-end", Reported(TEXT, "timed out"), "needless_error"),
        ("gzip", Reported("", LOST), "correct"),
        ("no-last-blank-line", Reported(HALF), "false_success"),
        ("endless", Reported(TEXT + "show show", LOST), "correct"),
        ("endless", Reported(TEXT + "show show"), "wrong_text"),
        ("surrogates", Reported(TEXT.replace("👋", "\ufffd")), "correct"),
        ("surrogates", Reported(TEXT.replace("👋", chr(0xD83D))), "correct"),
        ("surrogates", Reported(TEXT.replace("👋", "")), "wrong_text"),
    ],
)
def test_a_verdict(name: str, reported: Reported, verdict: str) -> None:
    assert judge(OPENAI[name], reported).verdict == verdict


def test_every_fault_that_means_something_is_a_case() -> None:
    for dialect, surface in SURFACES.items():
        assert {case.name for case in cases(dialect)} == {"none", *(name for name, fault in FAULTS.items() if surface.kind in fault.kinds)}


def test_who_resumes_may_have_it_all() -> None:
    (case,) = [case for case in cases("event_source") if case.name == "reset-middle"]
    assert judge(case, Reported(TEXT)).verdict == judge(case, Reported(HALF, LOST)).verdict == "correct"
    assert judge(case, Reported(HALF)).verdict == "false_success"


def test_a_run_and_its_card() -> None:
    runs = Runs()
    run = runs.begin("r", "anthropic", "my\nclient | <b>", 0.0)
    assert run.client == "my client | <b>"
    run.report("crlf", Reported(TEXT))
    run.report("cut-middle", Reported(HALF))
    run.decide("bom", passed=True)
    run.note("cut-middle", asked=1)
    run.note("cut-middle", asked=1, left=1)
    assert run.score() == {"false_success": 1, "passed": 1, "correct": 1, "not_run": len(run.cases) - 3}
    assert sentence(run).startswith(f"2 of {len(run.cases)} correct; 1 false success, ")
    card = markdown(run)
    assert card.startswith("# my client \\| \\<b\\>\n")
    assert "**false success** | It takes 40 of" in card
    assert "It asked 2 times. It left before the end." in card
    run.report("cut-middle", Reported(HALF, LOST))
    assert "false_success" not in run.score()


def test_only_the_newest_are_kept() -> None:
    runs = Runs()
    for number in range(MOST + 1):
        runs.begin(str(number), "ollama", "x" * 500, 0.0)
    assert [len(runs.list()), runs.list()[0].id, len(runs.list()[0].client)] == [MOST, str(MOST), 80]
    with pytest.raises(NotFound):
        runs.get("0")
    with pytest.raises(NotFound):
        runs.get("1").report("no-such-case", Reported(""))
    with pytest.raises(Invalid, match="openai_chat"):
        runs.begin("x", "nonsense", "", 0.0)
