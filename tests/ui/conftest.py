"""Shared by the tests of the screen: a stage, which is a page with nothing but a text on it."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.serving import ROOT
from tests.ui.axe import Axe, axe
from tests.ui.stage import Stage

__all__ = ["Axe", "axe"]


@pytest.fixture(scope="session")
def stage_url() -> Iterator[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("NICEGUI_", "PYTEST_"))}
    process = subprocess.Popen([sys.executable, "-m", "tests.ui.stage_app"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(10)
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
