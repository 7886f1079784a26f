"""The model that answers questions about Headrace, by keywords, from the texts in guide/. It knows nothing else.

A text begins with a line `ask: phrase, phrase, ...` and an empty line; then comes the answer in Markdown. The text with the
most phrases in the question answers, among equals the first by name; `default.md` when there is none. So what matters
more is written more often: `ollama, connect ollama`.
"""

import re
from pathlib import Path
from typing import NamedTuple

from services.upstream.rehearsal.script import Question, Script, say

FOLDER = Path(__file__).with_name("guide")
READ = 2_000  # characters of the question that are looked at

_WORD = re.compile(r"[^\W_]+")


class Topic(NamedTuple):
    name: str
    phrases: tuple[str, ...]  # in the shape that _words gives
    markdown: str

    def score(self, words: str) -> int:
        return sum(phrase in words for phrase in self.phrases)


def play(question: Question) -> Script:
    return Script(say(answer(question.text).markdown))


def answer(text: str) -> Topic:
    """The topic that fits a question best."""
    words = _words(text[:READ])
    best = max(TOPICS, key=lambda topic: topic.score(words))
    return best if best.score(words) else DEFAULT


def _topic(path: Path) -> Topic:
    head, _, markdown = path.read_text("utf-8").partition("\n\n")
    phrases = head.removeprefix("ask:").split(",")
    return Topic(path.stem, tuple(_words(phrase) for phrase in phrases if phrase.strip()), markdown.rstrip("\n"))


def _words(text: str) -> str:
    """Lower case, one space around every word: " how do i connect llama cpp "."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


TOPICS = tuple(map(_topic, sorted(FOLDER.glob("*.md"))))
DEFAULT = next(topic for topic in TOPICS if topic.name == "default")
