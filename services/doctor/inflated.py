"""A body that a proxy has compressed, as far as it has come: to see when what is in it arrives. Bounded by who feeds it."""

import zlib

MOST = 1_000_000  # bytes that one read may become


class Inflated:
    def __init__(self, encoding: str) -> None:
        self._reader = zlib.decompressobj(47) if encoding in ("gzip", "deflate") else None

    def feed(self, data: bytes) -> bytes:
        """Nothing, where it is no such body."""
        if self._reader is None:
            return data
        try:
            return self._reader.decompress(data, MOST)
        except zlib.error:
            return b""
