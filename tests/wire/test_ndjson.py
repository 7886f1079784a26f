"""One JSON text a line: bytes on the left, lines on the right."""

import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import LimitExceeded
from services.wire.ndjson import MAX_LINE, NDJSONDecoder, line

thorough = settings(max_examples=300)

TOUR: dict[str, tuple[bytes, list[bytes]]] = {
    "a line is a JSON text": (b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
    "blank lines are nothing": (b'\n{"a":1}\n \n\r\n\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
    "CRLF ends a line": (b'{"a":1}\r\n{"a":2}\r\n', [b'{"a":1}', b'{"a":2}']),
    "CR alone does not": (b'{"a":\r1}\n', [b'{"a":\r1}']),
    "U+2028 and U+0085 are text": ('{"a":"\u2028\x85"}\n'.encode(), ['{"a":"\u2028\x85"}'.encode()]),
    "one byte order mark goes": (b'\xef\xbb\xbf{"a":1}\n', [b'{"a":1}']),
    "it stays where it is not the first thing": (b"1\n\xef\xbb\xbf2\n", [b"1", b"\xef\xbb\xbf2"]),
    "two texts on one line are the reader's to part": (b'{"a":1}{"a":2}\n', [b'{"a":1}{"a":2}']),
    "JSON or not is the reader's to say": (b"<html>\n", [b"<html>"]),
    "an unfinished line waits": (b'{"a":1}\n{"a":', [b'{"a":1}']),
}


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.parametrize(("body", "lines"), TOUR.values(), ids=TOUR)
@pytest.mark.parametrize("size", [1, 3, 99])
def test_tour(body: bytes, lines: list[bytes], size: int) -> None:
    decoder = NDJSONDecoder()
    assert [text for piece in pieces(body, size) for text in decoder.feed(piece)] == lines


def test_a_line_comes_out_with_its_lf() -> None:
    decoder = NDJSONDecoder()
    assert decoder.feed(b"[1]") == []
    assert decoder.feed(b"\n") == [b"[1]"]


@pytest.mark.parametrize(
    ("body", "lines"),
    [(b"[1]\n[2]", [b"[2]"]), (b"[1]\n[2", [b"[2"]), (b"[1]\n", []), (b"[1]\n \r", []), (b"", []), (b"\xef\xbb\xbf", []), (b"7", [b"7"])],
)
def test_finish_gives_the_line_that_no_lf_has_ended(body: bytes, lines: list[bytes]) -> None:
    decoder = NDJSONDecoder()
    decoder.feed(body)
    assert decoder.finish() == lines
    assert decoder.finish() == []


# Limits: max_line 5, counted as the bytes came, without the LF

BREACHES: dict[str, tuple[bytes, list[bytes], bool]] = {
    "a line of 5 is fine": (b"[123]\n[456]\n[789]", [b"[123]", b"[456]", b"[789]"], False),
    "a line of 6": (b"[1]\n[1234]\n[2]\n", [b"[1]"], True),
    "a line of 6 without an end": (b"[1]\n[1234]", [b"[1]"], True),
    "white space counts": (b"[1]\n" + b" " * 6, [b"[1]"], True),
    "the byte order mark does not": (b"\xef\xbb\xbf[123]\n", [b"[123]"], False),
}


def outcome(decoder: NDJSONDecoder, chunks: Iterable[bytes]) -> tuple[list[bytes], bool]:
    """Everything that came out, and whether a limit stopped it."""
    lines = list[bytes]()
    try:
        for chunk in chunks:
            lines += decoder.feed(chunk)
        lines += decoder.finish()
    except LimitExceeded:
        return lines, True
    return lines, False


@pytest.mark.parametrize(("body", "lines", "breached"), BREACHES.values(), ids=BREACHES)
@pytest.mark.parametrize("size", [1, 3, 99])
def test_limits(body: bytes, lines: list[bytes], breached: bool, size: int) -> None:
    assert outcome(NDJSONDecoder(max_line=5), pieces(body, size)) == (lines, breached)


def test_what_came_before_a_breach_is_not_lost_and_nothing_comes_after_it() -> None:
    decoder = NDJSONDecoder(max_line=5)
    assert decoder.feed(b"[1]\n[123456789]\n[2]\n") == [b"[1]"]
    for later in (b"[3]\n", b""):
        with pytest.raises(LimitExceeded, match="longer than 5 bytes"):
            decoder.feed(later)
    with pytest.raises(LimitExceeded, match="longer than 5 bytes"):
        decoder.finish()


def test_the_default_limit_stops_a_flood() -> None:
    with pytest.raises(LimitExceeded, match="16,777,216"):
        NDJSONDecoder().feed(bytes(MAX_LINE + 1))


@st.composite
def cut_bodies(draw: st.DrawFn) -> list[bytes]:
    scraps = [b"[1]", b"[2]", b"\n", b"\r\n", b" ", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xc2\x85"]
    body = b"".join(draw(st.lists(st.sampled_from(scraps), max_size=30)))
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=10)))
    return [body[start:end] for start, end in itertools.pairwise([0, *cuts, len(body)])]


@thorough
@given(cut_bodies(), st.integers(3, 20))
def test_chunking_changes_nothing_not_even_at_a_limit(chunks: list[bytes], max_line: int) -> None:
    whole = b"".join(chunks)
    expected = outcome(NDJSONDecoder(max_line), [whole])
    assert outcome(NDJSONDecoder(max_line), chunks) == expected
    assert outcome(NDJSONDecoder(max_line), pieces(whole, 1)) == expected


texts = st.text(st.characters(exclude_categories=["Cs"]))


@thorough
@given(st.recursive(texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)))
def test_any_json_comes_back_as_exactly_one_line_even_for_a_reader_that_cuts_wrongly(written: object) -> None:
    wire = line(json.dumps(written, ensure_ascii=False).encode())
    assert [json.loads(text) for text in NDJSONDecoder().feed(wire)] == [written]
    assert [json.loads(text) for text in wire.decode().splitlines()] == [written]


def test_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="line break"):
        line(b'{"a":\n1}')
