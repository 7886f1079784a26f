"""Edit, regenerate, continue, branches, rename, delete, and a server that comes back: in a real browser, on a real server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.serving import QUIET, Served, served
from tests.ui.picking import choose
from tests.ui.test_chat_page import (
    LONG,
    answers,
    ask,
    expect_bodies,
    expect_state,
    expect_words,
    plain,
    visit,
    wait_until_longer,
    whole,
    words,
)

SLOW = "400 tokens at 100 tokens/s, only prose"  # four seconds, which nothing in a test may depend on
TO_STOP = "1000 tokens at 100 tokens/s, only prose"


@pytest.fixture
def page(headrace: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    visit(page, headrace.url)
    yield page
    context.close()
    assert faults == []


def questions(page: Page) -> Locator:
    return page.locator('[data-role="user"]')


def press(message: Locator, name: str) -> None:
    message.hover()
    message.get_by_role("button", name=name, exact=True).click()


def test_a_question_is_edited_and_both_branches_stay(page: Page) -> None:
    choose(page, "echo")
    expect_state(ask(page, "First"), "finished")
    expect_state(ask(page, "Second"), "finished")
    press(questions(page).first, "Edit")
    box = page.get_by_role("textbox", name="New text")
    expect(box).to_have_value("First")
    box.fill("Changed")
    box.press("Enter")
    expect(answers(page)).to_have_count(1)
    expect_state(answers(page), "finished")
    expect_bodies(page, ["Changed", "Changed"])
    expect(questions(page).get_by_text("2/2")).to_be_visible()
    page.reload()
    expect(answers(page)).to_have_count(1)
    expect_bodies(page, ["Changed", "Changed"])
    press(questions(page).first, "Previous branch")
    expect(answers(page)).to_have_count(2)
    expect_bodies(page, ["First", "First", "Second", "Second"])
    expect(questions(page).first.get_by_role("button", name="Previous branch")).to_be_disabled()
    press(questions(page).first, "Next branch")
    expect(answers(page)).to_have_count(1)


def test_editing_may_be_left_and_an_edit_that_is_refused_stays(page: Page) -> None:
    choose(page, "echo")
    expect_state(ask(page, "First"), "finished")
    press(questions(page).first, "Edit")
    page.get_by_role("textbox", name="New text").fill("Other")
    page.keyboard.press("Escape")
    expect(page.get_by_role("textbox", name="New text")).to_be_hidden()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    expect(questions(page)).to_contain_text("First")
    choose(page, "longform")
    running = ask(page, LONG)
    expect_state(running, "streaming")
    press(questions(page).first, "Edit")
    box = page.get_by_role("textbox", name="New text")
    box.fill("Refused")
    box.press("Enter")
    expect(page.get_by_text("An answer in this conversation is still running").first).to_be_visible()
    expect(box).to_have_value("Refused")
    expect(answers(page)).to_have_count(2)
    page.get_by_role("button", name="Stop").click()


def test_an_answer_is_regenerated_with_another_model(page: Page) -> None:
    choose(page, "echo")
    expect_state(ask(page, "First"), "finished")
    expect_state(ask(page, "Second"), "finished")
    choose(page, "scenes")
    press(answers(page).first, "Regenerate")
    expect(answers(page)).to_have_count(1)
    expect_state(answers(page), "finished")
    expect(answers(page)).to_contain_text("I play scenes")
    expect(answers(page).get_by_text("2/2")).to_be_visible()
    press(answers(page).first, "Previous branch")
    expect(answers(page)).to_have_count(2)
    expect_bodies(page, ["First", "First", "Second", "Second"])


def test_a_double_click_regenerates_once(page: Page) -> None:
    choose(page, "echo")
    expect_state(ask(page, "First"), "finished")
    button = answers(page).first.get_by_role("button", name="Regenerate", exact=True)
    button.evaluate("button => { button.click(); button.click(); }")
    expect(answers(page).get_by_text("2/2")).to_be_visible()
    expect_state(answers(page), "finished")
    page.reload()
    expect(answers(page).get_by_text("2/2")).to_be_visible()


def test_a_message_that_arrives_twice_is_sent_once(page: Page) -> None:
    """A resent event of the page's socket, before the conversation has an address and after."""
    choose(page, "echo")
    page.evaluate(
        "() => { const emit = window.socket.emit; window.socket.emit = function (...given) {"
        " emit.apply(this, given);"
        " if (given[0] === 'event' && JSON.stringify(given).includes('thrice')) { emit.apply(this, given); emit.apply(this, given); } }; }"
    )
    expect_state(ask(page, "thrice one"), "finished")
    expect_state(ask(page, "thrice two"), "finished")
    expect_bodies(page, ["thrice one", "thrice one", "thrice two", "thrice two"])
    page.reload()
    expect(answers(page)).to_have_count(2)
    expect(page.get_by_role("link", name="thrice one")).to_have_count(1)


