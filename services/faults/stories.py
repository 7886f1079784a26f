"""Faults in what a stream tells: its end, errors in its middle, frames too large, too many or too late. Whole frames in and out."""

import re
from collections.abc import Iterable, Iterator
from itertools import repeat

from services.faults import shapes
from services.faults.actions import Action, End, Kind, Stage, Write
from services.faults.frames import DONE, Watch, changed, closes, payload, with_payload

MILLION = 1_000_000
SEPARATORS = {b"2028": "\u2028", b"2029": "\u2029", b"0085": "\u0085"}

GARBAGE: dict[Kind, bytes] = {
    "events": b'data: {"choices":[{"del\n\n\x00\xff\xfe no field at all\n\nevent: \xf0\x9f\ndata: }{\n\n',
    "lines": b'{"message":{"cont\n\x00\xff\xfe\n}{\n',
    "other": b"",
}


def without_end() -> Stage:
    """Nothing that says how the answer ends."""
    watch = Watch()

    def stage(action: Action) -> Iterable[Action]:
        watch.see(action)
        return () if isinstance(action, Write) and watch.ending else (action,)

    return stage


def without_done() -> Stage:
    return changed(lambda frame, kind: () if payload(frame) in DONE else (frame,))


def end_twice() -> Stage:
    watch = Watch()
    last: list[Action] = []

    def stage(action: Action) -> Iterable[Action]:
        watch.see(action)
        if isinstance(action, Write) and watch.ending:
            last.append(action)
        return (*last, action) if isinstance(action, End) else (action,)

    return stage


def garbage_after() -> Stage:
    watch = Watch()

    def stage(action: Action) -> Iterable[Action]:
        watch.see(action)
        return (Write(GARBAGE[watch.kind]), action) if isinstance(action, End) else (action,)

    return stage


def text_after() -> Stage:
    """The last piece of text three times more, after the end, where the dialect has a last frame.

    Gemini's has none: a frame with a finishReason may be followed by others, and the answer ends with the connection. What came after it
    would be more of the answer, rightly shown, so this would not be a fault.
    """
    watch = Watch()
    closed = False

    def stage(action: Action) -> Iterable[Action]:
        nonlocal closed
        watch.see(action)
        closed = closed or (isinstance(action, Write) and closes(payload(action.data)))
        return (*repeat(Write(watch.latest), 3), action) if isinstance(action, End) and closed else (action,)

    return stage


def error_frame(family: str) -> Stage:
    """In the middle an error in this vendor's shape, and then the proper end of the response."""
    return _instead_of_the_middle(*shapes.told(family))


def error_event() -> Stage:
    return _instead_of_the_middle(b"error", shapes.MESSAGE.encode())


def _instead_of_the_middle(event: bytes, said: bytes) -> Stage:
    watch = Watch()

    def stage(action: Action) -> Iterable[Action]:
        watch.see(action)
        if not (isinstance(action, Write | End) and (watch.halfway or isinstance(action, End))):
            return (action,)
        name = b"event: " + event + b"\n" if event else b""
        return (Write(said + b"\n" if watch.kind == "lines" else name + b"data: " + said + b"\n\n"), End())

    return stage


def endless(millions: float) -> Stage:
    """Instead of the end the last piece of text, again and again."""
    watch = Watch()

    def stage(action: Action) -> Iterable[Action]:
        watch.see(action)
        if not (isinstance(action, Write | End) and (watch.ending or isinstance(action, End)) and watch.latest):
            return (action,)
        return _on_and_on(watch.latest, round(millions * MILLION))

    return stage


def _on_and_on(frame: bytes, most: int) -> Iterator[Action]:
    yield from repeat(Write(frame), most // len(frame))
    yield End("reset")


def giant(millions: float) -> Stage:
    """In the middle one frame with so much white space in its JSON, or as a comment where it is no JSON."""
    watch = Watch()
    told = False

    def stage(action: Action) -> Iterable[Action]:
        nonlocal told
        watch.see(action)
        if told or not (isinstance(action, Write) and watch.halfway):
            return (action,)
        told = True
        room, said = b" " * round(millions * MILLION), payload(action.data)
        if said.endswith(b"}"):
            return (Write(with_payload(action.data, watch.kind, said[:-1] + room + b"}")),)
        return (Write(b":" + room + b"\n"), action)

    return stage


def half_characters() -> Stage:
    """JSON can escape one half of a pair of surrogates; UTF-8 cannot say it."""

    def half(found: re.Match[bytes]) -> bytes:
        return b"\\u%04x" % (0xD800 + ((ord(found[0].decode()) - 0x10000) >> 10))

    return changed(lambda frame, kind: (re.sub(rb"[\xf0-\xf4][\x80-\xbf]{3}", half, frame),))


def raw_separators() -> Stage:
    """The characters at which some clients cut lines, as they are, where a careful server escapes them."""

    def raw(found: re.Match[bytes]) -> bytes:
        return found[1] + SEPARATORS[found[2]].encode()

    return changed(lambda frame, kind: (re.sub(rb"(?<!\\)((?:\\\\)*)\\u(2028|2029|0085)", raw, frame),))
