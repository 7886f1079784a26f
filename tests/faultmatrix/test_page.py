"""The page under the same faults: it says what the log says, keeps what was said, and survives its user and its network."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.faultmatrix.mill import CANARY
from tests.faultmatrix.playing import configured, mill
from tests.faultmatrix.tables import CASES
from tests.serving import QUIET, Served, served
from tests.ui.test_chat_page import answers, ask, expect_state, visit, wait_until_longer, words

SHOWN = ("401", "429-long", "429-seconds", "closed-frame", "error-data", "length", "hostile")
BADGES = {"length": "Cut off: the limit of tokens was reached."}
SLOW = "300 tokens at 100 tokens/s, only prose"


@pytest.fixture(scope="module")
def house() -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as folder, mill() as (_, (port,)):
        settings = QUIET + "[chat]\ntitles = false\n" + "".join(configured(CASES[name], f"http://127.0.0.1:{port}") for name in SHOWN)
        with served(Path(folder), settings) as running:
            yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    yield context
    context.close()
    assert faults == []


def opened(context: BrowserContext, house: Served, model: str) -> Page:
    page = context.new_page()
    visit(page, f"{house.url}/?model={model}")
    return page


def test_the_page_says_what_the_log_says(context: BrowserContext, house: Served) -> None:
    page = context.new_page()
    for name in SHOWN:
        case = CASES[name]
        visit(page, f"{house.url}/?model={name}/m")
        answer = ask(page, "Hello")
        if case.tries > 1:
            expect(answer).to_contain_text("Attempt 2 of 3, in 1 s")
        for _ in range(2):
            expect_state(answers(page), case.state)
            expect(answers(page)).to_contain_text(case.says.format(name=name, host=""))
            expect(answers(page)).to_contain_text(case.quotes)
            expect(answers(page)).to_contain_text(BADGES.get(case.reason, ""))
            expect(answers(page).get_by_role("button", name="Retry")).to_have_count(1 if case.code else 0)
            if case.text == "Hello" or case.code:
                assert "".join(answers(page).locator(".hr-prose").all_text_contents()).strip() == case.text, name
            assert CANARY not in page.content()
            page.reload()
            page.wait_for_function("window.did_handshake === true")


def test_a_tab_that_is_closed_stops_nothing(context: BrowserContext, house: Served) -> None:
    page = opened(context, house, "rehearsal/longform")
    wait_until_longer(page, ask(page, SLOW), 50)
    conversation = page.url
    page.close()
    again = context.new_page()
    visit(again, conversation)
    expect_state(answers(again), "finished")
    wait_until_longer(again, answers(again), 800)


def test_a_network_that_comes_and_goes(context: BrowserContext, house: Served) -> None:
    page = opened(context, house, "rehearsal/longform")
    page.evaluate("window.sameDocument = true")
    answer = ask(page, SLOW)
    wait_until_longer(page, answer, 50)
    for _ in range(10):
        context.set_offline(True)
        page.wait_for_timeout(100)
        context.set_offline(False)
        page.wait_for_timeout(200)
    expect_state(answer, "finished", timeout=60_000)
    shown = words(answer)
    assert page.evaluate("window.sameDocument")
    fresh = context.new_page()
    visit(fresh, page.url)
    expect_state(answers(fresh), "finished")
    assert words(answers(fresh)) == shown
    expect(page.locator('[data-role="user"]')).to_have_count(1)


def test_more_tabs_than_a_browser_has_connections(context: BrowserContext, house: Served) -> None:
    """Of HTTP/1.1 a browser opens six to a host: seven streams would wait for each other, seven pages do not."""
    first = opened(context, house, "rehearsal/longform")
    wait_until_longer(first, ask(first, SLOW), 20)
    tabs = [first, *(context.new_page() for _ in range(6))]
    for tab in tabs[1:]:
        visit(tab, first.url)
    for tab in tabs:
        expect_state(answers(tab), "finished", timeout=60_000)
    assert len({words(answers(tab)) for tab in tabs}) == 1


def test_a_message_that_is_too_long_is_refused_before_it_is_sent(context: BrowserContext, house: Served) -> None:
    page = opened(context, house, "rehearsal/echo")
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill("x" * 1_000_000)
    box.press("Enter")
    expect(page.get_by_text("This message has 1,000,000 characters; 200,000 can be sent.")).to_be_visible()
    assert box.evaluate("(box) => box.value.length") == 1_000_000
    box.fill("short")
    box.press("Enter")
    expect_state(answers(page), "finished")
    expect(page.locator('[data-role="user"]')).to_have_count(1)
