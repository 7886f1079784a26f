"""Faults at a moment: a pause, or the end of the connection, before the first byte, after the headers, in the middle, at the end."""

from collections.abc import Iterable
from typing import Literal, get_args

from services.faults.actions import Action, End, Head, Stage, Wait, Write
from services.faults.frames import Watch

Moment = Literal["first-byte", "headers", "middle", "end"]
MOMENTS: tuple[Moment, ...] = get_args(Moment)

WORDS: dict[Moment, str] = {
    "first-byte": "before the first byte",
    "headers": "after the headers",
    "middle": "in the middle, within a frame",
    "end": "after the last frame, before the end of the response",
}


def at(moment: Moment, then: Wait | End) -> Stage:
    """The middle is half of the third frame with text; of a body without frames, half of its first bytes."""
    watch = Watch()
    over = False

    def stage(action: Action) -> Iterable[Action]:
        nonlocal over
        watch.see(action)
        match moment, action:
            case "first-byte", Head():
                return (then, action)
            case "headers", Head():
                return (action, then)
            case "middle", Write(data) if watch.halfway and not over and len(data) > 1:
                over = True
                return (Write(data[: len(data) // 2]), then, Write(data[len(data) // 2 :]))
            case "middle", End() if not over:
                return (then, action)
            case "end", End():
                return (then, action)
        return (action,)

    return stage
