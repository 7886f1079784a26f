"""Frames out, as an event stream; what any reader of one gets back is what was written."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wire.sse import SSEDecoder, comment, frame, text_frame

thorough = settings(max_examples=300)

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


@thorough
@given(texts, names, ids)
def test_any_text_comes_back_as_exactly_one_event(written: str, event: str, id: str) -> None:
    decoder = SSEDecoder()
    frames = decoder.feed(comment(written) + text_frame(written, event=event, id=id) + comment(written))
    assert frames == [(event or "message", written.replace("\r\n", "\n").replace("\r", "\n").encode(), id)]


@thorough
@given(st.recursive(texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)), names, st.integers(0))
def test_any_json_comes_back_as_exactly_one_event_even_for_a_reader_that_cuts_wrongly(written: object, event: str, id: int) -> None:
    payload = json.dumps(written, ensure_ascii=False).encode()
    [(_, data, _)] = SSEDecoder().feed(frame(payload, event=event, id=id))
    assert json.loads(data) == written
    naive = [line for line in frame(payload).decode().splitlines() if line]
    assert [json.loads(line.removeprefix("data: ")) for line in naive] == [written]