def test_a_stopped_answer_goes_on_as_one_message(page: Page) -> None:
    other = page.context.new_page()
    visit(other, page.url)
    for each in (other, page):
        choose(each, "longform")
        answer = ask(each, TO_STOP)
    wait_until_longer(page, answer, 200)
    page.get_by_role("button", name="Stop").click()
    expect_state(answer, "stopped")
    said = whole(answer)
    press(answer, "Continue")
    expect_state(answers(page), "streaming")
    wait_until_longer(page, answers(page), len(said))
    assert plain(words(answers(page))).startswith(plain(said))
    expect_state(answers(page), "finished")
    expect(answers(page)).to_have_count(1)
    assert answers(page).locator(".hr-prose").count() == 1
    expect(answers(page).get_by_role("button", name="Continue")).to_be_hidden()
    live = whole(answers(page))
    assert plain(live).startswith(plain(said))
    assert len(live) > len(said)
    page.reload()
    expect_state(answers(page), "finished")
    expect_words(answers(page), live)
    # What was cut and continued is the very answer that was not cut.
    expect_state(answers(other), "finished")
    expect_words(answers(other), live)
    other.close()


def test_another_branch_is_looked_at_while_an_answer_runs(page: Page) -> None:
    choose(page, "echo")
    expect_state(ask(page, LONG), "finished")
    choose(page, "longform")
    press(answers(page).first, "Regenerate")
    expect_state(answers(page), "streaming")
    wait_until_longer(page, answers(page), 200)
    other = page.context.new_page()
    visit(other, page.url)
    wait_until_longer(other, answers(other), 300)
    generation = answers(page).get_attribute("data-generation")
    press(answers(other), "Previous branch")
    for each in (page, other):
        expect(answers(each)).to_contain_text(LONG)
        assert words(answers(each)).strip() == LONG  # a tab in the background draws nothing
    press(answers(page), "Next branch")
    for each in (page, other):
        expect(answers(each)).to_have_attribute("data-generation", generation or "")
    page.get_by_role("button", name="Stop").click()
    for each in (page, other):
        expect_state(answers(each), "stopped")
    expect_words(answers(other), whole(answers(page)))
    other.close()


def test_a_failed_answer_is_retried(page: Page) -> None:
    choose(page, "scenes")
    answer = ask(page, "overloaded")
    expect_state(answer, "failed")
    choose(page, "echo")
    answer.get_by_role("button", name="Retry").click()
    expect_state(answers(page), "finished")
    expect(answers(page).get_by_text("2/2")).to_be_visible()


