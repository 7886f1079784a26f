"""The pages' websockets: a page listens to its own and to no other, and there are only so many."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.sync.client import connect

from tests.serving import QUIET, Served, served
from tests.ui.axe import Axe
from tests.ui.test_chat_page import answers, ask, expect_state, visit
from tests.ui.test_login import hears


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def generations(headrace: Served) -> int:
    return len(httpx.get(f"{headrace.url}/chat", trust_env=False).json()["generations"])


def test_what_another_websocket_says_for_a_page_is_not_heard(page: Page, headrace: Served) -> None:
    said: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: said.append(str(frame))))
    visit(page, headrace.url)
    expect_state(ask(page, "Hello"), "finished")
    answers(page).last.hover()
    said.clear()
    answers(page).last.get_by_role("button", name="Regenerate", exact=True).click()
    expect(answers(page).last.get_by_text("2/2")).to_be_visible()
    expect_state(answers(page).last, "finished")
    before = generations(headrace)
    presses = [frame for frame in said if frame.startswith('42["event"')]
    assert presses
    with connect(f"{headrace.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?EIO=4&transport=websocket") as stranger:
        stranger.recv()
        stranger.send("40")
        stranger.recv()
        for frame in presses:
            stranger.send(frame)
        stranger.send('42["handshake",{}]')
        stranger.send('420["handshake",{}]')  # answered in its turn
        hears(stranger, "430[false]")
    answers(page).last.hover()
    answers(page).last.get_by_role("button", name="Regenerate", exact=True).click()
    expect(answers(page).last.get_by_text("3/3")).to_be_visible()
    assert generations(headrace) == before + 1


def test_one_tab_too_many_says_so_and_is_there_once_another_is_closed(browser: Browser, axe: Axe, tmp_path: Path) -> None:
    with served(tmp_path, f"[gate]\npeer_sockets = 2\n{QUIET}") as running, browser.new_context() as context:
        tabs = [context.new_page() for _ in range(3)]
        for tab in tabs[:2]:
            visit(tab, running.url)
        refused = tabs[2].goto(running.url)
        assert refused
        assert refused.status == 429
        expect(tabs[2].get_by_role("alert")).to_contain_text("open in too many tabs (gate.peer_sockets). Close one")
        axe(tabs[2])
        expect_state(ask(tabs[1], "Hello"), "finished")
        tabs[0].close()
        for _ in range(300):  # soon, once the server has seen it go
            again = tabs[2].reload()
            assert again
            if again.status == 200:
                break
            tabs[2].wait_for_timeout(50)
        expect_state(ask(tabs[2], "Hello"), "finished")
