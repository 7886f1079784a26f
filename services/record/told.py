"""A record as JSON: everything that was kept, keys masked. Bytes are text where they are UTF-8 by themselves, else base64."""

from base64 import b64encode
from itertools import accumulate
from typing import Any

from services.record import hiding
from services.record.record import Exchange, Pieces, Reader, Record

ENDINGS = {"text/event-stream": "sse", "application/x-ndjson": "ndjson", "application/json": "json"}


def told(record: Record) -> dict[str, Any]:
    """Times in ms since the generation began, on the clock of its log; `complete` is false when something did not fit."""
    return {
        "complete": not record.left_out,
        "bytes_left_out": record.left_out,
        "requests": [_exchange(record, exchange) for exchange in record.exchanges],
        "readers": [_reader(record, reader) for reader in record.readers],
    }


def _exchange(record: Record, exchange: Exchange) -> dict[str, Any]:
    return {
        "at": record.ms(exchange.asked),
        "method": exchange.method,
        "url": hidden(record, exchange.url),
        "headers": {name: hidden(record, value) for name, value in exchange.headers.items()},
        "body": _bytes(exchange.body),
        "status": exchange.status,
        "answered_at": _when(record, exchange.answered_at),
        "answered_headers": {name: hidden(record, value) for name, value in exchange.answered_headers.items()},
        "reads": [{"at": at, **_bytes(data)} for at, data in pieces(exchange.reads)],
        "closed_at": _when(record, exchange.closed_at),
    }


def _reader(record: Record, reader: Reader) -> dict[str, Any]:
    writes = zip(pieces(reader.writes), reader.entries[:], strict=False)
    return {
        "at": record.ms(reader.joined),
        "dialect": reader.dialect,
        "agent": hidden(record, reader.agent),
        "writes": [{"at": at, "seq": seq, **_bytes(data)} for (at, data), seq in writes],
        "left_at": _when(record, reader.left_at),
    }


def pieces(kept: Pieces) -> list[tuple[float, bytes]]:
    """Each piece, and when. May be called in a thread while more is put down."""
    times, sizes, whole = kept.times[:], [len(data) for data in kept.data[:]], kept.whole()
    ends = list(accumulate(sizes))
    return [(kept.record.ms(at), whole[end - size : end]) for at, size, end in zip(times, sizes, ends, strict=False)]


def hidden(record: Record, text: str) -> str:
    return hiding.masked(text.encode("utf-8", "replace"), record.secrets).decode("utf-8", "replace")


def ending(exchange: Exchange) -> str:
    """Of a file that holds the answer."""
    return ENDINGS.get(exchange.media, "txt")


def _bytes(data: bytes) -> dict[str, Any]:
    try:
        return {"bytes": len(data), "text": data.decode()}
    except UnicodeDecodeError:
        return {"bytes": len(data), "base64": b64encode(data).decode()}


def _when(record: Record, moment: float | None) -> float | None:
    return None if moment is None else record.ms(moment)
