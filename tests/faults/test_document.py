"""docs/faults.md by copy and paste, and its table from the catalogue."""

import re
import subprocess
import sys
from pathlib import Path

import httpx

from services.faults import FAULTS
from tests.faults.document import DOCUMENT, written
from tests.serving import Served

BLOCKS = re.findall(r"```(python|sh)\n(.*?)```", DOCUMENT.read_text(), re.S)


def test_the_table_is_the_catalogue() -> None:
    assert DOCUMENT.read_text() == written(DOCUMENT.read_text()), "python -m tests.faults.document"


def test_the_list(mock: Served) -> None:
    listed = httpx.get(f"{mock.url}/rehearsal/faults", trust_env=False, timeout=20).json()["faults"]
    assert [fault["name"] for fault in listed] == list(FAULTS)
    assert all(fault["does"] and fault["expect"] and fault["applies_to"] and fault["outcomes"] for fault in listed)
    [drip] = [fault for fault in listed if fault["name"] == "drip"]
    assert drip["parameter"] == {"usual": "1000", "unit": "bytes a second", "least": 1.0, "most": 1_000_000.0, "words": []}


def test_the_clients(mock: Served, tmp_path: Path) -> None:
    ends = iter(["cut off\n", "529 overloaded_error\n"])
    for kind, code in BLOCKS:
        if kind == "python":
            program = tmp_path / "client.py"
            program.write_text(code.replace("http://127.0.0.1:8080", mock.url))
            done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=False)
            assert (done.stdout, done.returncode) == (next(ends), 0), done.stderr


def test_curl(mock: Served) -> None:
    reset, split = [
        subprocess.run(["sh", "-c", code.replace("http://127.0.0.1:8080", mock.url)], capture_output=True, timeout=60, check=False)
        for kind, code in BLOCKS
        if kind == "sh"
    ]
    assert reset.returncode == 56  # curl: failure in receiving
    assert b'"type":"delta"' in reset.stdout
    assert b'"type":"end"' not in reset.stdout
    assert split.returncode == 0
    assert split.stdout.endswith(b'data: {"type":"message_stop"}\r\n\r\n')
