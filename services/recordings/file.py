"""The file of a recording: JSON Lines, so that it is read, compared and changed with any tool, in any language. No I/O here.

    {"headrace": 1, "dialect": "openai_chat", "status": 200, "headers": {"content-type": "text/event-stream"}, ...}
    [412.5, "data: {...}\\n\\n"]             a read: milliseconds since the request was sent, and its text
    [430.1, "4pyTIGRh", "base64"]           one that is not UTF-8 by itself, such as half a character

docs/recordings.md describes it for others. Version 1 is for ever: what is added later may be left out.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec

from services.errors import Invalid
from services.recordings.recording import HEADERS, Asked, End, Read, Recording
from services.wire.sse import one_line

VERSION = 1
DIALECTS = ("openai_chat", "openai_responses", "openai_completions", "anthropic", "gemini", "ollama", "ollama_generate")
LONGEST = 86_400_000.0  # ms: a day
READS = 250_000

Moment = Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]
Plain = tuple[Moment, str]
Encoded = tuple[Moment, str, Literal["base64"]]


class Head(msgspec.Struct, omit_defaults=True):
    """The first line. Unknown keys are left alone."""

    headrace: int
    dialect: str
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] = 200
    headers: dict[str, str] = {}
    answered_at: Moment = 0.0
    end: End | None = None
    model: str = ""
    recorded: str = ""
    timed: bool = True
    request: Asked | None = None


_HEAD = msgspec.json.Decoder(Head)
_LINE = msgspec.json.Decoder(list[Any])


def encode(recording: Recording) -> bytes:
    head = Head(
        VERSION,
        recording.dialect,
        recording.status,
        dict(recording.headers),
        recording.answered_at,
        recording.end,
        recording.model,
        recording.recorded,
        recording.timed,
        recording.request,
    )
    lines = [msgspec.json.encode(head), *(msgspec.json.encode(_line(read)) for read in recording.reads)]
    return b"".join(one_line(line) + b"\n" for line in lines)


def _line(read: Read) -> Plain | Encoded:
    try:
        return read.at, read.data.decode()
    except UnicodeDecodeError:
        return read.at, b64encode(read.data).decode(), "base64"


def is_ours(body: bytes) -> bool:
    """It begins like a file of ours."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:12].replace(b" ", b"").startswith(b'{"headrace"')


def head_of(first: bytes) -> Head:
    """What the first line of a file says. Raises Invalid."""
    try:
        head = _HEAD.decode(first.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError) as exc:
        raise Invalid(f"Line 1 is not the head of a recording: {exc}.") from exc
    if head.headrace != VERSION:
        raise Invalid(f"Line 1: this is version {head.headrace} of the format; this Headrace reads version {VERSION}.")
    if head.dialect not in DIALECTS:
        raise Invalid(f"Line 1: there is no dialect {head.dialect[:40]!r}: {', '.join(DIALECTS)}.")
    return head


def decode(body: bytes) -> Recording:
    """Raises Invalid, naming the line."""
    first, *rest = body.split(b"\n")
    head = head_of(first)
    reads = tuple(_reads(rest))
    for before, after in pairwise(reads):
        if after.at < before.at:
            raise Invalid(f"A read at {after.at:g} ms comes after one at {before.at:g} ms: times may not go back.")
    last = reads[-1].at if reads else head.answered_at
    end = head.end or End(last)
    if not 0 <= end.at <= LONGEST:
        raise Invalid("Line 1: `end.at` is no number of milliseconds within a day.")
    headers = {name.lower(): value for name, value in head.headers.items() if name.lower() in HEADERS}
    if any(not value.isprintable() or not value.isascii() for value in headers.values()):
        raise Invalid("Line 1: a header may have printable ASCII characters only.")
    return Recording(
        head.dialect,
        reads,
        end if end.at >= last else End(last, end.how),
        head.status,
        headers,
        min(head.answered_at, reads[0].at) if reads else head.answered_at,
        head.model[:200],
        head.recorded[:40],
        head.timed,
        head.request,
    )


def _reads(lines: Iterable[bytes]) -> Iterable[Read]:
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            match _LINE.decode(line):
                case [int() | float() as at, str(text)]:
                    data = text.encode()
                case [int() | float() as at, str(text), "base64"]:
                    data = b64decode(text, validate=True)
                case _:
                    raise ValueError('expected [ms, "text"] or [ms, "...", "base64"]')
        except (ValueError, RecursionError) as exc:
            raise Invalid(f"Line {number} is no read: {exc}.") from exc
        if not 0 <= at <= LONGEST:
            raise Invalid(f"Line {number}: {at:g} is no number of milliseconds within a day.")
        if data:
            yield Read(float(at), data)
        if number > READS:
            raise Invalid(f"There are more than {READS:,} reads.")
