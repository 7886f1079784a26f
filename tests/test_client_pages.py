"""The pages of docs/clients by copy and paste: every block that can run is run as it stands there, against a real server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT, Served

PAGES = ROOT / "docs" / "clients"
ADDRESS = "http://127.0.0.1:8080"
GREETING = "rehearsal"  # a word of the guide's answer to "Hello"


def blocks(page: str, language: str) -> list[str]:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no {language} block"
    return found


def ran(command: list[str], folder: Path, **env: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **env})
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_group(group: str, *command: str) -> list[str]:
    """In the environment of a group of tests/clients/pyproject.toml, which uv makes once."""
    uv = shutil.which("uv")
    assert uv, "This test runs a client through uv: `pip install uv`."
    return [uv, "run", "-q", "--isolated", "--project", str(ROOT / "tests" / "clients"), "--only-group", group, *command]


def test_every_page_is_tested_here_and_in_the_index() -> None:
    pages = {page.name for page in PAGES.glob("*.md")}
    tested = set(re.findall(r'"([\w-]+\.md)"', Path(__file__).read_text()))
    index = (ROOT / "README.md").read_text()
    assert pages == tested - {"README.md"}
    assert [page for page in sorted(pages) if f"(docs/clients/{page})" not in index] == []


@pytest.mark.parametrize("page", ["openai-python.md", "anthropic-python.md", "ollama-python.md"])
def test_python(headrace: Served, tmp_path: Path, page: str) -> None:
    for code in blocks(page, "python"):
        (tmp_path / "client.py").write_text(code.replace(ADDRESS, headrace.url))
        assert GREETING in ran([sys.executable, "client.py"], tmp_path)


@pytest.mark.parametrize("page", ["openai-node.md", "anthropic-node.md", "ollama-js.md", "ai-sdk.md", "ai-sdk-providers.md"])
def test_node(headrace: Served, node: str, node_modules: Path, page: str) -> None:
    for code in blocks(page, "js"):
        assert GREETING in ran([node, "--input-type=module", "-e", code.replace(ADDRESS, headrace.url)], node_modules)


def test_use_chat_has_the_transport_that_runs() -> None:
    (react,), (plain,) = blocks("ai-sdk.md", "jsx"), blocks("ai-sdk.md", "js")
    line = next(line for line in plain.splitlines() if "new DefaultChatTransport" in line)
    assert line in react


def test_curl(headrace: Served, tmp_path: Path) -> None:
    for code in blocks("curl.md", "sh"):
        told = ran(["sh", "-c", code.replace(ADDRESS, headrace.url)], tmp_path)
        assert GREETING in re.sub(r"(\n|^id: .*\n|^data: )", "", told, flags=re.MULTILINE) or '"reason":"stop"' in told


def test_langchain(headrace: Served, tmp_path: Path) -> None:
    (code,) = blocks("langchain.md", "python")
    (tmp_path / "client.py").write_text(code.replace(ADDRESS, headrace.url))
    assert GREETING in ran(in_group("langchain", "python", str(tmp_path / "client.py")), tmp_path)


def test_llm(headrace: Served, tmp_path: Path) -> None:
    (code,) = blocks("llm.md", "sh")
    folder = tmp_path / "llm"
    assert GREETING in ran(in_group("llm", "sh", "-c", code.replace(ADDRESS, headrace.url)), tmp_path, LLM_USER_PATH=str(folder))
    assert ADDRESS not in (folder / "extra-openai-models.yaml").read_text()
