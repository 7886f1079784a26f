"""A network between a client and a server: it cuts what passes, breaks when told to, and overhears."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Network:
    """`url` leads to the server. The last `held` bytes of its answers arrive with what follows them, or late; the first answer
    of more than `breaks` bytes ends in the middle.
    """

    def __init__(self, server: str, held: int, breaks: int | None) -> None:
        there = urlsplit(server)
        assert there.hostname
        assert there.port
        self._there = (there.hostname, there.port)
        self._held = held
        self._breaks = breaks
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked: list[bytes] = []  # what each connection's client has sent
        self.broken = 0
        self._closed: set[int] = set()
        self._change = threading.Condition()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def heard(self) -> str:
        return b"".join(self.asked).decode()

    def wait_until_closed(self, words: bytes, patience: float = 30.0) -> bool:
        """Whether the connections that these words went up on, of which there must be one, have been closed by one of their ends."""
        with self._change:
            return self._change.wait_for(lambda: self._all_closed(words), patience)

    def _all_closed(self, words: bytes) -> bool:
        theirs = {number for number, asked in enumerate(self.asked) if words in asked}
        return bool(theirs) and theirs <= self._closed

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._there)
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [client, server]
                number = len(self.asked)
                self.asked.append(b"")
                threading.Thread(target=self._up, args=(number, client, server), daemon=True).start()
                threading.Thread(target=self._down, args=(number, server, client), daemon=True).start()

    def _up(self, number: int, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while chunk := client.recv(65536):
                self.asked[number] += chunk
                server.sendall(chunk)
        _close(server)

    def _down(self, number: int, server: socket.socket, client: socket.socket) -> None:
        waiting, passed, gone = b"", 0, False
        with suppress(OSError):
            while not gone:
                if self._held and not _speaks(server, 0.05):
                    ready, waiting = waiting, b""
                    client.sendall(ready)
                chunk = server.recv(65536)
                breaks = self._breaks is not None and passed + len(chunk) > self._breaks
                gone = not chunk or breaks
                waiting += chunk[: (self._breaks or 0) - passed] if breaks else chunk
                cut = len(waiting) if gone else max(0, len(waiting) - self._held)
                client.sendall(waiting[:cut])
                waiting = waiting[cut:]
                passed += len(chunk)
                if breaks:
                    self._breaks = None
                    self.broken += 1
        _close(client)
        _close(server)
        with self._change:
            self._closed.add(number)
            self._change.notify_all()

    def close(self) -> None:
        for end in (self._listening, *self._sockets):
            _close(end)
            end.close()


def _speaks(end: socket.socket, within: float) -> bool:
    """It has sent something, or closes; `within` seconds. (`select` is for a process with few files.)"""
    waiting = select.poll()
    waiting.register(end, select.POLLIN)
    return bool(waiting.poll(within * 1000))


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def network(server: str, *, held: int = 0, breaks: int | None = None) -> Iterator[Network]:
    between = Network(server, held, breaks)
    try:
        yield between
    finally:
        between.close()
