"""A client of bare sockets: what came, in which chunks, and how the connection ended."""

import json
import socket
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Heard(NamedTuple):
    head: str
    chunks: list[bytes]
    whole: bool  # the last chunk has come
    end: str  # "fin" or "rst"
    seconds: float  # all of it, at least

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def status(self) -> int:
        return int(self.head.split()[1]) if self.head else 0

    def header(self, name: str) -> str:
        found = [line.partition(": ")[2] for line in self.head.split("\r\n") if line.startswith(f"{name}: ")]
        return found[0] if found else ""


def post(url: str, path: str, body: Any, *headers: str, method: str = "POST", close: bool = True) -> socket.socket:
    """A connection on which this was asked."""
    there = urlsplit(url)
    assert there.hostname
    assert there.port
    sent = json.dumps(body).encode() if body is not None else b""
    asked = [
        f"{method} {path} HTTP/1.1",
        f"Host: {there.hostname}",
        "Content-Type: application/json",
        f"Content-Length: {len(sent)}",
        *headers,
    ]
    connection = socket.create_connection((there.hostname, there.port), timeout=20)
    connection.sendall("\r\n".join([*asked, *(["Connection: close"] if close else []), "", ""]).encode("latin-1") + sent)
    return connection


def hear(connection: socket.socket, since: float | None = None) -> Heard:
    """Everything up to the end of the connection."""
    raw, end = b"", "fin"
    try:
        while read := connection.recv(1 << 20):
            raw += read
    except ConnectionResetError:
        end = "rst"
    seconds = time.monotonic() - since if since is not None else 0.0
    head, _, rest = raw.partition(b"\r\n\r\n")
    chunked = b"transfer-encoding: chunked" in head
    chunks = [] if chunked else [rest]
    whole = not chunked and head != b""
    while rest and not whole:
        size, _, rest = rest.partition(b"\r\n")
        whole = int(size, 16) == 0
        if not whole:
            chunks.append(rest[: int(size, 16)])
            rest = rest[int(size, 16) + 2 :]
    return Heard(head.decode("latin-1"), chunks, whole, end, seconds)


def asked(url: str, path: str, body: Any, *headers: str) -> Heard:
    since = time.monotonic()
    with post(url, path, body, *headers) as connection:
        return hear(connection, since)
