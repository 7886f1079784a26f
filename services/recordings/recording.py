"""A recording as a value: the bytes of one answer, read by read, in their dialect. No I/O, no asyncio.

Times are milliseconds since the request was sent.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec

from services.errors import Conflict, Invalid
from services.record.record import Exchange, Record
from services.record.told import pieces

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HEADERS = ("content-type", "retry-after")  # of an answer: what it means depends on no others
EVENTS, LINES = "text/event-stream", "application/x-ndjson"

How = Literal["closed", "broken", "left"]
Object = dict[str, Any]


class Read(NamedTuple):
    at: float
    data: bytes


class End(msgspec.Struct, frozen=True):
    """How the answer ended: the server closed it or had said its last word; the connection broke; or who read it left first."""

    at: float
    how: How = "closed"


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """The request, as far as it is kept: no headers, no host, no query."""

    path: str = ""
    body: Object | None = None


class Recording(NamedTuple):
    """`timed` is false where the times are made up. `answered_at` is when the headers came."""

    dialect: str
    reads: tuple[Read, ...]
    end: End
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    answered_at: float = 0.0
    model: str = ""
    recorded: str = ""  # ISO 8601, UTC
    timed: bool = True
    request: Asked | None = None

    @property
    def body(self) -> bytes:
        return b"".join(read.data for read in self.reads)

    @property
    def media(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def streams(self) -> bool:
        return self.media in (EVENTS, LINES)


# The end of the path that each dialect's requests go to, the longer ones first.
_PATHS = {
    "/chat/completions": "openai_chat",
    "/completions": "openai_completions",
    "/responses": "openai_responses",
    "/v1/messages": "anthropic",
    ":streamGenerateContent": "gemini",
    ":generateContent": "gemini",
    "/api/chat": "ollama",
    "/api/generate": "ollama_generate",
}


def dialect_at(url: str) -> str | None:
    """The dialect of a request that one of our readers made."""
    place = url.partition("?")[0]
    return next((dialect for path, dialect in _PATHS.items() if place.endswith(path)), None)


def checked(name: str) -> str:
    """The name itself. Raises Invalid."""
    if not NAME.fullmatch(name):
        raise Invalid("A recording's name is 1 to 64 letters, digits and . _ -, and begins with a letter or a digit.")
    return name


def suggested(model: str, moment: str) -> str:
    """A name for a recording of this model."""
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", model.rpartition("/")[2]).strip("-._")[:40] or "recording"
    return f"{words}-{re.sub(r'[^0-9]', '', moment)[:14]}"


def taken(record: Record, exchange: Exchange, dialect: str, *, model: str, moment: str, how: How, request: bool) -> Recording:
    """What is on record of one request. Raises Conflict while it runs, and when not all of it was kept."""
    if exchange.closed_at is None:
        raise Conflict("This reply is still running. Stop it, or wait for its end.")
    if record.is_cut or record.dropped or exchange.status is None or exchange.answered_at is None:
        raise Conflict("Not all that the model server sent is on record, so there is nothing whole to keep.")

    def since(at: float) -> float:
        return round(max(0.0, at - record.ms(exchange.asked)), 3)

    reads = tuple(Read(since(at), data) for at, data in pieces(exchange.reads))
    return Recording(
        dialect,
        reads,
        End(since(record.ms(exchange.closed_at)), how),
        exchange.status,
        {name: value for name, value in exchange.answered_headers.items() if name in HEADERS},
        since(record.ms(exchange.answered_at)),
        model,
        moment,
        request=_asked(exchange) if request else None,
    )


def _asked(exchange: Exchange) -> Asked:
    path = "/" + exchange.url.partition("://")[2].partition("/")[2].partition("?")[0]
    try:
        body = msgspec.json.decode(exchange.body) if exchange.is_whole else None
    except msgspec.DecodeError:
        body = None
    return Asked(path, body if isinstance(body, dict) else None)
