"""An event stream in, frames out. Bytes on the left, meaning on the right."""

import itertools
import re
from collections.abc import Iterable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import LimitExceeded
from services.wire.sse import MAX_LINE, Frame, SSEDecoder

thorough = settings(max_examples=300)

TOUR: dict[str, tuple[bytes, list[Frame]]] = {
    "one line is one event": (b"data: hello\n\n", [("message", b"hello", "")]),
    "a blank line closes, the end of the stream does not": (b"data: a\n\ndata: b\n", [("message", b"a", "")]),
    "several data lines are joined by LF": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", b"YHOO\n+2\n10", "")]),
    "an empty data line is text too": (b"data\ndata:\n\n", [("message", b"\n", "")]),
    "one space after the colon is not text, a second one is": (b"data:a\n\ndata:  b\n\n", [("message", b"a", ""), ("message", b" b", "")]),
    "an event has a name until it is closed": (b"event: add\ndata: 1\n\ndata: 2\n\n", [("add", b"1", ""), ("message", b"2", "")]),
    "an id stays": (b"id: 7\ndata: a\n\ndata: b\n\n", [("message", b"a", "7"), ("message", b"b", "7")]),
    "an id alone makes no event, but counts": (b"id: 7\n\ndata: a\n\n", [("message", b"a", "7")]),
    "an id with a NUL does not count": (b"id: 7\nid: 8\0\ndata: a\n\n", [("message", b"a", "7")]),
    "a name alone makes no event, and is forgotten": (b"event: ping\n\ndata: a\n\n", [("message", b"a", "")]),
    "comments and unknown fields are nothing": (b": ping\n\nerror: x\ndata: a\n: ping\n\n", [("message", b"a", "")]),
    "CRLF is one line end": (b"data: a\r\ndata: b\r\n\r\n", [("message", b"a\nb", "")]),
    "CR is one line end": (b"data: a\rdata: b\r\r", [("message", b"a\nb", "")]),
    "LF CR is two": (b"data: a\n\r", [("message", b"a", "")]),
    "U+2028 and U+0085 are text": ("data: a\u2028b\x85c\n\n".encode(), [("message", "a\u2028b\x85c".encode(), "")]),
    "a byte order mark goes at the very start only": (
        b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: lost\n\n",
        [("message", b"a", "")],
    ),
    "broken UTF-8 is passed on, and eats no line end": (b"data: \xe2\x80\n\n", [("message", b"\xe2\x80", "")]),
}


@pytest.mark.parametrize(("body", "frames"), TOUR.values(), ids=TOUR)
def test_tour(body: bytes, frames: list[Frame]) -> None:
    assert SSEDecoder().feed(body) == frames


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


# The standard, as plainly as it can be written, against the decoder with its short cuts.


def by_the_standard(body: bytes) -> list[Frame]:
    frames, event, data, id, last = list[Frame](), b"", list[bytes](), b"", b""
    for line in re.split(b"\r\n|\r|\n", body.removeprefix(b"\xef\xbb\xbf"))[:-1]:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value
        elif name == b"id":
            id = id if b"\0" in value else value
        elif not line:
            last = id
            if data:
                frames.append((event.decode("utf-8", "replace") or "message", b"\n".join(data), last.decode("utf-8", "replace")))
            event, data = b"", []
    return frames


SCRAPS = [b"data: ", b"data:", b"data", b"event: e", b"id: 7", b"id", b"retry: 9", b":", b" ", b"x", b"\xef\xbb\xbf", b"\xe2\x80", b"\0"]
ENDS = [b"\n", b"\n\n", b"\r", b"\r\r", b"\r\n", b"\r\n\r\n", b"\n\r"]
FRAMES = [b"data: plain\n\n", b"data: plain\r\n\r\n", b"event: e\nid: 1\ndata: typed\n\n", b": ping\n", b"data: [DONE]\n"]

bodies = st.lists(st.sampled_from(SCRAPS + ENDS + FRAMES), max_size=40).map(b"".join)


@st.composite
def cut_bodies(draw: st.DrawFn) -> list[bytes]:
    body = draw(bodies)
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=12)))
    return [body[start:end] for start, end in itertools.pairwise([0, *cuts, len(body)])]


class Outcome(NamedTuple):
    frames: list[Frame]
    breach: str
    last_event_id: str
    retry: int | None


def outcome(decoder: SSEDecoder, chunks: Iterable[bytes]) -> Outcome:
    frames, breach = list[Frame](), ""
    try:
        for chunk in chunks:
            frames += decoder.feed(chunk)
        frames += decoder.finish()
    except LimitExceeded as exc:
        breach = exc.message
    return Outcome(frames, breach, decoder.last_event_id, decoder.retry)


@thorough
@given(cut_bodies())
def test_short_cuts_change_nothing(chunks: list[bytes]) -> None:
    decoder = SSEDecoder()
    assert [frame for chunk in chunks for frame in decoder.feed(chunk)] == by_the_standard(b"".join(chunks))


@thorough
@given(cut_bodies(), st.integers(1, 40), st.integers(1, 40))
def test_chunking_changes_nothing_not_even_at_a_limit(chunks: list[bytes], max_line: int, max_event: int) -> None:
    whole = b"".join(chunks)
    expected = outcome(SSEDecoder("", max_line, max_event), [whole])
    assert outcome(SSEDecoder("", max_line, max_event), chunks) == expected
    assert outcome(SSEDecoder("", max_line, max_event), pieces(whole, 1)) == expected


