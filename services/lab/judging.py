"""What a client made of a case, judged by what it says it has: its text, and its error if it has one."""

from typing import Literal, NamedTuple

from services.faults.fault import Outcome
from services.lab.cases import Case

Verdict = Literal["correct", "false_success", "wrong_text", "lost_text", "needless_error", "silent", "passed", "failed"]

# From the worst on: who believes a half answer does not even ask again.
VERDICTS: dict[Verdict, str] = {
    "false_success": "false success",
    "wrong_text": "wrong text",
    "silent": "neither text nor error",
    "lost_text": "the part is lost",
    "needless_error": "needless error",
    "failed": "failed, says a person",
    "passed": "passed, says a person",
    "correct": "correct",
}
GOOD: tuple[Verdict, ...] = ("correct", "passed")


class Reported(NamedTuple):
    """`error` is None where the client takes the answer for whole. `silent`: it never came to an end, and was given up."""

    text: str
    error: str | None = None
    silent: bool = False


class Judged(NamedTuple):
    verdict: Verdict
    remark: str = ""


def judge(case: Case, reported: Reported) -> Judged:
    text = "".join("\ufffd" if 0xD800 <= ord(char) < 0xE000 else char for char in reported.text)
    halves = "It hands on half a character (a lone surrogate), which cannot be written as UTF-8." if text != reported.text else ""
    if reported.silent:
        return Judged("silent", "It was given up: no end, and no error.")
    if reported.error is None:
        return _succeeded(case, text, halves)
    came: Outcome = "after" if text else "before"
    if not _may_have_come(case, text):
        return Judged("wrong_text", "It has an error, but its text is not what was sent.")
    if came in case.outcomes:
        return Judged("correct", halves)
    if "after" in case.outcomes:
        return Judged("lost_text", "It has an error, but nothing of the text that had come.")
    return Judged("needless_error", "All of the text was there to be had.")


def _succeeded(case: Case, text: str, halves: str) -> Judged:
    if text == case.text:
        if "same" in case.outcomes:
            return Judged("correct", halves)
        return Judged("false_success", "It has all of the text, but takes for whole what did not say that it was.")
    if case.text.startswith(text):
        what = f"{len(text)} of {len(case.text)} characters" if text else "an empty answer"
        return Judged("false_success", f"It takes {what} for the whole.")
    return Judged("wrong_text", "It takes for the answer what is not: " + repr(text[:60]))


def _may_have_come(case: Case, text: str) -> bool:
    """`endless` says its last words again and again: there more than the whole is what was sent."""
    return case.text.startswith(text) or (case.name == "endless" and text.startswith(case.text))
