"""What a recording means: the events that its dialect's reader makes of it, when each came, and the same as a script. No waiting.

heard(recording)            what a person is shown of it before it is kept
script(heard)               for telling it in another dialect; raises Unsayable where that would not be the same answer
"""

from collections.abc import Iterator
from typing import NamedTuple

from services.errors import LimitExceeded, UpstreamError
from services.events import Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Usage
from services.recordings.recording import Recording
from services.upstream import READERS
from services.upstream.refusals import refusal
from services.upstream.rehearsal.script import Arguments, Call, Delta, End, Fault, Say, Think, Used

REASONS: dict[str, End] = {"length": "length", "tool_calls": "tool_calls"}
PREFIXES = ("call_", "toolu_")  # each vendor's own: a teller gives its own
STATUS = 500  # of an error inside a stream that names none


class Heard(NamedTuple):
    """`events` with the ms at which they came; `refused` instead, where the status was another than 200."""

    events: list[tuple[float, Event]]
    refused: UpstreamError | None = None

    @property
    def end(self) -> Finished | Failed | None:
        last = self.events[-1][1] if self.events else None
        return last if isinstance(last, Finished | Failed) else None


class Told(NamedTuple):
    """A script with its times: each delta, and the ms at which it is due."""

    deltas: list[tuple[float, Delta]]
    end: End
    used: Used


class Unsayable(Exception):
    """`str(error)` names what it is, after "it has "."""


def heard(recording: Recording) -> Heard:
    if recording.status != 200:
        return Heard([], refusal(recording.status, recording.headers, recording.body))
    reader = READERS[recording.dialect]()
    events: list[tuple[float, Event]] = []
    try:
        for at, data in recording.reads:
            events += [(at, event) for event in reader.feed(data)]
        events += [(recording.end.at, event) for event in reader.finish()]
    except LimitExceeded as exc:
        events.append((recording.end.at, Failed(exc.code, exc.message)))
    return Heard(events)


def script(told: Heard) -> Told:
    deltas: list[tuple[float, Delta]] = []
    parts: dict[int, PartStarted] = {}
    texts: dict[int, list[str]] = {}
    end: End = "cut"
    used = Used()
    for at, event in told.events:
        match event:
            case PartStarted(number, kind):
                if kind not in ("text", "reasoning", "tool_call") or event.form == "encrypted":
                    raise Unsayable({"refusal": "a refusal", "opaque": "something of its vendor's own"}.get(kind, f"a part of kind {kind}"))
                parts[number], texts[number] = event, []
            case PartDelta(number, text) if parts[number].kind == "tool_call":
                texts[number].append(text)
            case PartDelta(number, text):
                deltas.append((at, Say(text) if parts[number].kind == "text" else Think(text)))
            case PartFinished(number, value) if parts[number].kind == "tool_call":
                if not isinstance(value, dict):
                    raise Unsayable("a tool call whose arguments are no JSON object")
                deltas += [(at, delta) for delta in _call(parts[number], "".join(texts[number]))]
            case Usage():
                used = Used(event.input_tokens, event.output_tokens, event.reasoning_tokens)
            case Finished(reason):
                if reason == "content_filter":
                    raise Unsayable("an end by a content filter")
                end = REASONS.get(reason, "stop")
            case Failed() if event.code != "truncated":
                end = Fault(event.status or STATUS, event.upstream or event.message, event.code)
    return Told(deltas, end, used)


def _call(part: PartStarted, arguments: str) -> Iterator[Delta]:
    """Whole, once it is complete: calls that grow side by side in one dialect come one after the other in the next."""
    id = part.id or ""
    for prefix in PREFIXES:
        id = id.removeprefix(prefix)
    yield Call(id, part.name or "")
    yield Arguments(arguments)
