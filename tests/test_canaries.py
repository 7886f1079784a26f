"""Secrets: a key goes to its model server, and nowhere else, whatever that server does with it."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.canaries import KEY
from tests.serving import served

UPSTREAM = '[[upstreams]]\nname = "parrot"\ndialect = "{dialect}"\nbase_url = "http://127.0.0.1:{port}"\n'


class Parrot(BaseHTTPRequestHandler):
    """Refuses in words that hold all it was sent: at once, or where the model is `later`, in a stream."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("content-length", 0)))
        words = f'{{"type": "error", "error": {{"message": "Not with {" ".join(self.headers.values())}!"}}}}'.encode()
        late = b"later" in asked + self.path.encode()
        if late:
            words = b"event: error\ndata: " + words + b"\n\n"
        self.send_response(200 if late else 401)
        self.send_header("content-type", "text/event-stream" if late else "application/json")
        self.send_header("x-echo", KEY)
        self.send_header("content-length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def parrot() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Parrot) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(
    ("dialect", "model"), [("openai_chat", "once"), ("anthropic", "once"), ("anthropic", "later"), ("gemini", "later")]
)
def test_what_a_server_repeats_of_a_key_is_nowhere_to_be_read(tmp_path: Path, parrot: int, dialect: str, model: str) -> None:
    asked = {"model": f"parrot/{model}", "messages": [{"role": "user", "content": "hi"}]}
    with (
        served(tmp_path, UPSTREAM.format(dialect=dialect, port=parrot)) as running,
        httpx.Client(base_url=running.url, trust_env=False) as client,
    ):
        refused = client.post("/v1/chat/completions", json=asked)
        assert refused.status_code == (401 if model == "once" else 502)
        id = client.get("/chat").json()["generations"][0]["id"]
        paths = ["", "/record", "/upstream"]
        told = [client.get(f"/chat/{id}{path}") for path in paths] + [
            client.get("/models?refresh"),
            client.get("/metrics"),
            client.get("/"),
        ]
        assert [answer.status_code for answer in told] == [200] * len(told)
        assert "Not with" in told[0].text
        assert not any(KEY in answer.text or KEY in str(answer.headers) for answer in [refused, *told])


def test_a_leak_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"is in data/notes\.txt, log"):
        leak(tmp_path)


def leak(folder: Path) -> None:
    with served(folder):
        (folder / "data" / "notes.txt").write_text(f"by the way: {KEY}")
        with (folder / "log").open("a") as log:
            log.write(KEY)
