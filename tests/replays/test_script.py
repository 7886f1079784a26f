"""Scripted replies: docs/rehearsal.md's own file does what it says, is read again when it changes, and mistakes have a line."""

import json
import os
import re
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from services.errors import SettingsError
from services.settings.replies import LOOKED_AT, read_replies
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.repertoire import Repertoire
from services.upstream.rehearsal.scripted import Scripted
from services.upstream.rehearsal.server import Rehearsal
from tests.serving import ROOT
from tests.upstream.reading import read, reply
from tests.upstream.rehearsing import chat

[EXAMPLE] = re.findall(r"```toml\n(\[\[reply.*?)```", (ROOT / "docs" / "rehearsal.md").read_text(), re.S)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "replies.toml"
    written.write_text(EXAMPLE)
    return written


async def ask(scripted: Scripted, messages: list[dict[str, Any]], **more: object) -> tuple[int, bytes, float]:
    """Status, body, and the seconds that it took."""
    clock = Stepped()
    clock.step(1_000_000)
    server = Rehearsal(60.0, clock, repertoire=Repertoire(scripted=scripted))
    body = {"model": "script", "messages": messages, "stream": True, "stream_options": {"include_usage": True}, **more}
    answer = await server.answer("POST", "/chat/completions", json.dumps(body).encode())
    async with aclosing(answer.chunks) as chunks:
        return answer.status, b"".join([chunk async for chunk in chunks]), clock.now()


async def test_a_loop_of_tools(file: Path) -> None:
    scripted = Scripted(file)
    asked = chat("What is the WEATHER like?")
    _, body, _ = await ask(scripted, asked)
    told = reply(read("openai_chat", [body]))
    assert [getattr(part, "input", None) for part in told.parts] == [None, {"city": "Köln"}]
    assert told.reason == "tool_calls"
    answered = [*asked, {"role": "assistant", "content": ""}, {"role": "tool", "tool_call_id": "1", "content": "rain"}]
    _, body, _ = await ask(scripted, answered)
    told = reply(read("openai_chat", [body]))
    assert (told.message.text, told.reason) == ("It rains in Köln.", "stop")
    assert told.usage is not None
    assert (told.usage.input_tokens, told.usage.output_tokens) == (120, 7)


async def test_pace_finish_errors_and_the_rest(file: Path) -> None:
    scripted = Scripted(file)
    _, body, took = await ask(scripted, chat("long, please"))
    told = reply(read("openai_chat", [body]))
    pieces = body.count(b'"content"') - 1
    assert told.reason == "length"
    assert took == pytest.approx(0.5 + pieces / 20)
    status, body, _ = await ask(scripted, chat("busy?"))
    assert (status, json.loads(body)["error"]["message"]) == (429, "Not now.")
    _, body, _ = await ask(scripted, chat("something else"))
    assert reply(read("openai_chat", [body])).message.text == "I was not told what to say to this."


def change(file: Path, text: str, moment: int) -> None:
    file.write_text(text)
    os.utime(file, (moment, moment))


async def test_the_file_is_read_again_when_it_changes(file: Path) -> None:
    scripted = Scripted(file)
    change(file, '[[reply]]\ntext = "Another one."\n', 1)
    _, body, _ = await ask(scripted, chat("weather"))
    assert reply(read("openai_chat", [body])).message.text == "Another one."
    change(file, "[[reply]]\ntexd = 1\n", 2)
    status, body, _ = await ask(scripted, chat("weather"))
    assert status == 500
    assert "replies.toml, line 2: reply[#1].texd: unknown; did you mean text?" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "line 1: reply: expected tables that each begin with [[reply]]"),
        ("x = = 1", "expected TOML"),
        ('[[reply]]\ntext = "a"\n\n[[reply]]\n\npace = 0', "line 6: reply[#2].pace: expected more than 0"),
        ('[[reply]]\n[reply.error]\nstatus = 200\nmessage = ""', "line 2: reply[#1].error.status: expected at least 400"),
        ("[[reply]]\ntext = 3", "line 2: reply[#1].text: expected text"),
        ('[[reply]]\ntool_calls = [{ name = "" }]', "line 2: reply[#1].tool_calls[#1].name: expected text that is not empty"),
        ('[[reply]]\nfinish = "later"', "line 2: reply[#1].finish: expected 'stop'"),
        ('[[reply]]\nmatch_regex = "("', "expected a regular expression"),
        *(
            (f"[[reply]]\nmatch_regex = '{slow}'", "ends soon on any text")
            for slow in ("(a+)+$", "(a|a)*$", "((a*)b?)+", "(?:x+y?)*", "a*a*a*$", "(a{1,})+", r"(\d+|\w)*!", "([ab]+)*", "(a|b){2,}")
        ),
        (r"[[reply]]" + "\nmatch_regex = '(a)\\1'", "references"),
    ],
)
def test_mistakes(tmp_path: Path, written: str, sentence: str) -> None:
    file = tmp_path / "replies.toml"
    file.write_text(written)
    with pytest.raises(SettingsError) as caught:
        read_replies(file)
    assert sentence in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("usual", ["^hello", "weather.*(Berlin|Köln)", r"\bin (\w+)$", "[()+*]{2}", r"a\+b", "(?i)why|how", r"^\d{1,3}.?$"])
def test_usual_patterns_may_be_used(tmp_path: Path, usual: str) -> None:
    file = tmp_path / "replies.toml"
    file.write_text(f"[[reply]]\nmatch_regex = '{usual}'\n")
    [one] = read_replies(file)
    assert not one.fits("-" * LOOKED_AT + usual, answered=False)


def test_a_mistake_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[rehearsal]\nscript = "replies.toml"\n')
    (tmp_path / "replies.toml").write_text('[[reply]]\ntext = "a"\nspeed = 3\n')
    env = {**os.environ, "HEADRACE_SETTINGS": str(tmp_path / "settings.toml")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--server.port", "0"], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "replies.toml, line 3: reply[#1].speed: unknown" in done.stderr
