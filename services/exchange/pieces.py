"""Where in a file of JSON each conversation begins and ends, while the file arrives. Keeps one conversation, never the file.

    [ {...}, {...} ]    each object of the outer array
    {...}               the one object, or several in a row, as JSON Lines have them

Only brackets and quotes are looked at; whether a piece is JSON is seen when it is decoded.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from services.errors import Invalid

LARGEST = 64 * 1024 * 1024  # bytes of one conversation; a year of one with pictures in it is about 20 MB
DEEPEST = 200  # levels; the exports have about 15, and each costs the decoder a stack frame

# Up to the next bracket, strings and all. A string that does not end in this chunk stops it at its quote.
OUTSIDE = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+', re.DOTALL)
# Up to the end of a string, or a backslash that ends the chunk.
INSIDE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
BETWEEN = re.compile(rb"[\s,]*+")

BOM = b"\xef\xbb\xbf"
OTHERS = {
    b"PK": "This is a ZIP archive. Unpack it, and choose the conversations.json in it.",
    b"\x1f\x8b": "This file is compressed. Unpack it first.",
    b"<": "This is a web page, not JSON. Of an export's files, choose conversations.json.",
    b"\xff\xfe": "This file is not UTF-8, but UTF-16. Save it as UTF-8 first.",
    b"\xfe\xff": "This file is not UTF-8, but UTF-16. Save it as UTF-8 first.",
}


class Piece(NamedTuple):
    """One element of the file. `fault`: why it has no bytes."""

    raw: bytes
    fault: Literal["", "too large", "too deep", "cut off", "not an object"] = ""


class Pieces:
    """`feed` what arrives, each to its end before the next, then `finish`. Raises Invalid for what cannot be JSON at all."""

    def __init__(self, *, largest: int = LARGEST) -> None:
        self._largest = largest
        self._head: bytes | None = b""  # until the first character that counts
        self._base = 0  # how deep the conversations lie
        self._depth = 0
        self._deepest = 0
        self._in_string = self._escaped = False
        self._kept: list[bytes] | None = None  # the piece that is open
        self._size = 0
        self._strange = False  # since the last piece there was something that is none
        self._ended = False

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        if self._head is not None:
            chunk = self._begun(self._head + chunk)
        yield from self._scan(chunk)

    def finish(self) -> Iterator[Piece]:
        if self._head is not None:
            raise Invalid("The file is empty." if not self._head.strip() else _NOT_JSON)
        yield from self._between()
        if self._kept is not None or (self._base and not self._ended):
            self._kept = None
            yield Piece(b"", "cut off")

    def _begun(self, head: bytes) -> bytes:
        """What follows the mark and the white space at the beginning; nothing, until there is something."""
        left = head.removeprefix(BOM).lstrip()
        if not left or head == BOM[: len(head)]:
            self._head = head
            return b""
        for start, sentence in OTHERS.items():
            if left.startswith(start):
                raise Invalid(sentence)
        if left[:1] not in (b"[", b"{"):
            raise Invalid(_NOT_JSON)
        self._head = None
        if left[:1] == b"{":
            return left
        self._base = self._depth = 1
        return left[1:]

    def _scan(self, chunk: bytes) -> Iterator[Piece]:
        at, start, end = 0, 0, len(chunk)
        while at < end and not self._ended:
            if self._in_string:
                at = self._through_string(chunk, at)
                continue
            found = OUTSIDE.match(chunk, at)
            stop = found.end() if found else at
            if self._kept is None and BETWEEN.fullmatch(chunk, at, stop) is None:
                self._strange = True
            at = stop
            if at == end:
                break
            match chunk[at]:
                case 0x22:  # a quote
                    self._in_string = True
                    self._strange |= self._kept is None
                case 0x5B | 0x7B:  # [ and {
                    if self._kept is None:
                        yield from self._between()
                        self._kept, self._size, self._deepest, start = [], 0, 0, at
                    self._depth += 1
                    self._deepest = max(self._deepest, self._depth - self._base)
                case _:
                    self._depth -= 1
                    if self._kept is None:
                        self._ended = True
                    elif self._depth == self._base:
                        self._keep(chunk[start : at + 1])
                        yield self._taken()
            at += 1
        if self._kept is not None:
            self._keep(chunk[start:])

    def _between(self) -> Iterator[Piece]:
        if self._strange:
            self._strange = False
            yield Piece(b"", "not an object")

    def _through_string(self, chunk: bytes, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        found = INSIDE.match(chunk, at)
        at = found.end() if found else at
        if at < len(chunk):
            self._in_string = chunk[at] != 0x22
            self._escaped = self._in_string
        return at + 1

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._kept is not None and self._size <= self._largest and self._deepest <= DEEPEST:
            self._kept.append(part)
        elif self._kept:
            self._kept.clear()

    def _taken(self) -> Piece:
        kept, self._kept = self._kept or [], None
        if self._size > self._largest:
            return Piece(b"", "too large")
        return Piece(b"", "too deep") if self._deepest > DEEPEST else Piece(b"".join(kept))


_NOT_JSON = "This file is not JSON, or not the kind of JSON that exports of conversations are."
