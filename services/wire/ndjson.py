"""One JSON text a line: bytes to lines and back. Sans-IO; what a line means, and whether it is JSON at all, is for its reader.

Laws
1. Only LF ends a line. A raw U+2028 or U+0085 is text inside a JSON string (str.splitlines() would cut there), and a CR
   before the LF is white space.
2. A blank line is nothing: some servers send one to keep the connection alive.
3. A line may hold two JSON texts, because some servers forget the LF between them. It is returned as it came: finding the
   seam takes a JSON decoder.
"""

from services.errors import LimitExceeded
from services.wire.sse import one_line

MAX_LINE = 16 << 20  # bytes

_BOM = b"\xef\xbb\xbf"
_LF = 10
_WHITE = b" \t\r"  # JSON's own white space, less LF; bytes.strip() alone would take VT and FF too


class NDJSONDecoder:
    """Feed it the body of a response, get every finished line without the white space around it.

    `max_line` bounds one line in bytes. LimitExceeded is raised once every line before the breach has been returned, so
    maybe one call later, and from then on by every call.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._breached = False
        self._unfinished = bytearray()
        self._at_start = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, in order; [] means more bytes are needed. Raises LimitExceeded."""
        self._refuse_if_breached()
        if self._at_start:
            chunk = self._without_bom(chunk)
        texts = _texts(self._up_to_limit(self._finished_lines(chunk)))
        if not texts:
            self._refuse_if_breached()
        return texts

    def finish(self) -> list[bytes]:
        """At the end of the stream: the last line, if no LF has ended it. It may be half a JSON text."""
        self._refuse_if_breached()
        unfinished = bytes(self._unfinished)
        self._unfinished.clear()
        return _texts([unfinished])

    def _without_bom(self, chunk: bytes) -> bytes:
        """A byte order mark at the very start is not JSON (RFC 8259, section 8.1, lets a reader ignore it)."""
        chunk = bytes(self._unfinished) + chunk
        self._unfinished.clear()
        self._at_start = len(chunk) < len(_BOM) and _BOM.startswith(chunk)
        return chunk if self._at_start else chunk.removeprefix(_BOM)

    def _finished_lines(self, chunk: bytes) -> list[bytes]:
        if _LF not in chunk:
            self._unfinished += chunk
            return []
        lines = (bytes(self._unfinished) + chunk).split(b"\n")
        self._unfinished = bytearray(lines.pop())
        return lines

    def _up_to_limit(self, lines: list[bytes]) -> list[bytes]:
        for number, line in enumerate(lines):
            if len(line) > self._max_line:
                self._breached = True
                return lines[:number]
        self._breached = len(self._unfinished) > self._max_line
        return lines

    def _refuse_if_breached(self) -> None:
        if self._breached:
            raise LimitExceeded(f"One line of the stream is longer than {self._max_line:,} bytes, the limit.")


def line(payload: bytes) -> bytes:
    """One JSON text in UTF-8 as a line. Raises ValueError if it holds a line break."""
    return one_line(payload) + b"\n"


def _texts(lines: list[bytes]) -> list[bytes]:
    return [text for line in lines if (text := line.strip(_WHITE))]
