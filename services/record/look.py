"""What a viewer sees of pieces: each by its number, keys masked, frames counted."""

from itertools import accumulate

from services.record.record import Exchange, Reader


class Look:
    """Of one exchange or one reader; what has come since is taken in when it is asked for."""

    def __init__(self, of: Exchange | Reader) -> None:
        self._of = of
        self._pieces = of.reads if isinstance(of, Exchange) else of.writes
        self._ends: list[int] = []
        self._whole = b""

    def __getitem__(self, number: int) -> bytes:
        """Nothing for one that had to make room."""
        start, end = self._span(number)
        return self._whole[start:end]

    def frames(self, number: int) -> int:
        """How many frames end in it."""
        start, end = self._span(number)
        separators = self._of.separators if isinstance(self._of, Exchange) else ()
        return sum(self._whole.count(each, max(0, start - len(each) + 1), end) for each in separators)

    def _span(self, number: int) -> tuple[int, int]:
        if len(self._ends) <= number < len(self._pieces):
            self._whole = self._pieces.whole()
            self._ends = list(accumulate(map(len, self._pieces.data)))
        if number >= len(self._ends):
            return 0, 0
        return self._ends[number - 1] if number else 0, self._ends[number]
