"""What a journal is: it keeps the entries of a log safe, and only then lets readers see them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from services.events import Entry
from services.metrics.instruments import Family


class Kept(NamedTuple):
    """A finished log as a line in a list: its label, its last entry, and when it ended, in Unix seconds."""

    id: str
    label: bytes
    end: Entry
    ended: float


class Journal(Protocol):
    """One log's calls come in this order: begin append* [lost end] drop. Everything is called on the event loop."""

    @property
    def problem(self) -> str | None:
        """Why nothing can be kept now, as a sentence; None while all is well."""

    @property
    def size(self) -> int:
        """Bytes of all finished logs."""

    def begin(self, log: str, about: bytes, label: bytes, kept: Callable[[int], None], lost: Callable[[str], None]) -> None:
        """A new log. `about` comes back from `recall`, `label`, which is small, from `recent`; neither is looked into.

        Both are kept together with the first entries. `kept(seq)` is called, on the event loop, when everything up to the
        entry of this number is safe. `lost(sentence)` is called when entries of this log could not be
        kept for so long that they were given up: whatever `kept` was not called for is forgotten, and what is appended
        after that, too. The log then has to be closed with `end`.
        """

    def append(self, log: str, entries: Sequence[Entry], soon: bool = True) -> None:
        """Keep these entries of a log, in this order.

        Returns at once: many logs may share one commit, so the call to `kept` may come later, and once for several
        appends. Calls for one log come in the order of its appends. A terminal event finishes the log. `soon` is False
        where nobody waits for them this very moment.
        """

    def end(self, log: str, entries: Sequence[Entry]) -> None:
        """After `lost`: how the log ended, from the first entry that was not kept. Kept as soon as that is possible again."""

    async def recall(self, log: str) -> tuple[bytes, list[Entry]] | None:
        """What `begin` was told about a finished log, and all its entries. None: it is not here, or cannot be read."""

    def recent(self) -> list[Kept]:
        """All finished logs, the one that ended first first. To be called before anything begins."""

    def gone(self) -> list[str]:
        """The ids of logs that were dropped, the newest ones, the last one last."""

    def recover(self) -> list[str]:
        """Close what an earlier process left open, before anything begins. The ids of those logs; their entries are finished."""

    def drop(self, log: str) -> None:
        """Forget a finished log."""

    def figures(self) -> list[Family]:
        """What is counted of it, for who watches."""

    def close(self) -> None:
        """Keep everything that waits, then let go of the files. Blocks."""
