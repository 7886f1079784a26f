"""Where an answer ends before its script does: max_tokens and stop strings. No bytes, no waiting."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from services.upstream.rehearsal.script import Delta, End, Say, Script, Think


class Limited:
    """Iterate once; afterwards `end` says why it ended, `stop` by which string, and the counts are final.

    Thoughts are tokens too, as in OpenAI's max_completion_tokens.
    """

    def __init__(self, script: Script, most: int | None, stops: Sequence[str]) -> None:
        self.end: End = script.end
        self.stop: str | None = None
        self._told = 0
        self._thought = 0
        self._used = script.used
        self._most = most
        self._deltas = self._until(stops, script.deltas) if stops else script.deltas

    @property
    def tokens(self) -> int:
        return self._told if self._used.output is None else self._used.output

    @property
    def thoughts(self) -> int:
        return self._thought if self._used.reasoning is None else self._used.reasoning

    def asked(self, counted: int) -> int:
        """The tokens of the request, which were counted unless the script says otherwise."""
        return counted if self._used.input is None else self._used.input

    def __iter__(self) -> Iterator[Delta]:
        for delta in self._deltas:
            self._told += 1
            self._thought += isinstance(delta, Think)
            if self._told == self._most:
                self.end, self.stop = "length", None
                yield delta
                return
            yield delta

    def _until(self, stops: Sequence[str], deltas: Iterator[Delta]) -> Iterator[Delta]:
        """The deltas before the first stop string, which is not said. Text that may be the beginning of one is held back."""
        keep = max(map(len, stops)) - 1
        held: deque[str] = deque()
        text = ""  # what is held, as one
        for delta in deltas:
            if not isinstance(delta, Say):
                yield from _cut(held, len(text))
                held.clear()
                text = ""
                yield delta
                continue
            held.append(delta.text)
            text += delta.text
            found = [(at, stop) for stop in stops if (at := text.find(stop)) >= 0]
            if found:
                at, self.stop = min(found)
                self.end = "stop"
                yield from _cut(held, at)
                return
            while held and len(text) - len(held[0]) >= keep:
                text = text[len(held[0]) :]
                yield Say(held.popleft())
        yield from _cut(held, len(text))


def _cut(held: Iterable[str], end: int) -> Iterator[Delta]:
    """The first `end` characters of what is held."""
    for piece in held:
        if end <= 0:
            return
        yield Say(piece[:end])
        end -= len(piece)
