"""Shared by all tests: one Headrace in its own process, and one browser."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright

from tests.access import Guarded, guarded
from tests.serving import ROOT, Served, served

CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


# What is to be seen comes soon or not at all; a machine that has other work is given the time to draw it.
expect.set_options(timeout=20_000)
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

AT_ONCE = 3  # test files of a whole run, which mostly wait


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A whole run goes file by file through several processes; a few files are run in this one."""
    if config.args != config.getini("testpaths"):
        return 0
    config.option.dist = "loadfile"
    return AT_ONCE


OF_OTHERS = {"chromium", "node", "headrace", "access"}  # fixtures of tests in which other programs and processes play
ON_ITS_OWN = {"systems", "interop"}  # and their folders


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A machine that is shared with others stalls now and then: there such a test is tried once more, and told at the end, with an R."""
    if not os.environ.get("CI"):
        return
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & OF_OTHERS or item.path.parent.name in ON_ITS_OWN:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def headrace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("headrace")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser. A test that finds none fails: it says what to install."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "These tests drive a real browser: install one, on Debian with `apt-get install chromium`."
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One per module: while it lives Playwright keeps an event loop running, which asynchronous tests cannot share."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        yield running
        running.close()


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    missing = "These tests run JavaScript clients: install Node.js, on Debian with `apt-get install nodejs npm`."
    assert found, missing
    assert shutil.which("npm"), missing
    return found


@pytest.fixture(scope="session")
def node_modules(node: str) -> Path:
    """tests/clients with its npm packages installed."""
    folder = ROOT / "tests" / "clients"
    install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    with (folder / "package.json").open() as alone:  # of the processes that test
        fcntl.flock(alone, fcntl.LOCK_EX)
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A Headrace with a login, two people besides the first one, and keys."""
    with guarded(tmp_path_factory.mktemp("access")) as running:
        yield running
