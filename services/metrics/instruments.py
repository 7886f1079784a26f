"""Counters and histograms, and their text as Prometheus reads it (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4)."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

MEDIA = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[str, ...]


class Family(NamedTuple):
    """One metric. `samples` are (suffix of the name, labels, value)."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: list[tuple[str, Mapping[str, str], float]]


class Counter:
    """`names` are those of its labels."""

    def __init__(self, name: str, help: str, *names: str) -> None:
        self._name, self._help, self._names = name, help, names
        self._values: dict[Labels, float] = {} if names else {(): 0}

    def add(self, *labels: str, by: float = 1) -> None:
        self._values[labels] = self._values.get(labels, 0) + by

    def family(self) -> Family:
        return Family(
            self._name, "counter", self._help, [("", dict(zip(self._names, labels, strict=True)), n) for labels, n in self._values.items()]
        )


def gauge(name: str, help: str, values: Mapping[Labels, float] | float, *names: str) -> Family:
    """What is at this moment."""
    known = values if isinstance(values, Mapping) else {(): values}
    return Family(name, "gauge", help, [("", dict(zip(names, labels, strict=True)), value) for labels, value in known.items()])


class Histogram:
    """Of seconds. `bounds` rise; what is above the last one is counted, too."""

    def __init__(self, name: str, help: str, bounds: tuple[float, ...], *names: str) -> None:
        self._name, self._help, self._bounds, self._names = name, help, bounds, names
        self._counts: dict[Labels, list[int]] = {} if names else {(): [0] * (len(bounds) + 1)}
        self._sums: dict[Labels, float] = {} if names else {(): 0.0}

    def see(self, value: float, *labels: str) -> None:
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def family(self) -> Family:
        return Family(self._name, "histogram", self._help, list(self._samples()))

    def _samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        for labels, counts in self._counts.items():
            named = dict(zip(self._names, labels, strict=True))
            total = 0
            for bound, count in zip((*self._bounds, float("inf")), counts, strict=True):
                total += count
                yield "_bucket", {**named, "le": _number(bound)}, total
            yield "_sum", named, self._sums.get(labels, 0.0)
            yield "_count", named, total


def exposition(families: Iterable[Family]) -> bytes:
    lines: list[str] = []
    for family in families:
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        for suffix, labels, value in family.samples:
            told = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{family.name}{suffix}{{{told}}} {_number(value)}" if told else f"{family.name}{suffix} {_number(value)}")
    return ("\n".join(lines) + "\n").encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return "+Inf" if value == float("inf") else f"{value:.15g}"
