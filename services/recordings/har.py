"""What browsers and proxies save of a page's traffic (HTTP Archive 1.2): the answers of model servers in it. Pure functions.

Times are the archive's own where it has them for each message (Chrome's `_eventSourceMessages`); else it tells when an answer began
and ended, and its frames are spread evenly in between.
"""

from base64 import b64decode
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from services.errors import Invalid
from services.recordings.bodies import Found, frames, recorded
from services.recordings.guess import Guess, guess
from services.recordings.recording import EVENTS, LINES, Asked, End, Read

ENTRIES = 10_000
SPREAD = "The archive tells when the answer began and ended, not when each piece came: they are spread evenly."
UNTOLD = "Nothing in it tells its dialect: choose one."
STREAMS = (EVENTS, LINES, "application/jsonl", "application/json-lines", "application/jsonlines", "application/stream+json")


class Post(msgspec.Struct):
    text: str | None = None


class Requested(msgspec.Struct, rename="camel"):
    url: str
    method: str = ""
    post_data: Post | None = None


class Content(msgspec.Struct, rename="camel"):
    text: str | None = None
    mime_type: str = ""
    encoding: str | None = None


class Responded(msgspec.Struct):
    content: Content
    status: int = 0


class Timings(msgspec.Struct):
    """Milliseconds; -1 is not known."""

    send: float | None = None
    wait: float | None = None
    receive: float | None = None


class Message(msgspec.Struct, rename="camel"):
    """Of an EventSource, as Chrome saves it; `time` in Unix seconds."""

    time: float = 0.0
    event_name: str = ""
    event_id: str = ""
    data: str = ""


class Line(msgspec.Struct, rename="camel"):
    request: Requested
    response: Responded
    timings: Timings = msgspec.field(default_factory=Timings)
    started_date_time: str = ""
    messages: list[Message] = msgspec.field(name="_eventSourceMessages", default_factory=list)


class Log(msgspec.Struct):
    entries: list[Any]


class HAR(msgspec.Struct):
    log: Log


def read(body: bytes) -> Log | None:
    """None: it is no archive."""
    if b'"entries"' not in body:
        return None
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=HAR).log
    except (msgspec.DecodeError, RecursionError):
        return None


def find(log: Log) -> list[Found]:
    """The answers that stream, and other JSON that a model server may have said. Raises Invalid when there is none."""
    found, empty, odd = [], 0, 0
    for entry in log.entries[:ENTRIES]:
        try:
            line = msgspec.convert(entry, Line)
            one = _answer(line)
        except (msgspec.ValidationError, ValueError):
            odd += 1
            continue
        if one:
            found.append(one)
        elif _is_stream(line):
            empty += 1
    if not found:
        lacks = f" {empty} that streamed were saved without their bodies." if empty else ""
        raise Invalid(f"No answer of a model server is in this archive of {len(log.entries):,} requests.{lacks}")
    notes: tuple[str, ...] = (f"{empty} answers that streamed were saved without their bodies.",) if empty else ()
    notes += (f"{odd} entries are not as HTTP Archive has them, and were left out.",) if odd else ()
    return [one._replace(notes=(*one.notes, *notes)) for one in found]


def _is_stream(line: Line) -> bool:
    return line.response.content.mime_type.partition(";")[0].strip().lower() in STREAMS


def _answer(line: Line) -> Found | None:
    """Raises ValueError for a body that is not as it says."""
    content = line.response.content
    body = b64decode(content.text or "", validate=True) if content.encoding == "base64" else (content.text or "").encode()
    if not body and line.messages:
        return _of_messages(line)
    if not body:
        return None
    guessed = guess(body)
    if guessed.framing == "unknown" or not (_is_stream(line) or guessed.dialect):
        return None
    begins = _known(line.timings.send) + _known(line.timings.wait)
    ends = begins + _known(line.timings.receive)
    cut = frames(body, guessed.framing)
    step = (ends - begins) / max(1, len(cut) - 1)
    reads = tuple(Read(round(begins + number * step, 3), frame) for number, frame in enumerate(cut))
    return _found(line, guessed, reads, max(ends, reads[-1].at), timed=False)


def _of_messages(line: Line) -> Found:
    began = datetime.fromisoformat(line.started_date_time.replace("Z", "+00:00")).timestamp()
    reads, latest = [], 0.0
    for message in line.messages:
        named = f"event: {message.event_name}\n" if message.event_name not in ("", "message") else ""
        numbered = f"id: {message.event_id}\n" if message.event_id else ""
        data = "".join(f"data: {each}\n" for each in message.data.split("\n"))
        latest = max(latest, round((message.time - began) * 1000, 3))
        reads.append(Read(latest, f"{numbered}{named}{data}\n".encode()))
    guessed = guess(b"".join(read.data for read in reads))
    return _found(line, guessed, tuple(reads), latest, timed=True)


def _found(line: Line, guessed: Guess, reads: tuple[Read, ...], ends: float, *, timed: bool) -> Found:
    path = urlsplit(line.request.url).path or "/"
    try:
        asked = msgspec.json.decode(line.request.post_data.text or "") if line.request.post_data else None
    except (msgspec.DecodeError, RecursionError):
        asked = None
    request = Asked(path, asked if isinstance(asked, dict) else None)
    status = line.response.status if 100 <= line.response.status <= 599 else 200
    made = recorded(
        guessed,
        reads,
        End(ends),
        moment=line.started_date_time[:40],
        timed=timed,
        status=status,
        answered_at=reads[0].at,
        request=request,
    )
    notes = (() if timed else (SPREAD,)) + (() if guessed.dialect else (UNTOLD,))
    return Found(made, guessed, f"{line.request.method} {path} → {line.response.status}"[:200], notes)


def _known(ms: float | None) -> float:
    return ms if ms is not None and 0 < ms < 86_400_000 else 0.0
