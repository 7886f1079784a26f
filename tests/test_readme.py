"""The README's clients by copy and paste: each test runs the very text that stands there, against a real server."""

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage

from tests.serving import ROOT, Served

ADDRESS = "http://127.0.0.1:8080"
GREETING = "rehearsal"  # a word of the guide's answer to "Hello"


def snippet(title: str, language: str) -> str:
    """The first code block of a language after a bold title."""
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"\*\*{re.escape(title)}.*?```{language}\n(.*?)```", text, re.S)
    assert found, f"README.md has no {language} block under {title!r}"
    return found.group(1)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_browser(browser: Browser, headrace: Served, code: str) -> list[str]:
    """Run code as the browser's console would, on a page of this origin; what it logged."""
    page = browser.new_page(bypass_csp=True)
    logged: list[str] = []

    def note(message: ConsoleMessage) -> None:
        logged.append(message.text)

    page.on("console", note)
    page.goto(f"{headrace.url}/healthz")
    page.evaluate(f"async () => {{ {code.replace(ADDRESS, headrace.url)} }}")
    if not logged:
        page.wait_for_event("console")
    page.close()
    return logged


def test_curl(headrace: Served, tmp_path: Path) -> None:
    script = snippet("curl", "sh").replace(ADDRESS, headrace.url)
    out = run(["sh", "-c", script], tmp_path)
    assert out.startswith("id: 1\nevent: created\n")
    assert '"type":"end","reason":"stop"' in out


def test_browser_fetch(headrace: Served, browser: Browser) -> None:
    (line,) = in_browser(browser, headrace, snippet("Browser, fetch", "js"))
    assert line.startswith("end ")
    assert GREETING in line


def test_browser_event_source(headrace: Served, browser: Browser) -> None:
    (line,) = in_browser(browser, headrace, snippet("Browser, EventSource", "js"))
    assert line.startswith("end ")
    assert GREETING in line


def test_openai_python(headrace: Served, tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(snippet("OpenAI's SDK for Python", "python").replace(ADDRESS, headrace.url))
    assert GREETING in run([sys.executable, str(script)], tmp_path)


def test_openai_node(headrace: Served, node: str, node_modules: Path) -> None:
    script = node_modules / "readme.gen.mjs"
    script.write_text(snippet("OpenAI's SDK for Node", "js").replace(ADDRESS, headrace.url))
    try:
        assert GREETING in run([node, str(script)], node_modules)
    finally:
        script.unlink()


def test_both_commands_stand_in_single_lines_that_work_by_themselves() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert "pip install uv && uv run main.py" in lines
    assert "pip install uv && uv run pytest" in lines
