"""What a model of the rehearsal is given and what it gives back. Values only: no dialect, no waiting.

    play(question) -> Script      its deltas are told by a correct server, in the dialect that was asked in, at its speed
    play(question) -> Fault       refused, before any byte
    play(question) -> Answer      in bytes of its own

The last is for models that are not correct servers: faults, recordings.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from random import Random
from typing import Literal, NamedTuple

from services.upstream.rehearsal.clock import Clock
from services.upstream.rehearsal.pieces import pieces


class Say(NamedTuple):
    text: str


class Think(NamedTuple):
    text: str


class Call(NamedTuple):
    """A tool call begins. `id` without the prefix that a vendor gives it, such as `call_`."""

    id: str
    name: str


class Arguments(NamedTuple):
    """A fragment of the JSON arguments of the call that began last."""

    text: str


Delta = Say | Think | Call | Arguments  # one token each


class Fault(NamedTuple):
    """An error in HTTP's terms; a dialect finds its own words for the status. `retry_after` in seconds."""

    status: int
    message: str
    code: str | None = None
    retry_after: int | None = None


End = Literal["stop", "length", "tool_calls", "cut"] | Fault  # cut: the bytes just end


class Question(NamedTuple):
    """`text` is the last message of the user. `seed` is equal for equal model and messages.

    `results` are what tools answered since that message.
    """

    text: str
    seed: int
    speed: float  # tokens per second, where the question does not ask for another
    clock: Clock
    results: tuple[str, ...] = ()

    @property
    def random(self) -> Random:
        return Random(self.seed)


class Used(NamedTuple):
    """What usage says instead of a count of the pieces. `output` with the thoughts. None: counted."""

    input: int | None = None
    output: int | None = None
    reasoning: int | None = None


class Script(NamedTuple):
    """`pause` is the time before the first token, in token times (9 are 150 ms at 60 tokens/s)."""

    deltas: Iterator[Delta]
    pause: float = 9.0
    speed: float | None = None
    end: End = "stop"
    used: Used = Used()


class Answer(NamedTuple):
    """An HTTP answer. Nothing runs between the chunks: aclose() at any moment leaves nothing behind."""

    status: int
    headers: dict[str, str]
    chunks: AsyncGenerator[bytes, None]


Model = Callable[[Question], Script | Fault | Answer]


def say(text: str) -> Iterator[Delta]:
    return map(Say, pieces(text))


def think(text: str) -> Iterator[Delta]:
    return map(Think, pieces(text))


def call(id: str, name: str, arguments: str) -> Iterator[Delta]:
    yield Call(id, name)
    yield from map(Arguments, pieces(arguments))


class Called(NamedTuple):
    """A tool call that is complete."""

    id: str
    name: str
    arguments: str


def parts(deltas: Iterable[Delta]) -> list[Say | Think | Called]:
    """The same as whole texts and whole calls."""
    told: list[Say | Think | Called] = []
    for delta in deltas:
        match delta, told[-1] if told else None:
            case Call(id, name), _:
                told.append(Called(id, name, ""))
            case Arguments(text), Called(id, name, before):
                told[-1] = Called(id, name, before + text)
            case Say(text), Say(before):
                told[-1] = Say(before + text)
            case Think(text), Think(before):
                told[-1] = Think(before + text)
            case (Say() | Think()) as first, _:
                told.append(first)
    return told


def joined(deltas: Iterable[Delta], kind: type[Say] | type[Think]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, kind))


def after(deltas: Iterable[Delta], begun: str) -> Iterator[Delta]:
    """What comes after `begun` in an answer; all from where it says something else. What was thought before its words is over."""
    for delta in deltas:
        if not begun:
            yield delta
        elif isinstance(delta, Say):
            if begun.startswith(delta.text) and begun != delta.text:
                begun = begun.removeprefix(delta.text)
                continue
            rest, begun = delta.text.removeprefix(begun), ""
            if rest:
                yield Say(rest)
