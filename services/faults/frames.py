"""A stream cut into its frames, and what a frame is: does it carry text, does it end the answer? In every dialect there is here."""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import msgspec

from services.faults.actions import Action, End, Head, Kind, Stage, Write

DONE = (b"[DONE]", b"DONE")
TERMINAL = {"message_stop", "response.completed", "response.incomplete", "response.failed", "finish", "end", "failed", "error"}
SAYING = {"content", "text", "delta", "response", "thinking", "reasoning", "reasoning_content", "arguments", "partial_json"}
CONTENT_BEFORE_THE_MIDDLE = 2  # frames


class Framing:
    """What was sent together comes frame by frame, its lines ended by LF; a length that was promised is not kept.

    `cut` is the first stage of all. `restore` gives back the line ends there were (Google's servers send CR LF).
    """

    def __init__(self) -> None:
        self._kind: Kind = "other"
        self._rest = b""
        self._crlf = False

    def cut(self, action: Action) -> Iterable[Action]:
        match action:
            case Head(status, headers):
                self._kind = action.kind
                yield Head(status, tuple(header for header in headers if header[0].lower() != b"content-length"))
            case Write(data) if self._kind != "other":
                self._rest += data
                if b"\r\n" in self._rest:
                    self._crlf = True
                    self._rest = self._rest.replace(b"\r\n", b"\n")
                while end := _first_frame(self._rest, self._kind):
                    yield Write(self._rest[:end])
                    self._rest = self._rest[end:]
            case End():
                if self._rest:
                    yield Write(self._rest)
                yield action
            case _:
                yield action

    def restore(self, action: Action) -> Iterable[Action]:
        return (Write(action.data.replace(b"\n", b"\r\n")),) if self._crlf and isinstance(action, Write) else (action,)


def _first_frame(data: bytes, kind: str) -> int:
    """Where it ends; 0 while it has not. A comment alone is a frame here: a heartbeat must not wait for what follows it."""
    end = b"\n\n" if kind == "events" and not data.startswith(b":") else b"\n"
    return data.find(end) + len(end) if end in data else 0


def changed(change: Callable[[bytes, Kind], Iterable[bytes]]) -> Stage:
    """A stage that makes other frames of each frame with a payload."""
    kind: Kind = "other"

    def stage(action: Action) -> Iterable[Action]:
        nonlocal kind
        if isinstance(action, Head):
            kind = action.kind
        if isinstance(action, Write) and kind != "other" and payload(action.data):
            yield from map(Write, change(action.data, kind))
        else:
            yield action

    return stage


class Watch:
    """Follows an answer: is its middle reached, does it end?"""

    def __init__(self) -> None:
        self.kind: Kind = "other"
        self.ending = False
        self.latest = b""  # the last frame that said something before the end
        self._said = 0

    def see(self, action: Action) -> None:
        if isinstance(action, Head):
            self.kind = action.kind
        elif isinstance(action, Write):
            said = payload(action.data) if self.kind != "other" else action.data
            self.ending = self.ending or ends(said)
            if not self.ending and (self.kind == "other" or says(said)):
                self._said += 1
                self.latest = action.data

    @property
    def halfway(self) -> bool:
        """The frame seen last is the one in the middle, or comes after it."""
        return self.ending or self._said > (CONTENT_BEFORE_THE_MIDDLE if self.kind != "other" else 0)


def payload(frame: bytes) -> bytes:
    """The data of an event, or the text of a line; nothing of a comment or a blank line."""
    if frame.lstrip().startswith(b"{"):
        return frame.strip()
    data = [line[5:].removeprefix(b" ") for line in frame.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(data)


def with_payload(frame: bytes, kind: Kind, new: bytes) -> bytes:
    """The same frame with other data, which may have several lines."""
    if kind == "lines":
        return new + b"\n"
    rest = [line + b"\n" for line in frame.split(b"\n") if line and not line.startswith(b"data:")]
    return b"".join([*rest, *(b"data: " + line + b"\n" for line in new.split(b"\n")), b"\n"])


def says(said: bytes) -> bool:
    """It carries a piece of text, of reasoning, or of a tool call."""
    try:
        value = msgspec.json.decode(said)
    except msgspec.DecodeError:
        return bool(said) and said not in DONE
    return _says(value)


def _says(value: Any) -> bool:
    match value:
        case dict():
            return any((key in SAYING and isinstance(inner, str) and inner != "") or _says(inner) for key, inner in value.items())
        case list():
            return any(map(_says, value))
    return False


def ends(said: bytes) -> bool:
    """It is the first or a later one of the frames that say how the answer ends."""
    if said in DONE:
        return True
    match _value(said):
        case {"choices": [{"finish_reason": str()}, *_]} | {"candidates": [{"finishReason": str()}, *_]} | {"done": True}:
            return True
        case {"type": "message_delta", "delta": {"stop_reason": str()}}:
            return True
        case {"type": str(type)}:
            return type in TERMINAL
    return False


def closes(said: bytes) -> bool:
    """It is the very last frame of its dialect; Gemini's has none."""
    value = _value(said)
    return said in DONE or (isinstance(value, dict) and (value.get("done") is True or value.get("type") in TERMINAL))


def _value(said: bytes) -> Any:
    """None for what is no JSON."""
    try:
        return msgspec.json.decode(said)
    except msgspec.DecodeError:
        return None


def cuts(pattern: bytes, data: bytes) -> list[bytes]:
    """The data in pieces, cut at the end of each match."""
    places = [0, *(found.end() for found in re.finditer(pattern, data)), len(data)]
    return [data[start:end] for start, end in pairwise(places) if start < end]
