"""A browser that is twenty times slower than the reply: it is not buried under patches, Stop works, and the end arrives."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Served
from tests.ui.picking import choose

PIECES = "{const refs = document.querySelector('#app')._vnode.component.proxy.$refs;"
COUNT = (
    PIECES + "const piece = refs['r' + [...document.querySelectorAll('.hr-prose')].at(-1).id.slice(1)]; piece.blocks.count ?? piece.count}"
)


@pytest.fixture
def slow(headrace: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.goto(headrace.url)
    page.wait_for_function("window.did_handshake === true")
    choose(page, "longform")
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 20})
    yield page
    context.close()


def test_the_end_arrives(slow: Page) -> None:
    slow.get_by_role("textbox", name="Message").fill("600 tokens at 300 tokens/s")
    slow.keyboard.press("Enter")
    answer = slow.locator('[data-role="assistant"]').last
    expect(answer).to_have_attribute("data-state", "finished", timeout=60_000)
    assert slow.evaluate(COUNT) < 100  # of 600 deltas


def test_stop_works(slow: Page) -> None:
    slow.get_by_role("textbox", name="Message").fill("60000 tokens at 300 tokens/s")
    slow.keyboard.press("Enter")
    answer = slow.locator('[data-role="assistant"]').last
    expect(answer).to_have_attribute("data-state", "streaming", timeout=60_000)
    slow.get_by_role("button", name="Stop").click(timeout=60_000)
    expect(answer).to_have_attribute("data-state", "stopped", timeout=60_000)
