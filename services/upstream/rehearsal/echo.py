"""The model that says the last message back, verbatim."""

from services.upstream.rehearsal.script import Question, Script, say


def play(question: Question) -> Script:
    return Script(say(question.text), pause=3)
