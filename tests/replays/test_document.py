"""docs/recordings.md by copy and paste: what stands there as code runs, on a file that Headrace wrote."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.recordings.file import decode, encode
from tests.replays.playing import found
from tests.serving import ROOT, Served

DOCUMENT = (ROOT / "docs" / "recordings.md").read_text()
ADDRESS = "http://127.0.0.1:8080"
CODE = re.findall(r"```(python|js)\n(.*?)```", DOCUMENT, re.S)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def fixture(tmp_path: Path) -> bytes:
    """A recording with a read that is no UTF-8 by itself."""
    one = found("openai_chat", "tool_call").recording
    first, *rest = one.reads
    file = encode(one._replace(reads=(first._replace(data=b": caf\xc3"), first._replace(data=b"\xa9\n\n" + first.data), *rest)))
    (tmp_path / "tools-1.headrace").write_bytes(file)
    return file


@pytest.mark.parametrize("number", range(4))
def test_the_code(headrace: Served, fixture: bytes, tmp_path: Path, node: str, number: int) -> None:
    kind, code = CODE[number]
    httpx.put(f"{headrace.url}/recordings/tools-1", content=fixture, trust_env=False).raise_for_status()
    program = tmp_path / ("client.mjs" if kind == "js" else "client.py")
    program.write_text(code.replace(ADDRESS, headrace.url))
    out = run([node if kind == "js" else sys.executable, str(program)], tmp_path)
    one = decode(fixture)
    size = f"openai_chat {len(one.reads)} {len(one.body)}\n"
    calls = sum(b'"tool_calls":[' in read.data.replace(b" ", b"") for read in one.reads)
    assert out == [size, size, f"{calls}\n", "tool_calls\n"][number]


def test_the_file_that_is_shown_is_one() -> None:
    [shown] = re.findall(r"```\n(\{\"headrace\".*?)```", DOCUMENT, re.S)
    one = decode(shown.encode())
    assert (len(one.reads), one.reads[1].data.decode(), one.answered_at) == (3, "✓", 96.1)
