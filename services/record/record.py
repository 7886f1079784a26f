"""One generation as it went over the wires. Times are those of the monotonic clock; `ms` makes them the log's.

    exchange = record.asks("POST", url, headers, body)     one request to the upstream; a repetition is another one
    exchange.answered(status, headers)
    exchange.took(data)                                    each network read, as it was read
    exchange.closed()
    reader = record.reads("openai_chat", agent)            a client begins to read
    reader.wrote(seq, data)                                each write, as it was written
    reader.left()

What does not fit any more is counted and not kept; once a record had to go, nothing is kept.
"""

from array import array
from collections.abc import Callable, Mapping
from time import monotonic

from services.record import hiding

PIECE = 100  # bytes that keeping a piece costs besides its own
GRANT = 16 * 1024  # bytes that are taken ahead, for the pieces to come
RECORD = 2000  # and a record, an exchange or a reader
HEAD = 64 * 1024  # bytes kept of a request body that is too large


class Pieces:
    """Bytes and when they came or went. Two flat lists: a tuple for each would be work for the garbage collector.

    Room is taken GRANT bytes at a time: `add` is called for every chunk of every stream.
    """

    __slots__ = ("_room", "data", "record", "times")

    def __init__(self, record: "Record") -> None:
        self.record = record
        self._room = 0
        self.times = array("d")
        self.data: list[bytes] = []

    def add(self, data: bytes) -> bool:
        """Whether it is kept."""
        room = self._room - len(data) - PIECE
        if room < 0 and (room := self._more(room)) < 0:
            self.record.left_out += len(data)
            return False
        self._room = room
        self.times.append(monotonic())
        self.data.append(data)
        return True

    def _more(self, room: int) -> int:
        for wanted in (GRANT - room, -room):
            if self.record.takes(wanted):
                return room + wanted
        return room

    def __len__(self) -> int:
        return len(self.data)

    def ms(self, at: int) -> float:
        return self.record.ms(self.times[at])

    def forget(self) -> None:
        self._room = 0
        del self.times[:], self.data[:]

    def whole(self) -> bytes:
        """All of it, keys masked: one may lie across two pieces."""
        return hiding.masked(b"".join(self.data), self.record.secrets)


class Exchange:
    """One request and what came back. `headers` and `answered_headers` are without secrets. Times in ms since the generation began."""

    def __init__(self, record: "Record", method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        self._record = record
        self.method = method
        self.url = hiding.url(url)
        self.headers = hiding.headers(headers)
        self.size = len(body)
        self._body = body
        self.asked = monotonic()
        self.status: int | None = None
        self.answered_headers: dict[str, str] = {}
        self.answered_at: float | None = None
        self.closed_at: float | None = None
        self.reads = Pieces(record)
        self.took = self.reads.add

    @property
    def body(self) -> bytes:
        """As it was sent, or its beginning."""
        return hiding.masked(self._body, self._record.secrets)

    @property
    def is_whole(self) -> bool:
        """All of its body was kept."""
        return len(self._body) == self.size

    @property
    def media(self) -> str:
        return self.answered_headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def separators(self) -> tuple[bytes, ...]:
        """What ends a frame of the answer; nothing where it has none."""
        return {"text/event-stream": (b"\n\n", b"\r\n\r\n"), "application/x-ndjson": (b"\n",)}.get(self.media, ())

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        self.answered_at = monotonic()
        self.status = status
        self.answered_headers = hiding.headers(headers)

    def closed(self) -> None:
        self.closed_at = self.closed_at or monotonic()

    def forget(self) -> None:
        self._body = b""
        self.reads.forget()


class Reader:
    """A client that reads: its dialect, who it says it is, and what it was given. `entries` are the last entry's number of each write."""

    def __init__(self, record: "Record", dialect: str, agent: str) -> None:
        self._record = record
        self.dialect = dialect
        self.agent = agent[:200]
        self.joined = monotonic()
        self.left_at: float | None = None
        self.writes = Pieces(record)
        self.entries = array("q")

    def wrote(self, seq: int, data: bytes) -> None:
        """`seq` is the number of the last entry in it."""
        if self.writes.add(data):
            self.entries.append(seq)

    def forget(self) -> None:
        self.writes.forget()
        del self.entries[:]

    def left(self) -> None:
        self.left_at = self.left_at or monotonic()


class Record:
    """`began` is the moment, on the monotonic clock, from which the log counts. `most` in bytes; `grown` is told of each growth."""

    def __init__(self, began: float, most: int, grown: Callable[[int], None]) -> None:
        self.began = began
        self.most = most
        self.size = 0
        self.left_out = 0  # bytes that were not kept
        self.dropped = False
        self.secrets: tuple[bytes, ...] = ()
        self.exchanges: list[Exchange] = []
        self.readers: list[Reader] = []
        self.grown = grown

    def __repr__(self) -> str:
        return f"<Record exchanges={len(self.exchanges)} readers={len(self.readers)} bytes={self.size}>"

    @property
    def is_cut(self) -> bool:
        """Something is missing at its end."""
        return self.left_out > 0

    def ms(self, moment: float) -> float:
        return round((moment - self.began) * 1000, 3)

    def asks(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, secret: str | None = None) -> Exchange:
        if secret and secret.encode() not in self.secrets:
            self.secrets += (secret.encode(),)
        kept = body if self.takes(RECORD + len(body)) else body[:HEAD] if self.takes(RECORD + HEAD) else b""
        exchange = Exchange(self, method, url, headers, body)
        if len(kept) < len(body):
            exchange._body = kept
            self.left_out += len(body) - len(kept)
        if not self.dropped:
            self.exchanges.append(exchange)
        return exchange

    def reads(self, dialect: str, agent: str = "") -> Reader:
        reader = Reader(self, dialect, agent)
        if self.takes(RECORD):
            self.readers.append(reader)
        return reader

    def takes(self, weight: int) -> bool:
        """Whether there is room for so many bytes, which are then taken."""
        if self.size + weight > self.most:
            return False
        self.size += weight
        self.grown(weight)
        return True

    def drop(self) -> None:
        """Its place is needed: what it has is let go of, and nothing more is kept."""
        self.dropped, self.most = True, 0
        for exchange in self.exchanges:
            exchange.forget()
        for reader in self.readers:
            reader.forget()
        self.exchanges.clear()
        self.readers.clear()
