"""Faults in how frames are written, all of them allowed by the format: comments, ids, blank lines, data in several lines."""

import re
from collections.abc import Callable, Iterable
from itertools import count

import msgspec

from services.faults.actions import Action, End, Kind, Stage, Write
from services.faults.frames import Watch, changed, payload, with_payload


def comments() -> Stage:
    return changed(lambda frame, kind: (b": keep-alive\n\n", b": inside of an event\n" + frame))


def blank_lines() -> Stage:
    return changed(lambda frame, kind: (b"\n\n", frame))


def empty_data() -> Stage:
    return changed(lambda frame, kind: (b"data:\n\n", b"data\n\n", frame))


def ids(number: Callable[[int], int]) -> Stage:
    """An id in every frame, in the place of its own one; `number` makes it of the frame's place, from 1."""
    places = count(1)

    def numbered(frame: bytes, kind: Kind) -> Iterable[bytes]:
        return (b"id: %d\n" % number(next(places)) + re.sub(rb"(?m)^id:.*\n", b"", frame),)

    return changed(numbered)


def lines_of_data() -> Stage:
    """JSON laid out over several lines of data."""

    def laid_out(frame: bytes, kind: Kind) -> Iterable[bytes]:
        try:
            return (with_payload(frame, kind, msgspec.json.format(payload(frame), indent=2)),)
        except msgspec.DecodeError:
            return (frame,)

    return changed(laid_out)


def without_space() -> Stage:
    """`data:{` for `data: {`; where the data begins with a space itself, the other one stays."""
    return changed(lambda frame, kind: (re.sub(rb"(?m)^([a-z]+:) (?! )", rb"\1", frame),))


def without_last_line_end() -> Stage:
    """The last frame is not closed. From the end on, line ends are held back until something follows."""
    watch = Watch()
    held = b""

    def stage(action: Action) -> Iterable[Action]:
        nonlocal held
        watch.see(action)
        if not (isinstance(action, Write) and watch.ending):
            return (action,) if isinstance(action, End) or not held else (Write(held), action)
        data, held = held + action.data.removesuffix(b"\n"), b"\n"
        return (Write(data),)

    return stage
