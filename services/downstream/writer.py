"""What a writer of a dialect is."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from services.errors import HeadraceError
from services.events import Entry, Started
from services.messages import Reply, Turn

Body = Mapping[str, Any]


class Writer(Protocol):
    """One instance writes one stream."""

    heartbeat: ClassVar[bytes]  # what this dialect's clients survive while there is nothing to say

    def __init__(self, started: Started, body: Body) -> None: ...

    @staticmethod
    def turn(body: Body) -> Turn:
        """What the client asks. Raises Invalid, naming the field and what was expected."""

    def write(self, entries: Sequence[Entry]) -> bytes:
        """The frames of these entries; may be empty. After the terminal entry the dialect's terminator is included."""

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes: ...

    @staticmethod
    def refusal(error: HeadraceError) -> bytes: ...
