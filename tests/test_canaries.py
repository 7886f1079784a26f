"""Secrets: a key goes to its model server, and nowhere else, whatever that server does with it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.canaries import KEY
from tests.listening import Handler, listening
from tests.serving import served

UPSTREAM = '[[upstreams]]\nname = "parrot"\ndialect = "{dialect}"\nbase_url = "http://127.0.0.1:{port}"\n'


class Parrot(Handler):
    """Refuses in words that hold all it was sent: at once, or where the model is `later`, in a stream."""

    def do_POST(self) -> None:
        asked = self.body()
        words = f'{{"type": "error", "error": {{"message": "Not with {" ".join(self.headers.values())}!"}}}}'.encode()
        if b"later" in asked + self.path.encode():
            self.answer(200, b"event: error\ndata: " + words + b"\n\n", "text/event-stream", x_echo=KEY)
        else:
            self.answer(401, words, x_echo=KEY)

    do_GET = do_POST


@pytest.fixture
def parrot() -> Iterator[int]:
    with listening(Parrot) as port:
        yield port


@pytest.mark.parametrize(
    ("dialect", "model"), [("openai_chat", "once"), ("anthropic", "once"), ("anthropic", "later"), ("gemini", "later")]
)
def test_what_a_server_repeats_of_a_key_is_nowhere_to_be_read(tmp_path: Path, parrot: int, dialect: str, model: str) -> None:
    asked = {"model": f"parrot/{model}", "messages": [{"role": "user", "content": "hi"}]}
    with (
        served(tmp_path, UPSTREAM.format(dialect=dialect, port=parrot)) as running,
        httpx.Client(base_url=running.url, trust_env=False, timeout=60) as client,
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
