"""Access for everybody: axe finds nothing on what the chat page can show, light and dark, wide and narrow; and it fits 320 px."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Served
from tests.ui.axe import Axe
from tests.ui.picking import choose
from tests.ui.test_chat_page import ask, expect_state, visit

OVER = ":is(dialog[open], .q-dialog__inner, .q-menu, [role=dialog], [role=menu]):visible"
SCENES = {"reasoning": "finished", "tools": "finished", "length": "finished", "error": "failed"}


def open_by(page: Page, key: str = "", button: str = "") -> None:
    """What lies over the page, and Escape to leave it."""
    if key:
        page.keyboard.press(key)
    else:
        page.get_by_role("button", name=button).first.click()
    expect(page.locator(OVER).first).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing(headrace: Served, browser: Browser, axe: Axe, look: str) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme="dark" if look == "dark" else "light")
    page = context.new_page()
    visit(page, headrace.url)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    axe(page)
    page.get_by_role("combobox", name="Model").click()
    expect(page.get_by_role("listbox", name="Models")).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect_state(ask(page, "Show me what you can render"), "finished")
    axe(page)
    choose(page, "scenes")
    for scene, state in SCENES.items():
        expect_state(ask(page, scene), state)
    expect(page.get_by_role("heading", name="Show me what you can render", level=1)).to_have_count(1)
    axe(page)
    for key, button in (("Control+k", ""), ("Control+/", ""), ("", "Options of"), ("", "Parameters")):
        open_by(page, key, button)
        axe(page)
        page.keyboard.press("Escape")
        expect(page.locator(OVER)).to_have_count(0)
    generation = page.locator("[data-generation]").last.get_attribute("data-generation")
    for address in ("/inspect", f"/inspect/{generation}"):
        visit(page, headrace.url + address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        axe(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Replies")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Show me what you can render", level=1)).to_have_count(1)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    axe(page)
    page.get_by_role("button", name="Toggle sidebar").click()
    expect(page.get_by_role("link", name="Settings")).to_be_visible()
    axe(page)
    context.close()
