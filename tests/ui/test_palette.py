"""The search, as a person uses it: a real server, a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.ui.axe import Axe
from tests.ui.test_chat_page import answers, ask, expect_state
from tests.ui.test_shelf import begin, context, library, page

__all__ = ["context", "library", "page"]


def test_a_message_on_another_branch_is_found_and_opened(page: Page, axe: Axe) -> None:
    begin(page, "The weir at Lütjensee")
    expect_state(ask(page, "Its sluice is of oak"), "finished")
    expect(answers(page)).to_have_count(2)
    question = page.locator('[data-role="user"]').last
    question.hover()
    question.get_by_role("button", name="Edit").click()
    page.get_by_role("textbox", name="New text").fill("Its sluice is of iron")
    page.keyboard.press("Enter")
    expect(answers(page).last).to_contain_text("iron")
    expect_state(answers(page).last, "finished")
    begin(page, "Something else")
    page.keyboard.press("Control+k")
    search = page.get_by_role("combobox", name="Search conversations")
    expect(search).to_be_focused()
    options = page.get_by_role("dialog").get_by_role("option")
    expect(options.first).to_contain_text("New chat")
    expect(options.nth(1)).to_contain_text("Something else")
    search.press_sequentially("SLUICE oak")
    expect(options).to_have_count(2)
    expect(options.first).to_contain_text("The weir at Lütjensee")
    expect(options.first.locator("mark").first).to_have_text("sluice")
    axe(page)
    search.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    assert search.get_attribute("aria-activedescendant") == options.nth(1).get_attribute("id")
    search.press("Enter")
    page.wait_for_url(re.compile(r"/c/\w+\?at=\w+"))
    expect(page.get_by_text("Its sluice is of oak").first).to_be_in_viewport()
    expect(page.get_by_text("iron")).to_have_count(0)


def test_what_cannot_be_found_and_what_is_hostile(page: Page) -> None:
    begin(page, "<b>bold</b> & <img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Search").click()
    search = page.get_by_role("combobox", name="Search conversations")
    search.fill('"; DROP <')
    expect(page.get_by_text("Nothing was found.")).to_be_visible()
    search.fill("<img src")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_contain_text("<b>bold</b> & <img src=x onerror=alert(1)>")
    search.press("Escape")
    expect(search).to_be_hidden()
    expect(page.locator(".hr-search:focus-within")).to_be_visible()  # where it was before
