"""What a journal is: it keeps the entries of a log safe, and only then lets readers see them."""

from collections.abc import Callable, Sequence
from typing import Protocol

from services.events import Entry


class Journal(Protocol):
    def append(self, log: str, entries: Sequence[Entry], kept: Callable[[int], None]) -> None:
        """Keep these entries of a log, in this order, and call `kept(last.seq)` once, on the event loop, when they are safe.

        Returns at once: many logs may share one commit, so the call to `kept` may come later. Calls for one log come in
        the order of its appends.
        """

    def drop(self, log: str) -> None:
        """Forget a log that was evicted."""
