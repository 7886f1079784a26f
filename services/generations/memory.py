"""The journal of throw-away use: entries end with the process."""

from collections.abc import Callable, Sequence

from services.events import Entry, Failed, Finished
from services.generations.journal import Kept
from services.metrics.instruments import Family

ENDS = (Finished, Failed)
ENTRY = 250  # bytes, about, of one entry in memory


class MemoryJournal:
    problem: str | None = None

    def __init__(self) -> None:
        self.size = 0
        self._abouts: dict[str, bytes] = {}
        self._entries: dict[str, list[Entry]] = {}
        self._kept: dict[str, Callable[[int], None]] = {}

    def begin(self, log: str, about: bytes, label: bytes, kept: Callable[[int], None], lost: Callable[[str], None]) -> None:
        self._abouts[log] = about
        self._entries[log] = []
        self._kept[log] = kept

    def append(self, log: str, entries: Sequence[Entry], soon: bool = True) -> None:
        self._entries[log] += entries
        kept = self._kept[log]
        if type(entries[-1].event) in ENDS:
            self.size += self._weight(log)
            del self._kept[log]
        kept(entries[-1].seq)

    def end(self, log: str, entries: Sequence[Entry]) -> None:
        self._entries[log] += entries

    async def recall(self, log: str) -> tuple[bytes, list[Entry]] | None:
        return (self._abouts[log], self._entries[log]) if log in self._abouts else None

    def recent(self) -> list[Kept]:
        return []

    def gone(self) -> list[str]:
        return []

    def recover(self) -> list[str]:
        return []

    def drop(self, log: str) -> None:
        if log in self._abouts:
            self.size -= self._weight(log)
            del self._abouts[log], self._entries[log]

    def figures(self) -> list[Family]:
        return []

    def close(self) -> None:
        pass

    def _weight(self, log: str) -> int:
        return len(self._abouts[log]) + ENTRY * len(self._entries[log])
