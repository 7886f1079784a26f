"""A request copied as code is run, and asks the same again: by curl, by Node.js, by Python."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from services.messages import Message, Options, Text, Turn
from services.record.code import CODES
from services.record.records import Records
from tests.upstream.model_server import HEAD, WHOLE, chunk, sends, story, upstream

KEY = "canary-4f1d9a0c77"
HARD = 'It\'s "$HOME" `date` ${process} \\ {key}\n</script> €\u2028'
TURN = Turn("m", (Message("user", (Text(HARD),)),), Options(temperature=0.5, seed=7))
PROGRAMS = {"curl": ("bash", "code.sh"), "fetch": ("node", "code.mjs"), "Python": (sys.executable, "code.py")}


@pytest.mark.parametrize("language", CODES)
async def test_it_asks_the_same_again(language: str, tmp_path: Path, node: str) -> None:
    record = Records().begin("g", time.monotonic())
    assert record is not None

    class Recorded:
        async def read(self, turn, emit) -> None:  # type: ignore[no-untyped-def]
            await asked.read(turn, emit, record)

    async with upstream(sends(HEAD, chunk(WHOLE), chunk(b"")), api_key=KEY) as (asked, server):
        await story(Recorded(), TURN)
        code = CODES[language](record.exchanges[0])
        assert KEY not in code
        done = await asyncio.to_thread(run, language, code, tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    first, again = server.requests
    assert done.stdout
    assert body(again) == body(first)
    assert body(first)["messages"][0]["content"] == HARD
    assert b"bearer another-key" in again.lower()


def run(language: str, code: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    program, name = PROGRAMS[language]
    (folder / name).write_text(code, "utf-8")
    env = {**os.environ, "API_KEY": "another-key", "NO_PROXY": "*"}
    return subprocess.run([program, str(folder / name)], env=env, capture_output=True, timeout=60, check=False)


def body(request: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.partition(b"\r\n\r\n")[2])
    return found
