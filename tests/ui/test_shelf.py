"""The list of conversations in the sidebar, as a person uses it: a real server, a real browser."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from services.conversations import Conversation
from services.store import open_store
from tests.serving import Served, served
from tests.ui.axe import Axe
from tests.ui.picking import choose
from tests.ui.test_chat_page import LONG, answers, ask, expect_state, new_chat, visit

MODEL = '[chat]\nmodel = "rehearsal/echo"\n[rehearsal]\nspeed = 400.0\n'


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("library"), MODEL) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def page(library: Served, context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    visit(page, library.url)
    yield page
    assert faults == []


def begin(page: Page, title: str) -> None:
    """In the page that is open, if nothing was said in it yet."""
    if answers(page).count():
        new_chat(page)
    expect_state(ask(page, title), "finished")


def line(page: Page, title: str) -> Locator:
    return page.locator(".hr-chat-line").filter(has=page.locator(".hr-chat").get_by_text(title, exact=True))


def order(page: Page, title: str, *what: str) -> None:
    line(page, title).hover()
    page.get_by_role("button", name=f"Options of {title}").click()
    for each in what:
        page.get_by_role("menuitem", name=each).click()


def section(page: Page, name: str) -> Locator:
    return page.locator(".hr-chats section").filter(has=page.get_by_role("heading", name=name))


def test_pinned_filed_and_archived_in_every_window(page: Page, context: BrowserContext, axe: Axe) -> None:
    for title in ("Of mills", "Of wheels", "Of sails"):
        begin(page, title)
    other = context.new_page()
    visit(other, page.url)
    order(page, "Of mills", "Pin")
    order(page, "Of wheels", "Move to folder", "New folder")
    page.get_by_role("textbox", name="Folder name").fill("Water")
    page.keyboard.press("Enter")
    order(page, "Of sails", "Move to archive")
    for each in (page, other):
        expect(section(each, "Pinned").get_by_role("link", name="Of mills")).to_be_visible()
        expect(section(each, "Water").get_by_role("heading")).to_contain_text("1")
        expect(each.get_by_role("link", name="Of sails")).to_have_count(0)
    expect(section(page, "Water").get_by_role("link", name="Of wheels")).to_be_visible()  # opened for who moved it
    expect(section(other, "Water").get_by_role("link")).to_have_count(0)
    order(page, "Of wheels", "Move to folder")
    axe(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Options of Of wheels")).to_be_focused()
    page.reload()
    expect(section(page, "Water").get_by_role("link", name="Of wheels")).to_be_visible()  # still open in this browser
    page.get_by_role("button", name="Rename folder: Water").press("Enter")
    page.get_by_role("textbox", name="Folder name").fill("Wheels")
    page.keyboard.press("Enter")
    for each in (page, other):
        expect(section(each, "Wheels").get_by_role("heading")).to_contain_text("1")
        expect(section(each, "Water")).to_have_count(0)
    expect(section(page, "Wheels").get_by_role("link", name="Of wheels")).to_be_visible()
    section(page, "Archive").get_by_role("button", name="Archive").click()
    order(page, "Of sails", "Take out of archive")
    expect(section(page, "Today").get_by_role("link", name="Of sails")).to_be_visible()
    axe(page)


def test_drawn_into_a_folder_and_out_of_it(page: Page) -> None:
    for title in ("Stays here", "Goes along", "Is drawn"):
        begin(page, title)
    order(page, "Goes along", "Move to folder", "New folder")
    page.get_by_role("textbox", name="Folder name").fill("Drawer")
    page.keyboard.press("Enter")
    folder, today = section(page, "Drawer"), section(page, "Today")
    expect(folder.get_by_role("link")).to_have_count(1)
    order(page, "Is drawn", "Pin")
    draw(page, section(page, "Pinned").get_by_role("link", name="Is drawn"), folder.get_by_role("heading"), folder)
    expect(folder.get_by_role("link", name="Is drawn")).to_be_visible()
    draw(page, folder.get_by_role("link", name="Is drawn"), today.get_by_role("link", name="Stays here"), today)
    expect(today.get_by_role("link", name="Is drawn")).to_be_visible()
    expect(folder.get_by_role("link")).to_have_count(1)
    expect(page.locator(".hr-over, .hr-held")).to_have_count(0)
    page.reload()
    expect(section(page, "Today").get_by_role("link", name="Is drawn")).to_be_visible()


def draw(page: Page, what: Locator, where: Locator, marked: Locator) -> None:
    """With the mouse: pressed, moved by and by, and let go once the place is marked."""
    what.hover()
    page.mouse.down()
    where.hover()
    where.hover(position={"x": 12, "y": 8})  # a drag has to move over its goal
    expect(marked).to_have_class("hr-over")
    page.mouse.up()


def test_deleted_and_brought_back(page: Page) -> None:
    begin(page, "Stays open")
    begin(page, "To be deleted")
    line(page, "Stays open").get_by_role("link").click()
    expect(page).to_have_title("Stays open")
    order(page, "To be deleted", "Delete")
    expect(line(page, "To be deleted")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    line(page, "To be deleted").get_by_role("link").click()
    expect(page).to_have_title("To be deleted")
    order(page, "To be deleted", "Delete")  # the one that is open
    expect(page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(answers(page)).to_contain_text("To be deleted")
    expect(page).to_have_title("To be deleted")


def test_what_is_answered_elsewhere_turns_then_has_a_dot_until_it_is_opened(page: Page, context: BrowserContext) -> None:
    begin(page, "Waiting room")
    other = context.new_page()
    visit(other, page.url.rpartition("/c/")[0])
    choose(other, "longform")
    running = ask(other, LONG)
    expect_state(running, "streaming")
    expect(line(page, LONG).get_by_label("answering")).to_be_visible()
    page.evaluate("window.kept = document.querySelector('.hr-chat[aria-current]')")
    generation = running.get_attribute("data-generation")
    new_chat(other)  # which leaves it running
    page.evaluate("(id) => fetch(`/chat/${id}`, {method: 'DELETE'})", generation)
    expect(line(page, LONG).get_by_label("new answer")).to_be_visible()
    assert page.evaluate("window.kept.isConnected")  # the other lines stayed the elements they were
    line(page, LONG).get_by_role("link").click()
    expect_state(answers(page), "stopped")
    expect(line(page, LONG).get_by_label("new answer")).to_have_count(0)


def test_a_hostile_title_is_text(page: Page) -> None:
    begin(page, "Plain")
    title = "<img src=x onerror=alert(1)> {{ 7 * 7 }} $& \u202egnp"
    order(page, "Plain", "Rename")
    page.get_by_role("textbox", name="Title").fill(title)
    page.keyboard.press("Enter")
    expect(line(page, title)).to_have_count(1)
    line(page, title).hover()
    expect(page.get_by_role("button", name=f"Options of {title}", exact=True)).to_be_visible()


def test_many_are_loaded_by_and_by(tmp_path: Path, context: BrowserContext) -> None:
    with ThreadPoolExecutor(1) as thread:  # Playwright keeps a loop running in this one
        thread.submit(asyncio.run, filled(tmp_path, 350)).result()
    with served(tmp_path, MODEL) as running:
        page = context.new_page()
        visit(page, running.url)
        expect(page.locator(".hr-chat-line")).to_have_count(100)
        page.get_by_role("button", name="Show more").scroll_into_view_if_needed()
        expect(page.locator(".hr-chat-line")).to_have_count(200)
        expect(page.get_by_role("link", name="Conversation 199", exact=True)).to_be_attached()


async def filled(home: Path, many: int) -> None:
    store = open_store("sqlite:///data/headrace.db", home)
    for number in range(many):
        await store.create(Conversation(f"{number:032x}", f"Conversation {number}", 0.0, 1e9 - number, "rehearsal/echo"))
    await store.close()