# A position to resume from


def test_a_resumed_stream_starts_with_the_id_it_was_resumed_from() -> None:
    decoder = SSEDecoder("41")
    assert decoder.feed(b"data: a\n\nid: 42\ndata: b\n\n") == [("message", b"a", "41"), ("message", b"b", "42")]
    assert decoder.last_event_id == "42"


def test_an_id_counts_once_a_blank_line_has_closed_its_block() -> None:
    decoder = SSEDecoder("1")
    decoder.feed(b"id: 2\ndata: lost\n")
    assert decoder.last_event_id == "1"
    decoder.feed(b"\n")
    assert decoder.last_event_id == "2"
    decoder.feed(b"id: 3\n\n")
    assert decoder.last_event_id == "3"


# The end of the stream: what the standard discards, a liberal reader may want

ENDINGS: dict[str, tuple[bytes, list[Frame]]] = {
    "no blank line": (b"data: [DONE]\n", [("message", b"[DONE]", "")]),
    "no line end": (b"data: [DONE]", [("message", b"[DONE]", "")]),
    "half an event": (b'event: delta\ndata: {"te', [("delta", b'{"te', "")]),
    "half a field name": (b"data: a\nda", [("message", b"a", "")]),
    "nothing but a name": (b"event: delta", []),
    "a comment": (b": bye", []),
    "half a byte order mark": (b"\xef\xbb", []),
    "all is well": (b"data: a\n\n", []),
}


@pytest.mark.parametrize(("body", "frames"), ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("size", [1, 99])
def test_finish_gives_what_the_standard_discards(body: bytes, frames: list[Frame], size: int) -> None:
    decoder = SSEDecoder()
    for piece in pieces(body, size):
        decoder.feed(piece)
    assert decoder.finish() == frames
    assert decoder.finish() == []


def test_finish_does_not_believe_half_an_id_or_half_a_retry() -> None:
    decoder = SSEDecoder("120")
    decoder.feed(b"data: a\nretry: 500\nid: 12")
    decoder.finish()
    assert (decoder.last_event_id, decoder.retry) == ("120", 500)


# Limits: max_line 10, max_event 20, counted as the bytes came

BREACHES: dict[str, tuple[bytes, list[Frame], str]] = {
    "a line of 10 is fine": (b"data: 5678\n\ndata: 9012\n\n", [("message", b"5678", ""), ("message", b"9012", "")], ""),
    "a line of 11": (b"data: 56789\n\n", [], "One line of the stream is longer than 10 bytes, the limit."),
    "a line of 11 without an end": (b"data: 56789", [], "One line of the stream is longer than 10 bytes, the limit."),
    "a comment counts": (b": 345678901\n", [], "One line of the stream is longer than 10 bytes, the limit."),
    "the byte order mark does not": (b"\xef\xbb\xbfdata: 5678\n\n", [("message", b"5678", "")], ""),
    "an event of 20": (b"data: 678\n" * 2 + b"\n", [("message", b"678\n678", "")], ""),
    "an event of 21": (b"data: 678\n" * 2 + b"data\n\n", [], "One event of the stream is larger than 20 bytes, the limit."),
    "an event without an end": (b"data\n" * 5, [], "One event of the stream is larger than 20 bytes, the limit."),
    "the first of two breaches": (b"data\n" * 5 + b"12345678901", [], "One event of the stream is larger than 20 bytes, the limit."),
    "events do not add up": (b"data: 5678\n\n" * 3, [("message", b"5678", "")] * 3, ""),
}


@pytest.mark.parametrize(("body", "frames", "breach"), BREACHES.values(), ids=BREACHES)
@pytest.mark.parametrize("size", [1, 7, 99])
def test_limits(body: bytes, frames: list[Frame], breach: str, size: int) -> None:
    read = outcome(SSEDecoder(max_line=10, max_event=20), pieces(body, size))
    assert (read.frames, read.breach) == (frames, breach)


def test_what_came_before_a_breach_is_not_lost_and_nothing_comes_after_it() -> None:
    decoder = SSEDecoder(max_line=10)
    assert decoder.feed(b"data: a\n\n" + b"data: " + b"b" * 99 + b"\n\ndata: c\n\n") == [("message", b"a", "")]
    for later in (b"data: d\n\n", b""):
        with pytest.raises(LimitExceeded, match="longer than 10 bytes"):
            decoder.feed(later)
    with pytest.raises(LimitExceeded, match="longer than 10 bytes"):
        decoder.finish()


def test_a_limit_holds_on_every_way_through_the_decoder() -> None:
    decoder = SSEDecoder(max_line=10)
    assert decoder.feed(b"data: a\n\n")
    assert decoder.feed(b"data: b\n\n")
    with pytest.raises(LimitExceeded):
        decoder.feed(b"data: 56789\n\n")


def test_the_default_limit_lets_a_picture_pass_and_stops_a_flood() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: " + bytes(8 << 20) + b"\n\n")
    with pytest.raises(LimitExceeded, match="16,777,216"):
        decoder.feed(bytes(MAX_LINE + 1))
