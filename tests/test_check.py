"""`main.py check`, as one runs it: a record on stdout, the exit code, and a sentence on stderr when there is something to say."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.check.record import DataPath, Exchange, Machine, Record, installed, markdown
from services.models import Listing, Model
from tests.serving import ROOT, Served

ONLY_REHEARSAL = "[rehearsal]\nspeed = 2000.0\n"
DEAD = """
[[upstreams]]
name = "dead"
dialect = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
api_key = "sk-very-secret"
models = ["m"]
"""
OTHER = """
[[upstreams]]
name = "other"
dialect = "openai_chat"
base_url = "{url}/v1"
"""


def check(folder: Path, *words: str, settings: str = ONLY_REHEARSAL) -> "subprocess.CompletedProcess[str]":
    (folder / "settings.toml").write_text(settings)
    (folder / "settings.toml").chmod(0o600)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "NICEGUI_", "PYTEST_"))}
    env["HEADRACE_SETTINGS"] = str(folder / "settings.toml")
    command = [sys.executable, str(ROOT / "main.py"), "check", *words]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_default_model_answers(tmp_path: Path) -> None:
    done = check(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "**Succeeded**: rehearsal/guide answered." in done.stdout
    assert f"| Python | {platform.python_implementation()} {platform.python_version()} |" in done.stdout
    assert f"| settings | {tmp_path / 'settings.toml'} |" in done.stdout
    assert re.search(r"^\| rehearsal \| .* \| running \| guide, echo", done.stdout, re.MULTILINE)
    assert re.search(r"^\| TTFT \| \d+ ms \|$", done.stdout, re.MULTILINE)
    assert re.search(r"^\| tokens/s \| \d+\.\d \|$", done.stdout, re.MULTILINE)
    assert "| finish reason | stop |" in done.stdout
    assert 'event: created\ndata: {"type":"created"' in done.stdout
    assert "- No model server can be asked: only the built-in rehearsal" in done.stdout


def test_as_json(tmp_path: Path) -> None:
    done = check(tmp_path, "rehearsal/echo", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(done.stdout)
    assert record["problem"] is None
    exchange = record["exchange"]
    assert exchange["model"] == "rehearsal/echo"
    assert exchange["text"] == exchange["request"]["messages"][0]["content"]
    assert exchange["finish_reason"] == "stop"
    assert 0 < exchange["ttft_ms"] <= exchange["ms"]
    assert exchange["output_tokens"] > 0
    assert record["machine"]["packages"]["nicegui"]
    assert record["data"]["journal"] == "sqlite"


@pytest.mark.parametrize("words", [("--json", "rehearsal/ecko"), ("rehearsal/ecko", "--json")])
def test_an_unknown_model(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = check(tmp_path, *words)
    assert done.returncode == 1
    assert done.stderr.startswith("No model is called 'rehearsal/ecko'. Nearest: rehearsal/echo")
    record = json.loads(done.stdout)
    assert record["problem"] == done.stderr.strip()
    assert record["exchange"] is None


def test_a_dead_upstream_is_told_and_its_key_is_not(tmp_path: Path) -> None:
    done = check(tmp_path, "dead/m", settings=ONLY_REHEARSAL + DEAD)
    assert done.returncode == 1
    assert re.search(r"^\| dead \| 127\.0\.0\.1:9 \| not running \|", done.stdout, re.MULTILINE)
    assert f"**Failed**: {done.stderr.strip()}" in done.stdout
    assert "no token counts" not in done.stdout  # there was no answer to count
    assert "127.0.0.1:9" in done.stderr
    assert "sk-very-secret" not in done.stdout + done.stderr


def test_another_servers_model_over_a_real_connection(tmp_path: Path, headrace: Served) -> None:
    done = check(tmp_path, "other/rehearsal/scenes", "--json", settings=ONLY_REHEARSAL + OTHER.format(url=headrace.url))
    record = json.loads(done.stdout)
    assert (done.returncode, record["exchange"]["model"]) == (0, "other/rehearsal/scenes")
    (other,) = [upstream for upstream in record["upstreams"] if upstream["name"] == "other"]
    assert other["state"] == "running"
    assert "rehearsal/echo" in [model["name"] for model in other["models"]]


def test_the_settings_own_flags_stand_beside_its_words(tmp_path: Path) -> None:
    done = check(tmp_path, "--rehearsal.speed", "5000", "rehearsal/echo", "--chat.model=rehearsal/thinker", "--json")
    assert (done.returncode, json.loads(done.stdout)["exchange"]["model"]) == (0, "rehearsal/echo")
    done = check(tmp_path, "--chat.model=rehearsal/thinker", "--json")
    assert json.loads(done.stdout)["exchange"]["model"] == "rehearsal/thinker"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("rehearsal/echo", "rehearsal/guide"), "Expected one model, or none for the default one, got 2"),
        (("--jsno",), "flag --jsno: unknown"),
        (("--server.port", "many"), "flag --server.port: server.port"),
    ],
)
def test_wrong_words(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    done = check(tmp_path, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr


def test_help(tmp_path: Path) -> None:
    done = check(tmp_path, "--help")
    assert done.returncode == 0
    assert "main.py check [MODEL] [--json]" in done.stdout


def test_what_servers_say_cannot_break_the_record_or_move_the_cursor() -> None:
    machine = Machine("CPython", {}, "Linux", "CPU", 2, None)
    exchange = Exchange("up/m", {}, [], "a\n```\n# Not a heading\x1b[2J", None, None, None, None, None)
    upstreams = [Listing("up", "host", "running", (Model("a|b\nc"),))]
    text = markdown(Record("now", "It said \x1b[31mno.", machine, DataPath("f", "memory", "memory"), upstreams, exchange, ["one\ntwo"]))
    assert "\x1b" not in text
    assert "````\na\n```\n# Not a heading [2J\n````" in text
    assert "| a\\|b c |" in text
    assert "- one two\n" in text


def test_a_package_that_is_not_here_is_left_out() -> None:
    assert list(installed(("msgspec", "no-such-package"))) == ["msgspec"]
