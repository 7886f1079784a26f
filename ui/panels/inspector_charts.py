"""Figures as pictures: SVG made of nothing but numbers."""

from collections.abc import Sequence

from services.record.figures import BUCKETS, Figures
from services.record.timeline import Row

WIDTH = 600
LANE = 18  # px


def axis(rows: Sequence[Row], figures: Figures) -> str:
    """Three lanes with a tick for each read, each moment with events and each write, over the whole time; stalls are shaded."""
    end = max((row.last for row in rows), default=0.0) or 1.0
    lanes: tuple[set[int], ...] = (set(), set(), set())
    for row in rows:
        at = _place(row.at, end)
        for lane, there in zip(lanes, (row.reads or row.notes, row.entries, row.writes), strict=True):
            if there:
                lane.add(at)
    shades = "".join(_shade(moment - gap, moment, end) for moment, gap in figures.stalls)
    paths = "".join(
        f'<path class="hr-lane-{lane}" d="{"".join(f"M{at} {lane * LANE + 3}v{LANE - 6}" for at in sorted(ticks))}"/>'
        for lane, ticks in enumerate(lanes)
    )
    return f'<svg viewBox="0 0 {WIDTH} {3 * LANE}" preserveAspectRatio="none" aria-hidden="true">{shades}{paths}</svg>'


def _place(at: float, end: float) -> int:
    return round(min(1.0, at / end) * (WIDTH - 2)) + 1


def _shade(start: float, stop: float, end: float) -> str:
    x = _place(start, end)
    return f'<rect class="hr-stall" x="{x}" y="0" width="{max(1, _place(stop, end) - x)}" height="{3 * LANE}"/>'


def histogram(figures: Figures) -> str:
    """How many gaps there are of each length; under every second bar its upper bound in ms."""
    most = max(figures.histogram, default=0) or 1
    bars = []
    for number, count in enumerate(figures.histogram):
        tall = max(1.5, count / most * 40) if count else 0
        bars.append(f'<rect x="{number * 20 + 2}" y="{42 - tall:.1f}" width="16" height="{tall:.1f}"/>')
        if number % 2:
            bound = str(BUCKETS[number]) if number < len(BUCKETS) else "∞"
            bars.append(f'<text x="{number * 20 + 10}" y="54">{bound}</text>')
    return f'<svg viewBox="0 0 {len(figures.histogram) * 20} 58" aria-hidden="true">{"".join(bars)}</svg>'


def speed(figures: Figures) -> str:
    """Deltas per second over the time."""
    if not figures.speed:
        return '<svg viewBox="0 0 240 58" aria-hidden="true"></svg>'
    most, step = max(figures.speed), 240 / len(figures.speed)
    points = "".join(
        f"L{number * step:.1f} {54 - each / most * 50:.1f}H{(number + 1) * step:.1f}" for number, each in enumerate(figures.speed)
    )
    return f'<svg viewBox="0 0 240 58" preserveAspectRatio="none" aria-hidden="true"><path d="M0 54{points}V54Z"/></svg>'
