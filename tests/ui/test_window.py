"""What concerns the window: its keys, its connection, a server that was started anew."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import QUIET, Served, served
from tests.ui.test_chat_page import answers, ask, expect_state, visit


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


def test_the_keys_are_told_and_do_what_they_say(page: Page, headrace: Served) -> None:
    visit(page, headrace.url)
    message = page.get_by_role("textbox", name="Message")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("Control+/")
    expect(keys).to_be_visible()
    expect(keys.get_by_text("Stop the answer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect_state(ask(page, "What can you do?"), "finished")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("textbox", name="New text")).to_have_value("What can you do?")
    page.keyboard.press("Shift+Escape")
    expect(message).to_be_focused()
    page.keyboard.press("Control+b")
    expect(page.get_by_role("button", name="New chat", exact=True)).to_be_hidden()
    page.keyboard.press("Control+b")
    page.keyboard.press("Control+Shift+o")
    expect(page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()


def test_a_page_of_a_server_that_was_started_anew_does_not_lose_what_is_typed(page: Page, tmp_path: Path) -> None:
    with served(tmp_path, QUIET) as first:
        port = re.search(r":(\d+)$", first.url)
        assert port
        visit(page, first.url)
        expect_state(ask(page, "What can you do?"), "finished")
        page.keyboard.press("ArrowUp")
        new = page.get_by_role("textbox", name="New text")
        new.fill("What else?")
    with served(tmp_path, QUIET, "--server.port", port[1]):
        told = page.get_by_role("status").filter(has_text="Headrace was started anew.")
        expect(told).to_be_visible(timeout=30_000)
        expect(new).to_have_value("What else?")
        assert page.evaluate("sessionStorage.loads") == "1"
        told.get_by_role("button", name="Reload").click()
        page.wait_for_function("sessionStorage.loads === '2'")
        expect(answers(page)).to_have_count(1)
        expect(told).to_be_hidden()


def test_a_page_is_not_loaded_again_and_again(page: Page, headrace: Served) -> None:
    """A server that does not know its pages: two replicas behind a proxy that sends each request to another one. It is tried later."""
    page.clock.install()
    page.add_init_script("""addEventListener('DOMContentLoaded', () => {
        if (sessionStorage.loads > 2) return;
        const strange = setInterval(() => {
            if (!window.did_handshake) return;
            clearInterval(strange);
            socket.io.opts.query.client_id = 'nobody';
            socket.disconnect().connect();
        }, 20);
    })""")
    page.goto(headrace.url)
    expect(page.get_by_role("status").filter(has_text="Headrace was started anew.")).to_be_visible(timeout=20_000)
    assert page.evaluate("sessionStorage.loads") == "2"
    page.clock.fast_forward(30_000)
    page.wait_for_function("sessionStorage.loads === '3' && window.socket?.connected", timeout=60_000)


def test_a_page_is_there_again_as_soon_as_there_is_a_network(page: Page, headrace: Served) -> None:
    visit(page, headrace.url)
    page.evaluate("socket.io.reconnectionDelayMax(120_000); socket.io.reconnectionDelay(120_000)")  # it would wait for 60 s at least
    page.context.set_offline(True)
    expect(page.locator("#popup")).to_be_visible()
    page.context.set_offline(False)
    page.wait_for_function("socket.connected", timeout=20_000)
    expect(page.locator("#popup")).to_be_hidden()
    assert page.evaluate("sessionStorage.loads") == "1"
