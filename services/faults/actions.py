"""What an answer is made of on its way out, and what may happen to it. Values only.

An answer that nothing happens to is Asked, Head, any number of Write, End("properly").
"""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

Kind = Literal["events", "lines", "other"]
Ending = Literal["properly", "unfinished", "reset", "half"]
Headers = tuple[tuple[bytes, bytes], ...]

_KINDS: dict[bytes, Kind] = {b"text/event-stream": "events", b"application/x-ndjson": "lines"}


class Asked(NamedTuple):
    """The request is there, and nobody has looked at it."""


class Head(NamedTuple):
    status: int
    headers: Headers

    @property
    def kind(self) -> Kind:
        """Server-sent events, lines of JSON, or bytes of another kind."""
        media = dict(self.headers).get(b"content-type", b"").partition(b";")[0].strip()
        return _KINDS.get(media, "other")


class Write(NamedTuple):
    """Bytes of the body, sent in one write."""

    data: bytes


class Wait(NamedTuple):
    seconds: float


class End(NamedTuple):
    """properly: with the last chunk. unfinished: the connection is closed without it. reset: RST. half: FIN, and the connection
    stays open in the other direction."""

    how: Ending = "properly"


Action = Asked | Head | Write | Wait | End
Stage = Callable[[Action], Iterable[Action]]  # one action in, what becomes of it out; made for one answer


class Chain:
    """Stages one after the other. Who does the actions stops at the first End: what a stage would say after it is never made."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._stages = list(stages)

    def feed(self, action: Action) -> Iterable[Action]:
        """Lazily, because a stage may go on for ever."""
        return self._through(0, action)

    def _through(self, at: int, action: Action) -> Iterable[Action]:
        if at == len(self._stages):
            yield action
        else:
            for each in self._stages[at](action):
                yield from self._through(at + 1, each)
