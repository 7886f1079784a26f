"""An event stream in, frames out, and back. Bytes on the left, meaning on the right."""

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import LimitExceeded
from services.wire.sse import MAX_LINE, Frame, SSEDecoder, comment, frame, text_frame

relaxed = settings(deadline=None, max_examples=300)

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


# The vectors: 192 streams with what a browser makes of them. One JSON object a line, described at the top of the file.


class Vector(NamedTuple):
    name: str
    body: bytes
    events: list[tuple[str, str, str]]
    retries: list[int | None]  # what each event's own block said
    due: list[int]  # how many bytes must suffice for each event
    last_event_id: str
    retry: int | None
    any_retry: bool
    large: bool


def vectors() -> Iterator[Vector]:
    for written in json.loads((Path(__file__).parent / "sse_vectors.json").read_text("utf-8"))["vectors"]:
        repeated = [event for event in written["expected"] for _ in range(event.get("repeat", 1))]
        yield Vector(
            name=written["name"],
            body=base64.b64decode(written["input_base64"]) if "input_base64" in written else b"".join(body_parts(written)),
            events=[(event["event"], text(event), event["id"]) for event in repeated],
            retries=[event.get("retry") for event in repeated],
            due=written.get("emit_after_bytes", []),
            last_event_id=written["last_event_id_after"],
            retry=written["retry_after"],
            any_retry=written.get("retry_unspecified", False),
            large=written.get("large", False),
        )


def body_parts(written: dict[str, Any]) -> Iterator[bytes]:
    return (base64.b64decode(part["base64"]) * part["repeat"] for part in written["input_parts"])


def text(event: dict[str, Any]) -> str:
    return event["data"] if "data" in event else "".join(part["text"] * part["repeat"] for part in event["data_parts"])


def decoded(frames: Iterable[Frame]) -> list[tuple[str, str, str]]:
    return [(event, data.decode("utf-8", "replace"), id) for event, data, id in frames]


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


VECTORS = list(vectors())
SMALL = [vector for vector in VECTORS if not vector.large]
LARGE = [vector for vector in VECTORS if vector.large]


def replay(vector: Vector, chunks: Iterable[bytes]) -> list[int]:
    """Checks everything the vector says, and returns how many bytes had been read when each event came out."""
    decoder, frames, read, came = SSEDecoder(), list[Frame](), 0, list[int]()
    for chunk in chunks:
        read += len(chunk)
        new = decoder.feed(chunk)
        frames += new
        came += [read] * len(new)
    assert decoded(frames) == vector.events
    assert decoder.last_event_id == vector.last_event_id
    assert vector.any_retry or decoder.retry == vector.retry
    return came


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector_whole(vector: Vector) -> None:
    replay(vector, [vector.body])


@pytest.mark.parametrize("vector", SMALL, ids=lambda vector: vector.name)
def test_vector_byte_by_byte_and_each_event_at_its_byte(vector: Vector) -> None:
    assert replay(vector, pieces(vector.body, 1)) == vector.due


@pytest.mark.parametrize("vector", SMALL, ids=lambda vector: vector.name)
def test_vector_cut_in_two_at_every_place(vector: Vector) -> None:
    whole = len(vector.body)
    for cut in range(whole + 1):
        came = replay(vector, [vector.body[:cut], vector.body[cut:]])
        assert came == [cut if due <= cut else whole for due in vector.due], f"cut at {cut}"


@pytest.mark.parametrize("size", [16384, 1400, 64])
@pytest.mark.parametrize("vector", LARGE, ids=lambda vector: vector.name)
def test_large_vector_in_pieces(vector: Vector, size: int) -> None:
    replay(vector, pieces(vector.body, size))


@pytest.mark.parametrize("vector", SMALL, ids=lambda vector: vector.name)
def test_vector_retry_is_known_when_its_event_comes(vector: Vector) -> None:
    decoder = SSEDecoder()
    known = [decoder.retry for byte in pieces(vector.body, 1) for _ in decoder.feed(byte)]
    assert vector.any_retry or all(said in (None, now) for said, now in zip(vector.retries, known, strict=True))


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


@relaxed
@given(cut_bodies())
def test_short_cuts_change_nothing(chunks: list[bytes]) -> None:
    decoder = SSEDecoder()
    assert [frame for chunk in chunks for frame in decoder.feed(chunk)] == by_the_standard(b"".join(chunks))


@relaxed
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


# Encoding

ENCODED: dict[str, tuple[bytes, bytes]] = {
    "JSON on one line": (frame(b'{"a":1}'), b'data: {"a":1}\n\n'),
    "everything": (frame(b"{}", event="delta", id=7, retry=250), b"id: 7\nevent: delta\nretry: 250\ndata: {}\n\n"),
    "a 0 is said": (frame(b"{}", id=0, retry=0), b"id: 0\nretry: 0\ndata: {}\n\n"),
    "an empty id is said: it clears": (frame(b"{}", id=""), b"id: \ndata: {}\n\n"),
    "raw line separators are escaped": (frame('["\u2028\u2029\x85é"]'.encode()), 'data: ["\\u2028\\u2029\\u0085é"]\n\n'.encode()),
    "text of several lines": (text_frame("a\nb\n"), b"data: a\ndata: b\ndata: \n\n"),
    "text with other line ends": (text_frame("a\r\nb\rc"), b"data: a\ndata: b\ndata: c\n\n"),
    "text without text": (text_frame("", event="clear"), b"event: clear\ndata: \n\n"),
    "half an emoji": (text_frame("\ud83d"), b"data: ?\n\n"),
    "a comment has one line end": (comment("ping"), b": ping\n"),
    "a heartbeat": (comment(), b":\n"),
    "a comment cannot forge a field": (comment("a\ndata: b\u2028data: c"), b": a\n: data: b\n: data: c\n"),
}


@pytest.mark.parametrize(("encoded", "wire"), ENCODED.values(), ids=ENCODED)
def test_encoded(encoded: bytes, wire: bytes) -> None:
    assert encoded == wire


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: frame(b"a\nb"), "line break"),
        (lambda: frame(b"a\rb"), "line break"),
        (lambda: frame(b"{}", event="a\ndata: b"), "line break in event"),
        (lambda: frame(b"{}", id="1\rdata: b"), "line break in id"),
        (lambda: frame(b"{}", id="1\n"), "line break in id"),
        (lambda: frame(b"{}", id="1\0"), "NUL in id"),
        (lambda: frame(b"{}", retry=-1), "0 or more"),
        (lambda: text_frame("", event="\r"), "line break in event"),
    ],
)
def test_what_the_format_cannot_carry_is_refused(wrong: Callable[[], bytes], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        wrong()


texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))
ids = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"))


@relaxed
@given(texts, names, ids)
def test_any_text_comes_back_as_exactly_one_event(written: str, event: str, id: str) -> None:
    decoder = SSEDecoder()
    frames = decoder.feed(comment(written) + text_frame(written, event=event, id=id) + comment(written))
    assert decoded(frames) == [(event or "message", written.replace("\r\n", "\n").replace("\r", "\n"), id)]


@relaxed
@given(st.recursive(texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)), names, st.integers(0))
def test_any_json_comes_back_as_exactly_one_event_even_for_a_reader_that_cuts_wrongly(written: object, event: str, id: int) -> None:
    payload = json.dumps(written, ensure_ascii=False).encode()
    [(_, data, _)] = SSEDecoder().feed(frame(payload, event=event, id=id))
    assert json.loads(data) == written
    naive = [line for line in frame(payload).decode().splitlines() if line]
    assert [json.loads(line.removeprefix("data: ")) for line in naive] == [written]
