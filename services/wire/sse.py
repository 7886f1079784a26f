"""Server-sent events: bytes to frames and back, as the HTML standard reads them (html.spec.whatwg.org, section 9.2).

Sans-IO: no sockets, no asyncio, no JSON meaning, and nothing from the rest of the house but its LimitExceeded.

Laws
1. Only LF, CRLF and CR end a line. str.splitlines() would also cut at U+2028, U+2029, U+0085 and five control characters,
   and lose text; bytes.splitlines() cuts at these three alone.
2. Bytes are cut first and decoded last: line ends are ASCII, so a broken UTF-8 sequence can never eat one.
3. A CR ends a line at once. Waiting for the LF that may follow would hold back an event until the next one comes.
4. An id counts only once a blank line has closed its block. Resuming from the id of a discarded block would lose that block.
5. No work is done twice: an unfinished line is kept aside, a finished one is never looked at again.
"""

from services.errors import LimitExceeded

Frame = tuple[str, bytes, str]  # event, data, id

MAX_LINE = 16 << 20  # bytes; httpx2 stops at 1 MiB, which an image in a data: line exceeds
MAX_EVENT = 16 << 20
FOREVER = 10**15  # ms; int() refuses to read more than 4,300 digits

_BOM = b"\xef\xbb\xbf"
_CR, _LF = 13, 10  # `13 in chunk` is a memchr; with b"\r" CPython first tries and drops an exception, 0.2 us more


class SSEDecoder:
    """Feed it the body of a response, get `(event, data, id)` for every event that a blank line has closed.

    `event` is "message" where the stream names none. `data` is left undecoded, because JSON decoders take bytes; for text
    the standard wants `data.decode("utf-8", "replace")`. `id` is the last event id at that moment.

    `last_event_id` and `retry` (milliseconds, None until the stream says it) are what a reconnecting client needs.
    `max_line` bounds one line, `max_event` the data lines of one event as they came, field names and line ends included:
    many short lines are little text but much memory. LimitExceeded is raised once everything before the breach has been
    returned, so maybe one call later, and from then on by every call.
    """

    def __init__(self, last_event_id: str = "", max_line: int = MAX_LINE, max_event: int = MAX_EVENT) -> None:
        self.last_event_id = last_event_id
        self.retry: int | None = None
        self._max_line = max_line
        self._max_event = max_event
        self._harmless = min(max_line, max_event)  # a chunk up to this size that starts a block cannot hold a breach
        self._breach = ""
        # the open block
        self._event = ""
        self._data: list[bytes] = []
        self._size = 0
        self._id = last_event_id
        # between two chunks
        self._unfinished = bytearray()
        self._at_start = True
        self._after_cr = False
        self._idle = False  # the next byte starts a block, nothing to remember

    def feed(self, chunk: bytes) -> list[Frame]:
        """The events that `chunk` completes, in order; [] means more bytes are needed. Raises LimitExceeded."""
        if data := self.lone_data(chunk):
            return [("message", data, self.last_event_id)]
        self._refuse_if_breached()
        frames: list[Frame] = []
        self._read(self._take_plain(self._complete(chunk), frames), frames)
        self._idle = not (self._unfinished or self._after_cr or self._at_start or self._block_is_open() or self._breach)
        if not frames:
            self._refuse_if_breached()
        return frames

    def lone_data(self, chunk: bytes) -> bytes:
        """The data of a chunk that is exactly one frame of one `data: ` line, which is what a live model server sends; else b"".

        Such a chunk changes nothing here: it need not be fed.
        """
        if (
            self._idle
            and chunk.startswith(b"data: ")
            and chunk.find(b"\n") == len(chunk) - 2
            and chunk[-1] == _LF
            and _CR not in chunk
            and len(chunk) <= self._harmless
        ):
            return chunk[6:-2]
        return b""

    def finish(self) -> list[Frame]:
        """At the end of the stream: the event that the standard discards, because no blank line has closed it.

        A strict client never calls this: what is cut off may be half an event, and the standard would rather lose it.
        A reader of model servers wants it: several end with `data: [DONE]` and no blank line, some without any line end,
        and a half event shows itself as broken JSON. `last_event_id` and `retry` stay as the standard has them.
        """
        self._refuse_if_breached()
        kept = self.last_event_id, self.retry
        frames: list[Frame] = []
        self._read_lines([bytes(self._unfinished), b""], frames)
        self._unfinished.clear()
        self.last_event_id, self.retry = kept
        self._refuse_if_breached()
        return frames

    def _refuse_if_breached(self) -> None:
        if self._breach:
            raise LimitExceeded(self._breach)

    def _block_is_open(self) -> bool:
        return bool(self._data or self._event or self._id != self.last_event_id)

    def _complete(self, chunk: bytes) -> bytes:
        """`chunk` behind the unfinished line; empty while that line, or a byte order mark, goes on."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if self._at_start:
            return self._without_bom(chunk)
        if not self._unfinished:
            return chunk
        if _LF not in chunk and _CR not in chunk:
            self._keep(chunk)
            return b""
        chunk = bytes(self._unfinished) + chunk
        self._unfinished.clear()
        return chunk

    def _without_bom(self, chunk: bytes) -> bytes:
        """One byte order mark at the very start is not text; anywhere else, and a second one, is."""
        chunk = bytes(self._unfinished) + chunk
        self._unfinished.clear()
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._unfinished += chunk
            return b""
        self._at_start = False
        return chunk.removeprefix(_BOM)

    def _take_plain(self, chunk: bytes, frames: list[Frame]) -> bytes:
        """Take the leading blocks when each is one `data: ` line, and return the rest. A short cut: it may decline anything.

        One C-level split for the lot. Counting line ends afterwards proves that no block held anything else.
        """
        if not chunk.startswith(b"data: ") or len(chunk) > self._harmless or self._block_is_open():
            return chunk
        end_of_line = b"\r\n" if chunk[chunk.find(b"\n") - 1] == _CR else b"\n"
        end = chunk.rfind(end_of_line * 2)
        if end < 0:
            return chunk
        payloads = chunk[6:end].split(end_of_line * 2 + b"data: ")
        inner = 2 * (len(payloads) - 1)
        if chunk.count(b"\n", 0, end) != inner or chunk.count(b"\r", 0, end) != inner * (len(end_of_line) - 1):
            return chunk
        id = self.last_event_id
        frames += [("message", payload, id) for payload in payloads]
        return chunk[end + 2 * len(end_of_line) :]

    def _read(self, chunk: bytes, frames: list[Frame]) -> None:
        """Read every finished line of `chunk`, which starts a line, and keep the unfinished one."""
        if not chunk:
            return
        lines = chunk.splitlines()
        last = chunk[-1]
        self._after_cr = last == _CR
        unfinished = lines.pop() if last != _CR and last != _LF else b""
        if len(chunk) > self._max_line:
            lines = self._up_to_limit(lines)
        self._read_lines(lines, frames)
        if unfinished and not self._breach:
            self._keep(unfinished)

    def _read_lines(self, lines: list[bytes], frames: list[Frame]) -> None:
        for line in lines:
            if not line:
                self._close_block(frames)
            elif line.startswith(b"data:") or line == b"data":
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._size += len(line) + 1
                if self._size > self._max_event:
                    self._breach = f"One event of the stream is larger than {self._max_event:,} bytes, the limit."
                    return
            else:
                self._read_field(line)

    def _read_field(self, line: bytes) -> None:
        """Any field but data. A comment is a field without a name; unknown names are ignored."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")  # one space, not all
        if name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id":
            if 0 not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():  # ASCII only; str.isdigit() takes "²", int() takes "+5" and "1_000"
            self.retry = int(value) if len(value) <= 15 else FOREVER

    def _close_block(self, frames: list[Frame]) -> None:
        self.last_event_id = self._id
        if self._data:
            payload = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            frames.append((self._event or "message", payload, self._id))
            self._data.clear()
            self._size = 0
        self._event = ""

    def _keep(self, unfinished: bytes) -> None:
        self._unfinished += unfinished
        if len(self._unfinished) > self._max_line:
            self._breach = self._line_breach()

    def _up_to_limit(self, lines: list[bytes]) -> list[bytes]:
        for number, line in enumerate(lines):
            if len(line) > self._max_line:
                self._breach = self._line_breach()
                return lines[:number]
        return lines

    def _line_breach(self) -> str:
        return f"One line of the stream is longer than {self._max_line:,} bytes, the limit."


