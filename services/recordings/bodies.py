"""A body as it was saved, as a recording: the same bytes, cut into frames. Pure functions.

A body has no times of its own: its frames are given GAP from one to the next, and `timed` says that this is made up.
"""

import re
from itertools import pairwise
from typing import NamedTuple

from services.recordings.guess import Framing, Guess
from services.recordings.recording import EVENTS, LINES, Asked, End, Read, Recording

GAP = 20.0  # ms
# Two line ends in a row close an event, and each may be CR LF, LF or CR: the CR of a CR LF is no line end by itself.
_EVENT = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2,}")
_LINE = re.compile(rb"\n")
_MEDIA: dict[Framing, str] = {"events": EVENTS, "lines": LINES, "whole": "application/json"}


class Found(NamedTuple):
    """An answer. `what` tells it from others in the same file; `notes` say what was not understood, or is made up."""

    recording: Recording  # of no dialect ("") where nothing tells it
    guess: Guess
    what: str = ""
    notes: tuple[str, ...] = ()


def frames(body: bytes, framing: Framing) -> list[bytes]:
    """The same bytes, cut after each frame."""
    ends = _EVENT if framing == "events" else _LINE if framing == "lines" else None
    places = [0, *(found.end() for found in ends.finditer(body))] if ends else [0]
    if places[-1] < len(body):
        places.append(len(body))
    return [body[start:end] for start, end in pairwise(places)]


def untimed(body: bytes, framing: Framing) -> tuple[Read, ...]:
    return tuple(Read(round(number * GAP, 3), frame) for number, frame in enumerate(frames(body, framing)))


def recorded(
    guessed: Guess,
    reads: tuple[Read, ...],
    end: End,
    *,
    moment: str,
    timed: bool,
    status: int = 200,
    answered_at: float = 0.0,
    request: Asked | None = None,
) -> Recording:
    headers = {"content-type": _MEDIA.get(guessed.framing, "text/plain")}
    model = request.body.get("model", "") if request and request.body else ""
    named = model if isinstance(model, str) else ""
    return Recording(guessed.dialect or "", reads, end, status, headers, answered_at, named[:200], moment, timed, request)
