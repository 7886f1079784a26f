"""The process itself: how it starts, refuses to start, and ends."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.wire.sse import SSEDecoder
from tests.serving import QUIET, ROOT, served

LONG = {"messages": [{"role": "user", "content": "20000 tokens at 200 tokens/s"}]}


def read_until(chunks: "httpx.Response", wanted: bytes) -> bytes:
    seen = b""
    for chunk in chunks.iter_raw():
        seen += chunk
        if wanted in seen:
            return seen
    raise AssertionError(f"no {wanted!r} in {seen[-300:]!r}")


def test_sigterm_ends_open_streams_with_their_terminal_event(tmp_path: Path) -> None:
    with (
        served(tmp_path, "[server]\ndrain = 0.5\n" + QUIET) as running,
        httpx.Client(base_url=running.url, trust_env=False, timeout=20) as client,
    ):
        started = [client.build_request("POST", "/chat?model=rehearsal/longform", json=LONG) for _ in range(5)]
        streams = [client.send(request, stream=True) for request in started]
        bodies = [stream.iter_raw() for stream in streams]
        seen = [next(body) for body in bodies]
        running.process.send_signal(signal.SIGTERM)
        whole = [first + b"".join(body) for first, body in zip(seen, bodies, strict=True)]
        assert running.process.wait(30) == 0
    for body in whole:
        kind, data, _ = SSEDecoder().feed(body)[-1]
        assert (kind, json.loads(data)["code"]) == ("failed", "interrupted")


def test_sigterm_gives_short_replies_time_to_end(tmp_path: Path) -> None:
    hello = {"messages": [{"role": "user", "content": "60 tokens at 100 tokens/s"}]}
    with served(tmp_path, QUIET) as running, httpx.Client(base_url=running.url, trust_env=False, timeout=20) as client:
        stream = client.send(client.build_request("POST", "/chat?model=rehearsal/longform", json=hello), stream=True)
        body = stream.iter_raw()
        seen = next(body)
        running.process.send_signal(signal.SIGTERM)
        kind, data, _ = SSEDecoder().feed(seen + b"".join(body))[-1]
        assert (kind, json.loads(data)["reason"]) == ("end", "stop")
        assert running.process.wait(30) == 0


def test_it_ends_at_once_when_nothing_runs(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        assert httpx.get(f"{running.url}/healthz", trust_env=False).status_code == 200
        assert running.terminate() == 0


def refusal_to_start(tmp_path: Path, settings: str, *flags: str) -> str:
    file = tmp_path / "settings.toml"
    file.write_text(settings)
    command = [sys.executable, str(ROOT / "main.py"), *flags]
    done = subprocess.run(command, env={"HEADRACE_SETTINGS": str(file)}, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal_to_start(tmp_path, f"[server]\nport = {port}\n")
    assert f"Cannot listen on 127.0.0.1:{port}" in said
    assert "--server.port" in said


@pytest.mark.parametrize(
    ("settings", "flags", "words"),
    [
        ("[server]\nprot = 1\n", (), "server.prot: unknown; did you mean port?"),
        ("[server]\nport = 'x'\n", (), 'server.port = "x": expected a whole number'),
        ("", ("--server.port", "x"), "flag --server.port"),
        ('[[upstreams]]\nname = "a"\ndialect = "ollama"\nbase_url = "nowhere"\n', (), "upstreams[a].base_url"),
        (
            '[[upstreams]]\nname = "a"\ndialect = "ollama"\nbase_url = "http://a"\napi_key = "${NOT_SET_ANYWHERE}"\n',
            (),
            "NOT_SET_ANYWHERE is not set",
        ),
    ],
)
def test_settings_that_cannot_be_used_stop_the_start(tmp_path: Path, settings: str, flags: tuple[str, ...], words: str) -> None:
    assert words in refusal_to_start(tmp_path, settings, *flags)
