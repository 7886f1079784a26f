"""Whoever else a test needs at the end of a wire (a model server, a collector, a stranger's web page): an HTTP server in a thread."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DONE = b"data: [DONE]\n\n"


class Handler(BaseHTTPRequestHandler):
    """A test's own has `do_GET` and `do_POST`, and says in them what it answers. It logs nothing."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status: int, body: object = b"", media: str = "application/json", **headers: str) -> None:
        """Bytes as they are, anything else as JSON; `x_echo=...` is the header x-echo."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": media, "content-length": str(len(sent)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(sent)

    def stream(self, *events: object) -> None:
        """Bytes as they are, anything else as an event with it as JSON; then the connection ends."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for event in events:
            self.wfile.write(event if isinstance(event, bytes) else b"data: " + json.dumps(event).encode() + b"\n\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def listening(handler: type[Handler]) -> Iterator[int]:
    """Its port, on 127.0.0.1."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
