"""The two scripts of docs/lab.md by copy and paste, for some of the cases: the check of one's own client."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT, Served

SOME = '["none", "crlf", "no-terminator", "http-500"]'


def block(language: str) -> str:
    found = re.search(rf"## The client check.*?```{language}\n(.*?)```", (ROOT / "docs" / "lab.md").read_text(), re.S)
    assert found, f"docs/lab.md has no {language} block"
    return found[1]


@pytest.mark.parametrize(
    ("language", "of", "said"),
    [
        ("python", '"client": "openai for Python"', "| **false success** | It has all of the text"),  # so OpenAI's SDK is, by itself
        ("js", 'client: "my fetch"', "4 of 4 correct"),
    ],
)
def test_it_runs_as_it_stands(headrace: Served, node: str, tmp_path: Path, language: str, of: str, said: str) -> None:
    code = block(language).replace("http://127.0.0.1:8080", headrace.url)
    assert of in code
    only = f'"only": {SOME}' if language == "python" else f"only: {SOME}"
    script = tmp_path / f"check.{'py' if language == 'python' else 'mjs'}"
    script.write_text(code.replace(of, f"{of}, {only}"))
    program = sys.executable if language == "python" else node
    done = subprocess.run([program, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
