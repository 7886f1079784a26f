"""The page when its connection, its tab or its server goes away in the middle of a reply, and comes back.

HEADRACE_OUTAGE=12      seconds offline or frozen; 2 by default
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.reliability.following import count
from tests.serving import QUIET, Served, served
from tests.ui.picking import choose
from tests.ui.test_chat_page import LONG, answers, ask, expect_state, visit, wait_until_longer, whole, words

OUTAGE = count("HEADRACE_OUTAGE", 2)
TOKENS = 100 * (OUTAGE + 4)
SLOW = f"{TOKENS} tokens at 100 tokens/s, only prose"
DRAFT = "What I was about to ask"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.add_init_script("sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1")
    yield page
    context.close()
    assert faults == []


def begin(page: Page, url: str, text: str = SLOW) -> Locator:
    """A reply that grows, and a draft in the composer."""
    visit(page, url)
    choose(page, "longform")
    answer = ask(page, text)
    wait_until_longer(page, answer, 100)
    composer(page).press_sequentially(DRAFT)
    return answer


def composer(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def loads(page: Page) -> int:
    return int(page.evaluate("Number(sessionStorage.loads)"))


def check_as_after_a_reload(page: Page) -> None:
    """Nothing is missing and nothing doubled: it is what a fresh page shows."""
    expect(page.locator('[data-role="user"]')).to_have_count(1)
    expect(answers(page)).to_have_count(1)
    fresh = page.context.new_page()
    visit(fresh, page.url)
    expect(answers(fresh)).to_have_count(1)
    assert whole(answers(fresh)) == whole(answers(page))
    fresh.close()


def test_a_reply_goes_on_after_some_seconds_offline(page: Page, headrace: Served) -> None:
    answer = begin(page, headrace.url)
    page.context.set_offline(True)
    expect(page.locator("#popup")).to_contain_text("Connection lost")
    expect(page.locator("#popup")).to_be_visible()
    before = words(answer)
    time.sleep(OUTAGE)
    assert words(answer) == before
    page.context.set_offline(False)
    expect_state(answer, "finished", timeout=60_000)
    expect(page.locator("#popup")).to_be_hidden()
    check_as_after_a_reload(page)
    expect(composer(page)).to_have_value(DRAFT)
    assert loads(page) == 1


def test_a_tab_that_slept_shows_it_all_when_it_wakes(page: Page, headrace: Served) -> None:
    answer = begin(page, headrace.url)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    time.sleep(OUTAGE)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    expect_state(answer, "finished", timeout=60_000)
    check_as_after_a_reload(page)
    expect(composer(page)).to_have_value(DRAFT)
    assert loads(page) == 1


def test_a_server_that_is_killed_and_comes_back_under_an_open_page(page: Page, tmp_path: Path) -> None:
    with served(tmp_path, QUIET) as first:
        port = re.search(r":(\d+)$", first.url)
        assert port
        answer = begin(page, first.url, LONG)
        before = words(answer)
        first.process.kill()
        expect(page.locator("#popup")).to_be_visible()
        expect(page.locator("#popup")).to_contain_text("Connection lost")
    with served(tmp_path, QUIET, "--server.port", port[1]):
        expect_state(answers(page), "interrupted", timeout=30_000)
        expect(answers(page)).to_have_count(1)
        assert words(answers(page)).startswith(before.rstrip()[:50])
        check_as_after_a_reload(page)
        expect(answers(page)).to_contain_text("Headrace ended while this reply was running")
        expect(answers(page).get_by_role("button", name="Retry")).to_be_visible()
        expect(answers(page).get_by_role("button", name="Continue")).to_be_visible()
        expect(composer(page)).to_have_value(DRAFT)
        assert loads(page) == 2  # a new process knows nothing of the old page
        answers(page).hover()
        answers(page).get_by_role("button", name="Continue").click()
        expect_state(answers(page), "streaming")
        page.get_by_role("button", name="Stop").click()
        expect_state(answers(page), "stopped")
        expect(answers(page)).to_have_count(1)