def test_a_conversation_is_renamed_and_deleted_while_it_streams(page: Page) -> None:
    choose(page, "longform")
    answer = ask(page, LONG + ", to be deleted")
    expect_state(answer, "streaming")
    other = page.context.new_page()
    visit(other, page.url)
    line = page.locator(".hr-chat-line").first
    press(line, f"Options of {LONG}, to be deleted")
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("textbox", name="Title").fill("The race")
    page.keyboard.press("Enter")
    expect(other.get_by_role("link", name="The race")).to_be_visible()
    expect(page).to_have_title("The race")
    press(page.locator(".hr-chat-line").first, "Options of The race")
    page.get_by_role("menuitem", name="Delete").click()
    for each in (page, other):
        expect(each).to_have_url(re.compile(r"/$"))
        expect(each.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
        expect(each.get_by_role("link", name="The race")).to_have_count(0)
    other.close()


def restarted(page: Page) -> None:
    """The page has noticed, and been loaded again, once."""
    page.wait_for_function("window.loads === undefined && window.did_handshake === true", timeout=30_000)


def test_the_server_restarts_under_an_open_page(tmp_path: Path, browser: Browser) -> None:
    page = browser.new_page()
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))
    with served(tmp_path) as running:
        port = running.url.rpartition(":")[2]
        visit(page, running.url)
        choose(page, "echo")
        expect_state(ask(page, "Hello"), "finished")
        choose(page, "longform")
        answer = ask(page, LONG)
        wait_until_longer(page, answer, 300)
        page.get_by_role("textbox", name="Message").fill("a draft")
        page.evaluate("window.loads = 1")
        address, before = page.url, len(loads)
        assert running.terminate() == 0
        shown = words(answer)
    with served(tmp_path, QUIET, "--server.port", port):
        restarted(page)
        assert page.url == address
        expect_state(answers(page).last, "interrupted")
        assert words(answers(page).last).startswith(shown)
        expect(page.get_by_role("textbox", name="Message")).to_have_value("a draft")
        expect(questions(page).locator(".hr-bubble")).to_have_text(["Hello", LONG])
        expect(answers(page)).to_have_count(2)
        expect(answers(page).first.locator(".hr-body")).to_have_text("Hello")
        expect(answers(page).last.get_by_role("button", name="Retry")).to_be_visible()
        press(answers(page).last, "Continue")
        expect_state(answers(page).last, "streaming")
        page.get_by_role("button", name="Stop").click()
        expect_state(answers(page).last, "stopped")
        assert plain(words(answers(page).last)).startswith(plain(shown))
        assert questions(page).count() == answers(page).count() == 2
        assert len(loads) == before + 1
    page.close()


def test_a_message_whose_server_was_lost_before_it_answered_is_not_doubled(tmp_path: Path, browser: Browser) -> None:
    """It was stored, and the page was never told: pressing Enter again joins it."""
    page = browser.new_page()
    with served(tmp_path) as running:
        port = running.url.rpartition(":")[2]
        visit(page, running.url)
        choose(page, "echo")
        ask(page, "Hello")
        expect_state(answers(page), "finished")
        page.evaluate("window.loads = 1")
        sent = "sessionStorage.setItem('sent ' + location.pathname, JSON.stringify({text: 'Again', id: 'c'.repeat(32)}))"
        page.evaluate(sent)
        ask(page, "Again")
        expect(answers(page)).to_have_count(2)
        expect_state(answers(page).last, "finished")
        page.evaluate(sent)  # as if nobody had said that it was taken
        page.get_by_role("textbox", name="Message").fill("Again")
        running.terminate()
    with served(tmp_path, QUIET, "--server.port", port):
        restarted(page)
        expect(answers(page)).to_have_count(2)
        expect(page.get_by_role("textbox", name="Message")).to_have_value("")
        expect_bodies(page, ["Hello", "Hello", "Again", "Again"])
    page.close()


def test_offline_and_back_everything_is_there_once(headrace: Served, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    visit(page, headrace.url)
    choose(page, "longform")
    answer = ask(page, SLOW)
    wait_until_longer(page, answer, 100)
    page.get_by_role("textbox", name="Message").fill("a draft")
    context.set_offline(True)
    page.evaluate("window.socket.disconnect()")
    page.wait_for_function("!window.socket.connected")
    context.set_offline(False)
    page.wait_for_function("window.socket.connected")  # the browser says that it is online
    expect_state(answers(page), "finished")
    live = whole(answers(page))
    expect(page.get_by_role("textbox", name="Message")).to_have_value("a draft")
    page.reload()
    expect_state(answers(page), "finished")
    expect_words(answers(page), live)
    expect(questions(page)).to_have_count(1)
    context.close()
