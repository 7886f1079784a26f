"""Faults in the bytes of a stream, whatever they say: line ends, a byte order mark, compression, where they are cut, and their pace."""

import math
import zlib
from collections.abc import Callable, Iterable
from itertools import cycle

from services.faults.actions import Action, End, Head, Stage, Wait, Write
from services.faults.frames import cuts

BOM = b"\xef\xbb\xbf"
WRITES_A_SECOND = 200  # of a slow drip
BUFFER = 4_000_000  # bytes that a buffering proxy holds here

# Ends of a line and of the blank line after it. A CR that an LF follows would be one line end, so that pair is not here.
ENDS = ((b"\n", b"\n"), (b"\r\n", b"\r\n"), (b"\r", b"\r"), (b"\r\n", b"\r"), (b"\r", b"\r\n"), (b"\n", b"\r\n"), (b"\n", b"\r"))


def written(change: Callable[[bytes], Iterable[bytes]]) -> Stage:
    """A stage that makes other writes of each write."""

    def stage(action: Action) -> Iterable[Action]:
        return map(Write, change(action.data)) if isinstance(action, Write) else (action,)

    return stage


def line_ends(end: bytes) -> Stage:
    return written(lambda data: (data.replace(b"\r\n", b"\n").replace(b"\n", end),))


def mixed_line_ends() -> Stage:
    ends = cycle(ENDS)

    def mixed(data: bytes) -> Iterable[bytes]:
        field, blank = next(ends)
        data = data.replace(b"\r\n", b"\n")
        return (data.removesuffix(b"\n").replace(b"\n", field) + blank if data.endswith(b"\n\n") else data.replace(b"\n", field),)

    return written(mixed)


def bom() -> Stage:
    marks = [BOM]

    def marked(data: bytes) -> Iterable[bytes]:
        return (marks.pop() + data,) if marks else (data,)

    return written(marked)


def gzipped() -> Stage:
    """Compressed, though nobody asked for it, each write to be read at once."""
    packing = zlib.compressobj(wbits=31)

    def stage(action: Action) -> Iterable[Action]:
        match action:
            case Head(status, headers):
                return (Head(status, (*headers, (b"content-encoding", b"gzip"))),)
            case Write(data):
                return (Write(packing.compress(data) + packing.flush(zlib.Z_SYNC_FLUSH)),)
            case End("properly"):
                return (Write(packing.flush()), action)
        return (action,)

    return stage


def cut_every(size: int) -> Stage:
    return written(lambda data: _pieces(data, size))


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def cut_in_characters() -> Stage:
    return written(lambda data: cuts(rb"[\xc0-\xff]", data))


def cut_in_line_ends() -> Stage:
    """Between CR and LF; lines that end with LF alone get a CR."""
    return written(lambda data: cuts(rb"\r(?=\n)", data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")))


def cut_in_names() -> Stage:
    return written(lambda data: cuts(rb"(?:\A|(?<=[\r\n]))[a-z]{2}(?=[a-z]+:)", data))


def drip(rate: float) -> Stage:
    """`rate` in bytes per second, as few at a time as WRITES_A_SECOND allows."""
    size = math.ceil(rate / WRITES_A_SECOND)

    def stage(action: Action) -> Iterable[Action]:
        if not isinstance(action, Write):
            return (action,)
        return (part for piece in _pieces(action.data, size) for part in (Write(piece), Wait(len(piece) / rate)))

    return stage


def burst() -> Stage:
    """Head and body together, at the end, or when BUFFER is full."""
    held: list[Action] = []
    size = 0

    def stage(action: Action) -> Iterable[Action]:
        nonlocal size
        match action:
            case Head():
                held.append(action)
            case Write(data):
                size += len(data)
                held.append(action)
        if not isinstance(action, End) and size <= BUFFER:
            return () if isinstance(action, Head | Write) else (action,)
        heads: list[Action] = [each for each in held if isinstance(each, Head)]
        body = b"".join(each.data for each in held if isinstance(each, Write))
        held.clear()
        size = 0
        return (*heads, *([Write(body)] if body else []), *([action] if isinstance(action, End) else []))

    return stage
