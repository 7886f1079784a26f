"""docs/rehearsal.md by copy and paste: its clients run as they stand there, and its tables have everything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.scenes import SCENES
from services.upstream.rehearsal.tellers import VENDORS
from tests.serving import ROOT, Served

DOCUMENT = (ROOT / "docs" / "rehearsal.md").read_text()
BLOCKS = re.findall(r"```(python|sh)\n(.*?)```", DOCUMENT, re.S)
ENDS = ["response.completed\n", "tool_use\n", "“rain in Köln” and “noon in Europe/Berlin”.\n", "so that encodings show."]


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("code", "end"), list(zip([code for kind, code in BLOCKS if kind == "python"], ENDS, strict=True)), ids=ENDS)
def test_the_clients(swift: Served, tmp_path: Path, code: str, end: str) -> None:
    program = tmp_path / "client.py"
    program.write_text(code.replace("http://127.0.0.1:8080", swift.url))
    assert run([sys.executable, str(program)], tmp_path).endswith(end)


def test_curl(swift: Served, tmp_path: Path) -> None:
    [code] = [code for kind, code in BLOCKS if kind == "sh"]
    out = run(["sh", "-c", code.replace("http://127.0.0.1:8080", swift.url)], tmp_path)
    assert out.startswith("event: message_start\n")
    assert "event: error\n" in out


def test_the_tables() -> None:
    rows = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", DOCUMENT, re.M))))
    assert rows == {*MODELS, *SCENES, *VENDORS}
