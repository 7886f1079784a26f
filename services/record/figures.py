"""What the times of a reply come to. Pure functions of its log and its record."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from services.events import Entry, PartDelta
from services.record.record import Record

BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)  # ms, upper bounds; the last bucket has none
STALL = 1000.0  # ms without a word are one, and so are STALLS times the usual gap if that is longer
STALLS = 10
SLICES = 60  # of the time, for the speed


class Figures(NamedTuple):
    """Times in ms, None where there are none. `gaps` are those between moments in which content came: p50, p95 and the longest.

    `histogram` counts them by BUCKETS. `stalls` are the moments before which nothing came for long, with their gaps. `bursts` are the
    moments that brought several deltas, `burst` how many the largest brought. `speed` is deltas per second in each of SLICES of the time
    from `first` to `last`.
    """

    headers: float | None
    first: float | None
    last: float | None
    deltas: int
    gaps: tuple[float, float, float] | None
    histogram: tuple[int, ...]
    stalls: tuple[tuple[float, float], ...]
    bursts: int
    burst: int
    speed: tuple[float, ...]


def figures(record: Record | None, entries: Sequence[Entry]) -> Figures:
    times = [entry.at for entry in entries if type(entry.event) is PartDelta]
    moments: list[float] = []
    counts: list[int] = []
    for at in times:
        if moments and moments[-1] == at:
            counts[-1] += 1
        else:
            moments.append(at)
            counts.append(1)
    gaps = [after - before for before, after in pairwise(moments)]
    ordered = sorted(gaps)
    histogram = [0] * (len(BUCKETS) + 1)
    for gap in gaps:
        histogram[bisect_left(BUCKETS, gap)] += 1
    long = max(STALL, STALLS * ordered[len(ordered) // 2]) if gaps else STALL
    stalls = tuple((moment, gap) for moment, gap in zip(moments[1:], gaps, strict=True) if gap >= long)
    return Figures(
        headers=_to_headers(record),
        first=moments[0] if moments else None,
        last=moments[-1] if moments else None,
        deltas=len(times),
        gaps=(_part(ordered, 0.5), _part(ordered, 0.95), ordered[-1]) if gaps else None,
        histogram=tuple(histogram),
        stalls=stalls,
        bursts=sum(count > 1 for count in counts),
        burst=max(counts, default=0),
        speed=_speed(times),
    )


def _to_headers(record: Record | None) -> float | None:
    """Of the request that was answered last."""
    answered = [each for each in record.exchanges if each.answered_at is not None] if record else []
    if not record or not answered or answered[-1].answered_at is None:
        return None
    return record.ms(answered[-1].answered_at) - record.ms(answered[-1].asked)


def _part(ordered: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _speed(times: Sequence[float]) -> tuple[float, ...]:
    if len(times) < 2 or times[-1] <= times[0]:
        return ()
    first, width = times[0], (times[-1] - times[0]) / SLICES
    counts = [0] * SLICES
    for at in times:
        counts[min(SLICES - 1, int((at - first) / width))] += 1
    return tuple(count * 1000 / width for count in counts)
