"""A model server of OpenAI's dialect with as many models as one likes, which keeps what it was asked."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Recorder(NamedTuple):
    url: str
    asked: list[dict[str, Any]]


@contextmanager
def recorder(models: Sequence[dict[str, Any]]) -> Iterator[Recorder]:
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("application/json", json.dumps({"data": models}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not str(body["messages"][-1]["content"]).startswith("Write a title"):  # which the page wants by itself
                asked.append(body)
            delta = {"choices": [{"index": 0, "delta": {"content": f"{body['model']} has answered."}, "finish_reason": "stop"}]}
            usage = {"choices": [], "usage": {"prompt_tokens": 2000, "completion_tokens": 1000}}
            self._answer("text/event-stream", f"data: {json.dumps(delta)}\n\ndata: {json.dumps(usage)}\n\ndata: [DONE]\n\n")

        def _answer(self, media: str, body: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Recorder(f"http://127.0.0.1:{server.server_port}/v1", asked)
    server.shutdown()
    thread.join()
    server.server_close()
