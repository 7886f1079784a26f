"""What a writer of a dialect is: the frame that all of them share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from services.errors import HeadraceError
from services.events import Entry, Started, Usage
from services.messages import Reply, Turn
from services.wire.sse import comment

Body = Mapping[str, Any]


class Writer(ABC):
    """One instance writes one stream."""

    media: ClassVar[bytes] = b"text/event-stream; charset=utf-8"
    headers: ClassVar[tuple[tuple[bytes, bytes], ...]] = ()  # of a stream, besides its media type
    streams: ClassVar[bool] = False  # what a request means that does not say `stream`
    heartbeat: ClassVar[bytes] = comment("")  # what this dialect's clients survive while there is nothing to say

    @abstractmethod
    def __init__(self, started: Started, body: Body) -> None: ...

    @staticmethod
    @abstractmethod
    def turn(body: Body) -> Turn:
        """What the client asks. Raises Invalid, naming the field and what was expected."""

    def write(self, entries: Sequence[Entry]) -> bytes:
        """The frames of these entries; may be empty. After the terminal entry the dialect's terminator is included."""
        if len(entries) == 1:
            return self._frame(entries[0])
        return b"".join([self._frame(entry) for entry in entries])

    @abstractmethod
    def _frame(self, entry: Entry) -> bytes: ...

    @staticmethod
    @abstractmethod
    def whole(reply: Reply, body: Body) -> bytes:
        """The same answer as one JSON object."""

    @staticmethod
    @abstractmethod
    def refusal(error: HeadraceError) -> bytes:
        """An error before the first byte."""


def output_tokens(usage: Usage) -> int | None:
    """The output with its reasoning among it, which is how all clients' dialects count. None when nobody said.

    Gemini and xAI count it apart; their total tells.
    """
    said, thought = usage.output_tokens or 0, usage.reasoning_tokens or 0
    if thought and usage.total_tokens == (usage.input_tokens or 0) + said + thought:
        return said + thought
    return usage.output_tokens


def as_object(value: object, text: str) -> dict[str, Any]:
    """A tool call's arguments for dialects that know them as an object only. What is none is kept under the name that
    Anthropic's own documentation gives it."""
    if isinstance(value, dict):
        return value
    return {"INVALID_JSON": text} if text.strip() else {}
