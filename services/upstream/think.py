"""Reasoning that a server leaves inside the text: <think>...</think> at its very beginning, cut anywhere. Pure.

Only at the beginning: later in a text the same word may well be what the answer is about. A closing tag without an opening
one (some templates put the opening one into the prompt) stays in the text, because until it comes nothing tells it apart.
"""

from typing import Literal

OPEN = "<think>"
CLOSE = "</think>"

Piece = tuple[Literal["text", "reasoning"], str]


class Think:
    """`settled` is True from the moment on when everything is text: there is no need to ask any more."""

    __slots__ = ("_held", "_state", "settled")

    def __init__(self) -> None:
        self.settled = False
        self._state: Literal["before", "opened", "inside", "closed"] = "before"
        self._held = ""

    def feed(self, text: str) -> list[Piece]:
        """What can be told of the text so far. Line ends around the reasoning belong to the tags."""
        pieces: list[Piece] = []
        self._held += text
        if self._state == "before":
            self._look_for_open()
        if self._state == "opened":
            self._trim("inside")
        if self._state == "inside" and (thought := self._look_for_close()):
            pieces.append(("reasoning", thought))
        if self._state == "closed":
            self._trim("closed")
            self.settled = bool(self._held)
        if self.settled and self._held:
            pieces.append(("text", self._release()))
        return pieces

    def finish(self) -> list[Piece]:
        """What was held back: the stream ended, or something else than text comes."""
        state, held = self._state, self._release()
        if state in ("opened", "inside"):
            thought = held.rstrip("\r\n")
            return [("reasoning", thought)] if thought else []
        if state == "before" and held:
            self.settled = bool(held.strip())
            return [("text", held)]
        return []

    def _look_for_open(self) -> None:
        start = self._held.lstrip()
        if start.startswith(OPEN):
            self._held = start.removeprefix(OPEN)
            self._state = "opened"
        elif not OPEN.startswith(start):
            self.settled = True

    def _trim(self, then: Literal["inside", "closed"]) -> None:
        self._held = self._held.lstrip("\r\n")
        if self._held:
            self._state = then

    def _look_for_close(self) -> str:
        thought, closed, rest = self._held.partition(CLOSE)
        if closed:
            self._state = "closed"
            self._held = rest
            return thought.rstrip("\r\n")
        told = self._held[: len(self._held) - _overlap(self._held)].rstrip("\r\n")
        self._held = self._held[len(told) :]
        return told

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held


def _overlap(text: str) -> int:
    """How much of the end of the text may be the beginning of a closing tag."""
    return next((size for size in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:size])), 0)
