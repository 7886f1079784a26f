"""What a model of the rehearsal is given and what it gives back. Values only: no dialect, no waiting.

    play(question) -> Script      its deltas are told by a correct server, at its speed
    play(question) -> Answer      in bytes of its own

The second is for models that are not correct servers: faults, recordings.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

from services.upstream.rehearsal.clock import Clock
from services.upstream.rehearsal.pieces import pieces

Delta = Mapping[str, object]  # the `delta` of one chunk, one token: {"content": " mill"}


class Question(NamedTuple):
    """`text` is the last message of the user. `seed` is equal for equal model and messages."""

    text: str
    seed: int
    speed: float  # tokens per second, where the question does not ask for another
    clock: Clock

    @property
    def random(self) -> Random:
        return Random(self.seed)


class Script(NamedTuple):
    """`pause` is the time before the first token, in token times (9 are 150 ms at 60 tokens/s)."""

    deltas: Iterator[Delta]
    pause: float = 9.0
    speed: float | None = None
    reason: str = "stop"


class Answer(NamedTuple):
    """An HTTP answer. Nothing runs between the chunks: aclose() at any moment leaves nothing behind."""

    status: int
    headers: dict[str, str]
    chunks: AsyncGenerator[bytes, None]


Model = Callable[[Question], Script | Answer]


def say(text: str) -> Iterator[Delta]:
    return ({"content": piece} for piece in pieces(text))


def think(text: str) -> Iterator[Delta]:
    return ({"reasoning_content": piece} for piece in pieces(text))