def frame(payload: bytes, *, event: str | None = None, id: str | int | None = None, retry: int | None = None) -> bytes:
    """One event whose data is one line, such as a JSON text in UTF-8. Raises ValueError for what the format cannot carry."""
    if event is None and id is None and retry is None:
        return b"data: " + one_line(payload) + b"\n\n"
    return b"%bdata: %b\n\n" % (_head(event, id, retry), one_line(payload))


def text_frame(text: str, *, event: str | None = None, id: str | int | None = None, retry: int | None = None) -> bytes:
    """One event whose data is any text. Its CR and CRLF arrive as LF: the format has no other line break."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.replace("\n", "\ndata: ").encode("utf-8", "replace")  # half a surrogate pair becomes "?", not an error
    return b"%bdata: %b\n\n" % (_head(event, id, retry), lines)


def comment(text: str = "") -> bytes:
    """Something no reader sees: the heartbeat of an idle stream. Send it between frames only.

    It ends with one LF and no blank line, because openai-python makes an empty event of every further blank line once it
    has seen an id. Here str.splitlines() is meant: no reader, however it cuts lines, can take a piece for a field.
    """
    return "".join(f": {line}\n" for line in text.splitlines()).encode("utf-8", "replace") or b":\n"


def one_line(payload: bytes) -> bytes:
    """A JSON text without any character at which some client cuts lines: many split with str.splitlines()."""
    if _LF in payload or _CR in payload:
        raise ValueError(f"Expected one line, got a line break in {payload[:80]!r}.")
    if payload.isascii():
        return payload
    if 0xE2 in payload:  # the lead byte, so that most texts cost one memchr
        payload = payload.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    if 0xC2 in payload:
        payload = payload.replace(b"\xc2\x85", b"\\u0085")
    return payload


def _head(event: str | None, id: str | int | None, retry: int | None) -> bytes:
    head = ""
    if id is not None:
        head = f"id: {_id(id)}\n"
    if event is not None:
        head += f"event: {_one_line_text('event', event)}\n"
    if retry is not None:
        head += f"retry: {_milliseconds(retry)}\n"
    return head.encode()


def _id(id: str | int) -> str | int:
    if isinstance(id, int):
        return id
    if "\0" in id:
        raise ValueError(f"Expected no NUL in id, because readers ignore such an id, got {id[:80]!r}.")
    return _one_line_text("id", id)


def _one_line_text(field: str, text: str) -> str:
    if "\n" in text or "\r" in text:
        raise ValueError(f"Expected no line break in {field}, got {text[:80]!r}.")
    return text


def _milliseconds(retry: int) -> int:
    if retry < 0:
        raise ValueError(f"Expected milliseconds, 0 or more, in retry, got {retry}.")
    return retry
