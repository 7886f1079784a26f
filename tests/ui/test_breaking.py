"""A conversation that is broken on purpose: chosen in the drawer, seen in the reply, told by a chip, and over with a click on that."""

from playwright.sync_api import Browser, Page, expect

from tests.serving import Served
from tests.ui.axe import Axe


def ask(page: Page, words: str) -> None:
    page.get_by_role("textbox", name="Message").fill(words)
    page.keyboard.press("Enter")


def test_a_conversation_is_broken_and_mended(headrace: Served, browser: Browser, axe: Axe) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(headrace.url)
    page.get_by_role("button", name="Parameters").click()
    page.get_by_label("Break this conversation's stream on purpose").select_option("end-middle")
    expect(page.get_by_role("status").filter(has_text="the response ends as if it were whole")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Close", exact=True).click()
    chip = page.get_by_role("button", name="Stop breaking the stream: end-middle")
    expect(chip).to_be_visible()
    ask(page, "Hello")
    expect(page.locator('[data-role="assistant"]').last).to_have_attribute("data-state", "failed", timeout=15_000)
    axe(page)
    page.reload()
    chip.click()
    expect(chip).to_be_hidden()
    ask(page, "And now?")
    expect(page.locator('[data-role="assistant"]').last).to_have_attribute("data-state", "finished", timeout=30_000)
    context.close()
