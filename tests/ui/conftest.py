"""Shared by the tests of the screen: a stage, which is a page with nothing but a text on it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage

from tests.serving import ROOT
from tests.ui.axe import Axe, axe
from tests.ui.stage import Stage

__all__ = ["Axe", "axe"]

# Every test of the screen is a test of the pages' policy, too: what a browser would not let them do, it says in its console.
VIOLATIONS = ("Content Security Policy", "requires 'Trusted")
violated: list[str] = []
new_context = Browser.new_context


def listened_to(browser: Browser, **wishes: Any) -> BrowserContext:
    context = new_context(browser, **wishes)
    context.on("console", note)
    return context


def note(message: ConsoleMessage) -> None:
    if any(words in message.text for words in VIOLATIONS):
        violated.append(f"{message.location}: {message.text}")


Browser.new_context = listened_to  # type: ignore[assignment, method-assign]


@pytest.fixture(autouse=True)
def refused() -> Iterator[list[str]]:
    """What the policy refused; nothing, once the test is over."""
    violated.clear()
    yield violated
    assert violated == []


@pytest.fixture(scope="session")
def stage_url() -> Iterator[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("NICEGUI_", "PYTEST_"))}
    process = subprocess.Popen([sys.executable, "-m", "tests.ui.stage_app"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(30)
    process.stdout.close()


@pytest.fixture
def on(browser: Browser, stage_url: str, request: pytest.FixtureRequest) -> Iterator[Stage]:
    context = browser.new_context(viewport={"width": 800, "height": 700}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield Stage(page, stage_url, request.node.name)
    context.close()
    assert faults == []
