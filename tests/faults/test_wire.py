"""Each fault on the wire: the bytes, the chunks and the end of the connection, as a bare socket sees them, in events and in lines."""

import json
import re
import zlib
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest

from services.faults import FAULTS, codings, stories
from services.faults.actions import Action, Asked, End, Head, Wait, Write
from services.faults.choosing import choose
from services.faults.points import MOMENTS
from services.wire.sse import SSEDecoder
from tests.faults.asking import REQUESTS, TEXT, names
from tests.faults.wire import Heard, asked, hear, post
from tests.serving import Served


class Told(NamedTuple):
    """The answer without a fault. `middle` is the frame that is cut, the last `ends` of them say how it ends."""

    frames: list[bytes]
    middle: int
    ends: int
    lines: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.frames)

    @property
    def before(self) -> bytes:
        return b"".join(self.frames[: self.middle])

    @property
    def half(self) -> bytes:
        return self.before + self.frames[self.middle][: len(self.frames[self.middle]) // 2]

    @property
    def unended(self) -> bytes:
        return b"".join(self.frames[: -self.ends])

    @property
    def last(self) -> bytes:
        """The last frame with text."""
        return self.frames[-self.ends - 1]


DIALECTS = {"events": "openai_chat", "lines": "ollama"}
GIVEN = {
    "http-429": "http-429=7",
    "http-503": "http-503=date",
    "http-529": "http-529=ms",
    "endless": "endless=0.2",
    "giant-line": "giant-line=2",
    "drip": "drip=20000",
    "split-bytes": "split-bytes=7",
    **{f"stall-{moment}": f"stall-{moment}=0.3" for moment in MOMENTS},
}


def ask(url: str, kind: str, fault: str, scene: str = "text") -> Heard:
    path, body = REQUESTS[DIALECTS[kind]]
    body = {"model": "scenes", **body, "messages": [{"role": "user", "content": scene}]}
    return asked(url, f"/rehearsal/{DIALECTS[kind]}{path}?fault={fault}" if fault else f"/rehearsal/{DIALECTS[kind]}{path}", body)


@cache
def plain(url: str, kind: str) -> Told:
    body = ask(url, kind, "").body
    if kind == "lines":
        return Told(body.splitlines(keepends=True), 2, 1, True)
    return Told([frame + b"\n\n" for frame in body.split(b"\n\n")[:-1]], 3, 2, False)


def refused(status: int, header: str = "", value: str = "") -> Callable[[Heard, Told], bool]:
    return lambda heard, told: (
        heard.status == status and bool(re.fullmatch(value, heard.header(header))) and "error" in json.loads(heard.body)
    )


def page(status: int) -> Callable[[Heard, Told], bool]:
    return lambda heard, told: (
        heard.status == status and heard.body.startswith(b"<!DOCTYPE html>") and heard.header("content-type").startswith("text/html")
    )


def body(expected: Callable[[Told], bytes]) -> Callable[[Heard, Told], bool]:
    return lambda heard, told: heard.body == expected(told)


def error(words: str) -> Callable[[Heard, Told], bool]:
    """`words` is a pattern for what is told after what came before the middle."""

    def check(heard: Heard, told: Told) -> bool:
        rest = heard.body.removeprefix(told.before).decode()
        return heard.body.startswith(told.before) and bool(
            re.fullmatch(words + "\n" if told.lines else f"(event: error\n)?data: {words}\n\n", rest)
        )

    return check


def paused(heard: Heard, told: Told) -> bool:
    """It took the time asked for, at least; where it stood still is seen below."""
    return heard.body == told.body and heard.seconds >= 0.3


def numbers(heard: Heard) -> list[int]:
    return [int(number) for number in re.findall(rb"(?m)^id: (\d+)$", heard.body)]


def data(heard: Heard) -> list[bytes]:
    return [said for _, said, _ in SSEDecoder().feed(heard.body)]


def same_data(heard: Heard, told: Told) -> bool:
    return [json.loads(said) if said[:1] == b"{" else said for said in data(heard)] == [
        json.loads(said) if said[:1] == b"{" else said for _, said, _ in SSEDecoder().feed(told.body)
    ]


SHAPES = {
    "openai": r'\{"error":\{"message":.*"type":"server_error".*\}\}',
    "anthropic": r'\{"type":"error","error":\{"type":"api_error","message":.*\}\}',
    "gemini": r'\{"error":\{"code":500,"message":.*"status":"INTERNAL"\}\}',
    "ollama": r'\{"error":"[^"]+"\}',
}
OWN = f"({SHAPES['openai']}|{SHAPES['ollama']})"
ENDS = [field + blank for field, blank in codings.ENDS]

CHECKS: dict[str, Callable[[Heard, Told], bool]] = {
    **{f"http-{status}": refused(status) for status in (401, 403, 404, 413, 500)},
    "http-429": refused(429, "retry-after", "7"),
    "http-502": page(502),
    "http-503": refused(503, "retry-after", r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT"),
    "http-529": refused(529, "retry-after-ms", "1500"),
    "html-200": page(200),
    "json-error-200": refused(200, "content-type", "application/json"),
    "no-terminator": body(lambda told: told.unended),
    "no-done": body(lambda told: b"".join(told.frames[:-1])),
    "terminator-twice": body(lambda told: told.body + told.body.removeprefix(told.unended)),
    "garbage-after": body(lambda told: told.body + stories.GARBAGE["lines" if told.lines else "events"]),
    "text-after": body(lambda told: told.body + 3 * told.last),
    "error-frame": error(OWN),
    **{f"error-{vendor}": error(shape) for vendor, shape in SHAPES.items()},
    "error-words": error(r"[A-Z][^{}]+\."),
    "error-event": lambda heard, told: b"\n\nevent: error\ndata: This" in heard.body and error(r"[A-Z][^{}]+\.")(heard, told),
    "endless": lambda heard, told: heard.body.startswith(told.unended + 20 * told.last) and 150_000 < len(heard.body) < 250_000,
    "giant-line": lambda heard, told: len(heard.body) == len(told.body) + 2_000_000 and re.sub(rb" {9,}", b"", heard.body) == told.body,
    "surrogates": lambda heard, told: heard.body == told.body.replace("👋".encode(), b"\\ud83d") != told.body,
    "raw-separators": body(lambda told: told.body),  # the scene has none: see below
    "comments": lambda heard, told: (
        heard.body == b"".join(b": keep-alive\n\n: inside of an event\n" + frame for frame in told.frames) and same_data(heard, told)
    ),
    "blank-lines": body(lambda told: b"".join(b"\n\n" + frame for frame in told.frames)),
    "empty-data": lambda heard, told: data(heard) == [each for frame in told.frames for each in (b"", b"", frame[6:-2])],
    "ids": lambda heard, told: numbers(heard) == list(range(1, len(told.frames) + 1)) and same_data(heard, told),
    "ids-repeated": lambda heard, told: numbers(heard) == [7] * len(told.frames) and same_data(heard, told),
    "ids-reordered": lambda heard, told: (
        len(numbers(heard)) == len(told.frames) and numbers(heard) == sorted(numbers(heard), reverse=True) and same_data(heard, told)
    ),
    "multi-line-data": lambda heard, told: heard.body.count(b"data: ") > 5 * len(told.frames) and same_data(heard, told),
    "no-space": body(lambda told: told.body.replace(b"data: ", b"data:")),
    "no-last-blank-line": body(lambda told: told.body[:-1]),
    **{f"stall-{moment}": paused for moment in MOMENTS},
    **{f"{how}-first-byte": lambda heard, told: not heard.head and not heard.body for how in ("reset", "cut")},
    **{f"{how}-headers": lambda heard, told: heard.status == 200 and not heard.body for how in ("reset", "cut", "end")},
    **{name: body(lambda told: told.half) for name in ("reset-middle", "cut-middle", "end-middle", "half-close")},
    **{f"{how}-end": body(lambda told: told.body) for how in ("reset", "cut")},
    "bom": body(lambda told: b"\xef\xbb\xbf" + told.body),
    "crlf": body(lambda told: told.body.replace(b"\n", b"\r\n")),
    "cr": body(lambda told: told.body.replace(b"\n", b"\r")),
    "mixed-line-ends": lambda heard, told: (
        heard.body == b"".join(frame[:-2] + ENDS[place % len(ENDS)] for place, frame in enumerate(told.frames)) and same_data(heard, told)
    ),
    "gzip": lambda heard, told: heard.header("content-encoding") == "gzip" and zlib.decompress(heard.body, 31) == told.body,
    "split-bytes": lambda heard, told: (
        heard.body == told.body
        and max(map(len, heard.chunks)) == 7
        and len(heard.chunks) == sum(-(-len(frame) // 7) for frame in told.frames)
    ),
    "split-utf8": lambda heard, told: (
        heard.body == told.body
        and sum(chunk[-1] >= 0xC0 for chunk in heard.chunks) == sum(char > "\x7f" for char in told.body.decode()) > 5
    ),
    "split-crlf": lambda heard, told: (
        heard.body == told.body.replace(b"\n", b"\r\n") and sum(chunk[-1:] == b"\r" for chunk in heard.chunks) == told.body.count(b"\n")
    ),
    "split-names": lambda heard, told: heard.body == told.body and heard.chunks.count(b"da") == len(told.frames),
    "drip": lambda heard, told: heard.body == told.body and max(map(len, heard.chunks)) == 100,
    "burst": lambda heard, told: heard.chunks == [told.body],
}

CASES = [(kind, name) for kind in DIALECTS for name in names(kind)]


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{name}-{kind}" for kind, name in CASES])
def test_on_the_wire(mock: Served, kind: str, name: str) -> None:
    heard = ask(mock.url, kind, GIVEN.get(name, name))
    assert CHECKS[name](heard, plain(mock.url, kind)), (heard.head, heard.body[-600:])
    broken = name.startswith(("reset", "cut", "half")) or name == "endless"
    assert heard.whole is not broken
    assert heard.end == ("rst" if name.startswith("reset") or name == "endless" else "fin")


def test_every_fault_is_looked_at() -> None:
    assert set(CHECKS) == set(FAULTS)
    assert TEXT.count("👋") == 1


@pytest.mark.parametrize("kind", DIALECTS)
def test_separators_that_are_not_escaped(mock: Served, kind: str) -> None:
    careful, raw = ask(mock.url, kind, "", "separators").body, ask(mock.url, kind, "raw-separators", "separators").body
    assert (careful.count(b"\\u2028"), careful.count("\u2028".encode())) == (1, 0)
    assert raw == re.sub(rb"\\u(2028|2029|0085)", lambda found: chr(int(found[1], 16)).encode(), careful)


@pytest.mark.parametrize("kind", DIALECTS)
def test_where_it_stands_still(mock: Served, kind: str) -> None:
    told, media = plain(mock.url, kind), {"events": b"text/event-stream", "lines": b"application/x-ndjson"}[kind]
    answer: list[Action] = [Asked(), Head(200, ((b"content-type", media),)), Write(told.body[:-5]), Write(told.body[-5:]), End()]
    places = {}
    for moment in MOMENTS:
        chain = choose([f"stall-{moment}=7"]).chain("openai", 0)
        done = [each for action in answer for each in chain.feed(action)]
        place = done.index(Wait(7))
        before, after = (b"".join(each.data for each in part if isinstance(each, Write)) for part in (done[:place], done[place:]))
        assert before + after == told.body
        places[moment] = (before, any(isinstance(each, Head) for each in done[:place]))
    assert places == {"first-byte": (b"", False), "headers": (b"", True), "middle": (told.half, True), "end": (told.body, True)}


@pytest.mark.parametrize("dialect", REQUESTS)
def test_every_dialect_keeps_its_own_bytes(mock: Served, dialect: str) -> None:
    """Google's line ends are CR LF, and stay so."""
    path, said = REQUESTS[dialect]
    whole, burst = (
        asked(mock.url, f"/rehearsal/{dialect}{path}", {"model": "scenes", **said}, f"Headrace-Fault: {name}") for name in ("", "burst")
    )
    assert whole.body == burst.body
    assert (dialect == "gemini") is (b"\r\n" in burst.body)


def test_a_half_closed_connection_still_listens(mock: Served) -> None:
    path, said = REQUESTS["openai_chat"]
    with post(mock.url, f"/rehearsal/+half-close/openai_chat{path}", {"model": "scenes", **said}, close=False) as connection:
        assert hear(connection).end == "fin"
        for _ in range(3):  # a closed one answers with RST, and then there is nobody to send to
            connection.sendall(b"GET / HTTP/1.1\r\n" if _ == 0 else b"X-More: 1\r\n")
            assert connection.recv(1) == b""


def test_without_a_fault_nothing_is_changed(mock: Served) -> None:
    path, said = REQUESTS["openai_chat"]
    heard = asked(mock.url, f"/rehearsal/openai_chat{path}", {"model": "scenes", **said})
    assert len(heard.chunks) < 5  # what is due at once goes out at once
    assert (heard.whole, heard.end) == (True, "fin")
