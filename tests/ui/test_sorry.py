"""A page that fails: the server runs with one page more, which does nothing else."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving import served
from tests.ui.axe import Axe

BROKEN = """
from nicegui import ui

@ui.page("/broken")
def broken():
    ui.label("half of it")
    raise RuntimeError("only for the log")
"""


def test_a_page_that_fails_says_so_and_not_why(browser: Browser, axe: Axe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with served(tmp_path) as running, browser.new_context(base_url=running.url) as context:
        page = context.new_page()
        answer = page.goto("/broken")
        assert answer
        assert answer.status == 500
        expect(page.get_by_role("alert")).to_have_text("Headrace itself failed here; its log has the details.")
        axe(page)
        page.emulate_media(color_scheme="dark")
        axe(page)
        assert "only for the log" not in page.content()
        assert "half of it" not in page.content()
        assert "RuntimeError: only for the log" in (tmp_path / "log").read_text()
        page.get_by_role("link", name="Back to the chat").click()
        expect(page.get_by_role("textbox", name="Message")).to_be_visible()
