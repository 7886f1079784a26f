"""Several models side by side, as a person compares them: they stream together, one is kept, and the others stay as branches."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.serving import Served, served
from tests.ui.axe import Axe
from tests.ui.picking import choose
from tests.ui.test_chat_page import LONG, answers, ask, expect_state, expect_words, visit, wait_until_longer, whole, words


@pytest.fixture
def page(headrace: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, headrace.url)
    yield page
    context.close()
    assert faults == []


def compare(page: Page, *models: str) -> None:
    choose(page, models[0])
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("button", name="Compare").click()
    for model in models[1:]:
        page.get_by_role("listbox", name="Models").get_by_role("option", name=model).click()
    page.get_by_role("button", name="Done").click()


def column(page: Page, model: str) -> Locator:
    return page.get_by_role("region", name=f"rehearsal/{model}")


def test_three_models_stream_together_and_one_is_kept(page: Page, browser: Browser, axe: Axe) -> None:
    compare(page, "longform", "echo", "thinker")
    message = page.get_by_role("textbox", name="Message")
    ask(page, LONG)
    for model in ("echo", "thinker"):
        expect_state(column(page, model).locator("article"), "finished")
    running = column(page, "longform").locator("article")
    wait_until_longer(page, running, 200)
    axe(page)
    page.get_by_role("button", name="Parameters", exact=True).click()
    expect(page.get_by_label("System prompt")).to_be_visible()
    page.keyboard.press("Escape")  # which stops answers where no dialog is open
    wait_until_longer(page, running, len(words(running)) + 100)

    page.reload()
    page.wait_for_function("window.did_handshake === true")
    expect(answers(page)).to_have_count(3)
    wait_until_longer(page, running, 400)
    column(page, "longform").get_by_role("button", name="Stop").click()
    expect_state(running, "stopped")
    expect(column(page, "echo").locator(".hr-figures")).to_contain_text("rehearsal/echo")
    stopped = whole(running)

    message.fill("And now?")
    message.press("Enter")
    expect(page.get_by_text("Keep one of these answers first")).to_be_visible()
    expect(message).to_have_value("And now?")

    other = browser.new_page()
    visit(other, page.url)
    expect(answers(other)).to_have_count(3)
    column(page, "echo").get_by_role("button", name="Keep this one").click()
    for each in (page, other):
        expect(answers(each)).to_have_count(1)
        expect(answers(each)).to_contain_text(LONG)
        expect(each.get_by_role("combobox", name="Model")).to_contain_text("echo")
    other.close()

    expect(page.locator(".hr-assistant .hr-switch")).to_contain_text("2/3")
    page.get_by_role("button", name="Previous branch").click()
    expect(answers(page)).to_have_attribute("data-state", "stopped")
    expect_words(answers(page), stopped)
    page.get_by_role("button", name="Next branch").click()
    message.press("Enter")
    expect(answers(page)).to_have_count(2)
    expect(answers(page).last).to_contain_text("And now?")


def test_on_a_phone_one_is_seen_at_a_time_and_its_head_stays(page: Page, axe: Axe) -> None:
    compare(page, "guide", "echo")
    ask(page, "Show me what you can render")
    for model in ("guide", "echo"):
        expect_state(column(page, model).locator("article"), "finished")
    page.set_viewport_size({"width": 390, "height": 800})
    tabs = page.get_by_role("group", name="Answers", exact=True)
    expect(column(page, "guide")).to_be_visible()
    expect(column(page, "echo")).to_be_hidden()
    page.locator(".hr-scroll").evaluate("(thread) => (thread.scrollTop = thread.scrollHeight)")
    expect(column(page, "guide").get_by_role("button", name="Keep this one")).to_be_in_viewport()
    expect(tabs.get_by_role("button", name="guide", pressed=True)).to_be_in_viewport()
    tabs.get_by_role("button", name="echo").press("Enter")
    expect(column(page, "echo")).to_be_visible()
    expect(column(page, "guide")).to_be_hidden()
    assert page.evaluate("document.querySelector('.hr-scroll').scrollWidth") <= 390
    axe(page)


def test_a_column_is_asked_again_and_all_are_spread_out_later(page: Page) -> None:
    compare(page, "echo", "thinker")
    ask(page, "Hello")
    for model in ("echo", "thinker"):
        expect_state(column(page, model).locator("article"), "finished")
    before = column(page, "echo").locator("article").get_attribute("data-generation")
    column(page, "echo").get_by_role("button", name="Regenerate").click()
    expect(column(page, "echo").locator("article")).not_to_have_attribute("data-generation", before or "")
    expect_state(column(page, "echo").locator("article"), "finished")
    expect(answers(page)).to_have_count(2)
    column(page, "thinker").get_by_role("button", name="Keep this one").click()
    expect(page.locator(".hr-assistant .hr-switch")).to_contain_text("2/3")
    page.get_by_role("button", name="Side by side").click()
    expect(answers(page)).to_have_count(2)


def test_stop_in_the_composer_stops_all(tmp_path: Path, browser: Browser) -> None:
    with served(tmp_path, "[rehearsal]\nspeed = 2.0\n") as slow:  # where none ends by itself before it is stopped
        page = browser.new_page()
        visit(page, slow.url)
        compare(page, "longform", "thinker")
        ask(page, LONG)
        expect(answers(page)).to_have_count(2)
        page.get_by_role("button", name="Stop", exact=True).click()
        for answer in answers(page).all():
            expect(answer).to_have_attribute("data-state", "stopped")
        expect(page.get_by_role("button", name="Send")).to_be_visible()
        page.close()


def test_another_model_answers_the_same_question_and_the_conversation_goes_on_with_it(page: Page) -> None:
    choose(page, "echo")
    expect_state(ask(page, "Why?"), "finished")
    page.get_by_role("button", name="Ask another model").click()
    page.get_by_role("listbox", name="Models").get_by_role("option", name="thinker").click()
    expect(answers(page).locator("summary")).to_contain_text("Thought")
    expect(page.locator(".hr-assistant .hr-switch")).to_contain_text("2/2")
    expect(page.get_by_role("combobox", name="Model")).to_contain_text("thinker")
