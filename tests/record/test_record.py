"""What is on record of a reply: every byte in its order, nothing beyond the bounds, and no key."""

import time

import msgspec
import pytest

from services.record.record import PIECE, RECORD, Record
from services.record.records import Bounds, Records
from services.record.told import pieces, told
from services.upstream.attempts import Persistent
from services.upstream.connections import Connections
from services.upstream.http import HTTPUpstream
from services.upstream.ollama import OllamaReader
from tests.upstream.model_server import HEAD, WHOLE, Behave, answer, chunk, in_turn, sends, story, upstream

KEY = "canary-4f1d9a0c77"
NDJSON = HEAD.replace(b"text/event-stream", b"application/x-ndjson")
LINES = b"".join(
    b'{"model":"m","message":{"role":"assistant","content":"%b"},"done":%b}\n' % each
    for each in ((b"Hel", b"false"), (b"lo \xe2\x82\xac", b"false"), (b"", b'true,"done_reason":"stop"'))
)


class Recorded:
    """An upstream whose bytes go on record."""

    def __init__(self, asked: HTTPUpstream | Persistent, record: Record) -> None:
        self._asked, self._record = asked, record

    async def read(self, turn, emit) -> None:  # type: ignore[no-untyped-def]
        await self._asked.read(turn, emit, self._record)


def fresh(most: int = 1_000_000) -> Record:
    record = Records(Bounds(most, most)).begin("g", time.monotonic())
    assert record is not None
    return record


def in_pieces(body: bytes, head: bytes, size: int) -> Behave:
    return sends(head, *(chunk(body[at : at + size]) for at in range(0, len(body), size)), chunk(b""))


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("reader", "head", "body"),
    [(None, HEAD, WHOLE), (None, HEAD, WHOLE + b":\n"), (OllamaReader, NDJSON, LINES)],
    ids=["sse", "more", "ndjson"],
)
async def test_the_body_is_what_the_server_sent(reader: type[OllamaReader] | None, head: bytes, body: bytes, size: int) -> None:
    record = fresh()
    async with upstream(in_pieces(body, head, size)) as (asked, server):
        if reader:
            asked = HTTPUpstream("mill", reader, f"http://{asked.host}", Connections())
        await story(Recorded(asked, record))
        if reader:
            await asked._transport.close()
    [exchange] = record.exchanges
    assert exchange.reads.whole() == body
    assert server.requests[0].endswith(exchange.body)
    assert exchange.body
    times = [0.0, record.ms(exchange.asked), *(at for at, _ in pieces(exchange.reads))]
    assert times == sorted(times)
    assert exchange.answered_at is not None
    assert exchange.closed_at is not None
    assert record.ms(exchange.asked) <= record.ms(exchange.answered_at) <= record.ms(exchange.closed_at)
    assert b"".join(data for _, data in pieces(exchange.reads)) == body


async def test_every_attempt_is_there_and_no_key_in_any() -> None:
    """A server that repeats the key, in two network reads, and in a header."""
    record = fresh()
    refusal = b'{"error":{"message":"Incorrect API key provided: %b."}}' % KEY.encode()
    cut = refusal.index(b"1d9a")
    head = b"HTTP/1.1 503 No\r\nx-key: %b\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n" % KEY.encode()
    behave = in_turn(sends(head, chunk(refusal[:cut]), chunk(refusal[cut:]), chunk(b"")), sends(answer("200 OK", WHOLE)))

    async def at_once(_: float) -> None:
        pass

    async with upstream(behave, api_key=KEY) as (asked, server):
        await story(Recorded(Persistent(asked, rest=at_once), record))
    assert KEY.encode() in server.requests[0]
    assert [exchange.status for exchange in record.exchanges] == [503, 200]
    assert record.exchanges[0].reads.whole() == refusal.replace(KEY.encode(), b"*" * len(KEY))
    shown = msgspec.json.encode(told(record)).decode()
    assert KEY not in shown
    assert KEY[:6] not in shown
    assert '"authorization":"(hidden)"' in shown.lower()


def test_what_does_not_fit_is_counted_and_the_oldest_go_first() -> None:
    records = Records(Bounds(of_one=2 * RECORD + 4 * (PIECE + 100), in_all=4 * RECORD + 6 * (PIECE + 100)))
    first, second = records.begin("first", 0.0), records.begin("second", 0.0)
    assert first is not None
    assert second is not None
    for record in (first, second):
        exchange = record.asks("POST", "http://user:word@host/v1?key=abc&alt=sse", {}, b"")
        assert exchange.url == "http://host/v1?key=(hidden)&alt=sse"
        for _ in range(3 if record is first else 5):
            exchange.took(b"x" * 100)
    assert (first.left_out, second.left_out) == (0, 100)
    assert records.get("first") is None  # it had to make room
    assert records.get("second") is second
    assert records.size == second.size == 2 * RECORD + 4 * (PIECE + 100)
    first.asks("POST", "http://host", {}, b"more").took(b"more")  # its generation still runs
    assert first.exchanges == []
    assert records.size == second.size
    assert Records(on=False).begin("third", 0.0) is None


def test_a_body_that_is_too_large_leaves_its_beginning() -> None:
    record = fresh(200_000)
    exchange = record.asks("POST", "http://host", {}, b"b" * 1_000_000)
    assert (len(exchange.body), exchange.size, record.left_out) == (64 * 1024, 1_000_000, 1_000_000 - 64 * 1024)
