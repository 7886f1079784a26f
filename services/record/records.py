"""The records of all generations. They are bounded together: the oldest ones go first, whether their generations run or not."""

from collections import OrderedDict
from typing import NamedTuple

from services.record.record import RECORD, Record


class Bounds(NamedTuple):
    """Bytes."""

    of_one: int = 16_000_000
    in_all: int = 64_000_000


BOUNDS = Bounds()


class Records:
    """`on` may be False: then nothing is ever kept."""

    def __init__(self, bounds: Bounds = BOUNDS, *, on: bool = True) -> None:
        self._on = on
        self._bounds = bounds
        self._records: OrderedDict[str, Record] = OrderedDict()
        self.size = 0

    @property
    def on(self) -> bool:
        return self._on

    def begin(self, id: str, began: float) -> Record | None:
        """`began` on the monotonic clock. None when nothing is kept."""
        if not self._on:
            return None
        record = self._records[id] = Record(began, min(self._bounds), self._grown)
        record.takes(RECORD)
        return record

    def get(self, id: str) -> Record | None:
        """None: nothing was kept of it, or not any more."""
        return self._records.get(id)

    def forget(self, id: str) -> None:
        if record := self._records.pop(id, None):
            self.size -= record.size
            record.drop()

    def _grown(self, weight: int) -> None:
        self.size += weight
        while self.size > self._bounds.in_all:
            self.forget(next(iter(self._records)))
