"""What kind of body a model server sends, told from its first bytes: headers lie, bytes do not. No JSON and no dialect here."""

from typing import Literal

Kind = Literal["stream", "json", "page"]

_BOM = b"\xef\xbb\xbf"
_FIELD = b"error:"


class Opening:
    """Feed it until it knows. White space before the first telling byte means nothing: some servers keep a line alive with it."""

    __slots__ = ("_head",)

    def __init__(self) -> None:
        self._head = b""

    def feed(self, data: bytes) -> tuple[Kind | None, bytes]:
        """The kind and the bytes to read it from; None while more is needed."""
        head = self._head + data
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return None, b""
        self._head = b""
        head = head.removeprefix(_BOM).lstrip()
        match head[:1]:
            case b"":
                return None, b""
            case b"{" | b"[":
                return "json", head
            case b"<":
                return "page", head
        return "stream", head


class ErrorField:
    """Makes `event: error` and `data:` of a line `error: {...}`, which old llama.cpp wrote and every decoder drops.

    Its stream went on to [DONE] as if all were well. No line is held back but one that may be beginning like that.
    """

    __slots__ = ("_at_line_start", "_held")

    def __init__(self) -> None:
        self._at_line_start = True
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        if self._held:
            data, self._held, self._at_line_start = self._held + data, b"", True
        if b"\nerror:" in data:
            data = data.replace(b"\nerror:", b"\nevent: error\ndata:")
        if self._at_line_start and data[:1] == b"e" and data.startswith(_FIELD):
            data = b"event: error\ndata:" + data.removeprefix(_FIELD)
        if not data.endswith(b"\n"):
            return self._without_beginning(data)
        self._at_line_start = True
        return data

    @property
    def between(self) -> bool:
        """The next byte begins a line."""
        return self._at_line_start and not self._held

    def finish(self) -> bytes:
        return self._held

    def _without_beginning(self, data: bytes) -> bytes:
        end = data.rfind(b"\n") + 1
        last = data[end:]
        if last and (end or self._at_line_start) and _FIELD.startswith(last):
            self._held = last
            return data[:end]
        self._at_line_start = self._at_line_start and not data
        return data
