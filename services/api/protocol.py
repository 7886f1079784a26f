"""uvicorn's protocol, with bounds: of the headers, of the time that they take, of the connections. Without them anybody can hold
any number of connections open with a byte now and then, and send headers for ever. Where all places are taken, who asks nothing
gives way."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.api.capacity import USUAL
from services.api.connection import CONNECTION

REFUSAL = (
    b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\ncache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\ncontent-security-policy: default-src 'none'; frame-ancestors 'none'\r\n\r\n%s"
)
FULL = b"Too many connections are open (gate.connections)."


class Protocol(HttpToolsProtocol):
    """The connection is in the scope of each request: ASGI has no message for a reset, or an answer without an end.

    Here, where the connection is known, and not by way of whose method `send` is: middleware may have wrapped that, and CORS does.
    """

    capacity = USUAL
    waiting: "dict[Protocol, None]"  # of one server: those without a whole request, the longest without one first

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._came = self._count = 0  # bytes and number of the headers of this request
        self._in_body = self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) <= self.capacity.connections:
            self._wait()
        elif longest := next(iter(self.waiting), None):  # else whoever opens connections and asks nothing keeps all others out
            longest.give_way()
            self._wait()
        else:
            self._refuse(b"503 Service Unavailable", FULL)

    def give_way(self) -> None:
        self.waiting.pop(self)
        if self._came:
            self._refuse(b"503 Service Unavailable", FULL)
        else:
            self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():  # else the next one has come already, or it is the last
            self._came = 0
            self.waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        idle = self.cycle is None or self.cycle.response_complete
        if self._deadline is None and idle:
            if self._in_body:  # answered already, and still sending
                self._deadline = self.loop.call_later(self.capacity.body_time, self.transport.close)
            else:
                self._wait()
        self._came += len(data)
        super().data_received(data)
        if self._deadline is not None and not self._in_body and self._came > self.capacity.header_bytes:
            self._too_large()  # a value that never ends is told by nobody but its bytes

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}
        self._count = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count += 1
        if self._count <= self.capacity.header_count:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._in_body = True
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if self._count > self.capacity.header_count or size > self.capacity.header_bytes:
            self._too_large()
        elif not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_waiting()
        self._in_body = False
        if not self._refused:
            super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()
        if not self._refused:
            super().handle_websocket_upgrade()

    def _wait(self) -> None:
        self._came = 0
        self.waiting.pop(self, None)
        self.waiting[self] = None
        self._deadline = self.loop.call_later(self.capacity.header_time, self._too_slow)

    def _stop_waiting(self) -> None:
        self.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._came:
            self._refuse(b"408 Request Timeout", b"The headers of the request came too slowly (gate.header_time).")
        else:
            self.transport.close()  # a browser that connected early, and has nothing to ask

    def _too_large(self) -> None:
        self._refuse(b"431 Request Header Fields Too Large", b"The headers of the request are too many or too large (gate.header_bytes).")

    def _refuse(self, status: bytes, why: bytes) -> None:
        if self._refused:
            return
        self._refused = True
        self._stop_waiting()
        self.transport.write(REFUSAL % (status, len(why), why))
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._refuse(b"400 Bad Request", msg.encode())
