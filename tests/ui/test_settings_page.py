"""The settings page as a person uses it: servers, the look, the data; and what is typed as a key is told to nobody."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from tests.serving import Served, served
from tests.ui.axe import Axe
from tests.ui.picking import choose
from tests.ui.test_chat_page import answers, ask, expect_state, visit

SECRET = "sk-canary-0123456789"
FILE = """
[rehearsal]
speed = 400.0
[[upstreams]]
name = "filed"
dialect = "ollama"
base_url = "http://127.0.0.1:9"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


@pytest.fixture(scope="module")
def own(home: Path) -> Iterator[Served]:
    with served(home, FILE) as running:
        yield running
    assert "Traceback" not in (home / "log").read_text()


class Told:
    """Everything that the server sends to the browser: pages, answers, frames."""

    def __init__(self, page: Page) -> None:
        self.texts: list[str] = []
        page.on("websocket", self._listen)
        page.on(
            "response",
            lambda response: self.texts.append(str(response.headers) + (response.text() if "html" in str(response.headers) else "")),
        )

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: self.texts.append(str(payload)))


@pytest.fixture
def page(browser: Browser, own: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def kept(home: Path) -> object:
    return json.loads((home / "data" / "settings.json").read_text())


def fill(page: Page, **fields: str) -> None:
    for label, value in fields.items():
        page.get_by_role("textbox", name=label.replace("_", " "), exact=True).fill(value)


def test_a_server_is_added_tried_and_asked_and_its_key_is_told_to_nobody(page: Page, own: Served, home: Path, headrace: Served) -> None:
    told = Told(page)
    visit(page, own.url)
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Add a server").click()
    form = page.get_by_role("dialog", name="Add a server")
    fill(page, Name="my mill", Address="127.0.0.1")
    page.get_by_role("textbox", name="API key").fill(f"{SECRET} {SECRET}")
    form.get_by_role("button", name="Save").click()
    for words in ("expected a short name", "expected http:// or https://", "expected a key of printable ASCII"):
        expect(form.get_by_role("alert").filter(has_text=words)).to_be_visible()
    expect(page.get_by_role("textbox", name="API key")).to_have_value(f"{SECRET} {SECRET}")
    fill(page, Name="mill", Address=f"{headrace.url}/v1")
    page.get_by_role("textbox", name="API key").fill(SECRET)
    form.get_by_role("button", name="Test").click()
    expect(form.get_by_role("status")).to_contain_text("First token after")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(page.get_by_role("heading", name="mill")).to_be_visible()
    expect(page.get_by_role("button", name="Add a server")).to_be_focused()
    assert kept(home) == {"upstreams": [{"name": "mill", "dialect": "openai_chat", "base_url": f"{headrace.url}/v1", "api_key": SECRET}]}
    edit = page.get_by_role("button", name="Edit mill")
    there = edit.element_handle()
    page.get_by_role("button", name="Test mill").click()
    expect(page.get_by_role("listitem").filter(has_text="mill")).to_contain_text("First token after")
    assert there.evaluate("(button) => button.isConnected")  # who presses it meanwhile has pressed it
    edit.click()
    form = page.get_by_role("dialog", name="Edit mill")
    expect(page.get_by_role("textbox", name="API key")).to_have_value("")
    expect(page.get_by_role("textbox", name="API key")).to_have_attribute("placeholder", re.compile("^set"))
    fill(page, Models="rehearsal/echo")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(page.get_by_role("button", name="Edit mill")).to_be_focused()
    visit(page, own.url)
    choose(page, "rehearsal/echo")
    expect_state(ask(page, "Through two houses"), "finished")
    expect(answers(page)).to_contain_text("Through two houses")
    visit(page, f"{own.url}/settings")
    page.get_by_role("button", name="Remove mill").click()
    expect(page.get_by_role("heading", name="mill")).to_be_hidden()
    assert kept(home) == {"upstreams": []}
    assert any("Through two houses" in text for text in told.texts)
    assert not any(SECRET in text for text in [*told.texts, (home / "log").read_text()])


def test_a_server_of_the_file_is_switched_off_for_good(page: Page, own: Served, home: Path) -> None:
    before = (home / "settings.toml").read_text()
    visit(page, f"{own.url}/settings")
    line = page.get_by_role("listitem").filter(has_text="filed")
    expect(line).to_contain_text("from settings.toml")
    page.get_by_role("switch", name="Use filed").focus()
    page.keyboard.press("Space")
    expect(line).to_contain_text("switched off")
    expect(page.get_by_role("switch", name="Use filed")).to_be_focused()
    page.reload()
    expect(line).to_contain_text("switched off")
    expect(page.get_by_role("switch", name="Use filed")).not_to_be_checked()
    page.get_by_role("button", name="Reset filed to settings.toml").click()
    expect(page.get_by_role("switch", name="Use filed")).to_be_checked()
    assert (home / "settings.toml").read_text() == before


def test_what_a_person_likes_holds_at_once_and_stays(page: Page, own: Served) -> None:
    visit(page, own.url)
    other = page.context.new_page()
    visit(other, f"{own.url}/settings")
    other.get_by_role("radio", name="Dark").check()
    other.get_by_role("radio", name="Large").check()
    other.get_by_role("radio", name="Ctrl+Enter sends").check()
    page.wait_for_function("getComputedStyle(document.body).backgroundColor === 'rgb(24, 25, 27)'")
    message = page.get_by_role("textbox", name="Message")
    message.fill("one")
    page.wait_for_function("document.documentElement.dataset.enter === 'breaks'")
    message.press("Enter")
    expect(message).to_have_value("one\n")
    message.press("Control+Enter")
    expect(answers(page)).to_have_count(1)
    expect_state(answers(page).last, "finished")
    expect(message).to_have_value("")
    message.press("ArrowUp")
    again = page.get_by_role("textbox", name="New text")
    again.press("Enter")
    expect(again).to_have_value("one\n\n")
    again.press("Control+Enter")
    expect(again).to_be_hidden()
    expect(page.get_by_text("The language has changed.")).to_be_hidden()
    other.get_by_label("Language").select_option("Deutsch")
    expect(other.get_by_role("heading", name="Einstellungen")).to_be_visible()
    page.get_by_role("status").filter(has_text="The language has changed.").get_by_role("button", name="Reload").click()
    expect(page.get_by_role("textbox", name="Nachricht")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("html")).to_have_attribute("data-size", "large")
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => (window.first = getComputedStyle(document.documentElement).backgroundColor))"
    )
    page.reload()
    assert page.evaluate("window.first") == "rgb(24, 25, 27)"  # dark before there is anything to see
    other.get_by_role("radio", name="Wie im System").check()
    other.get_by_role("radio", name="Enter sendet", exact=True).check()
    other.get_by_label("Sprache").select_option("")
    expect(other.get_by_role("heading", name="Settings")).to_be_visible()


def test_everything_is_deleted_only_when_the_word_is_typed(page: Page, own: Served) -> None:
    visit(page, own.url)
    expect_state(ask(page, "What can you do?"), "finished")
    page.get_by_role("button", name="Parameters", exact=True).click()
    page.get_by_role("textbox", name="Name of the preset").fill("Mine")
    page.get_by_role("button", name="Save as preset").click()
    expect(page.get_by_role("combobox", name="Model")).to_contain_text("Mine")
    visit(page, f"{own.url}/settings")
    page.get_by_role("button", name="Delete all conversations").click()
    form = page.get_by_role("dialog", name="Delete all conversations")
    form.get_by_role("button", name="Delete everything").click()
    expect(form.get_by_role("alert").filter(has_text="delete")).to_be_visible()
    form.get_by_role("textbox").fill("Delete")
    form.get_by_role("button", name="Delete everything").click()
    expect(form).to_be_hidden()
    expect(page.get_by_text("All conversations and presets are deleted.")).to_be_visible()
    visit(page, own.url)
    expect(page.get_by_role("button", name="Mine")).to_have_count(0)
    expect(page.get_by_role("link", name="What can you do?")).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_on_the_settings(page: Page, own: Served, axe: Axe, look: str) -> None:
    page.emulate_media(color_scheme="light" if look == "light" else "dark")
    visit(page, f"{own.url}/settings")
    expect(page.get_by_role("listitem").filter(has_text="filed")).to_contain_text("does not run")
    axe(page)
    page.get_by_role("button", name="Add a server").click()
    fill(page, Name="no name", Address="none")
    page.get_by_text("Timeouts, in seconds").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="expected http")).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Delete all conversations").click()
    form = page.get_by_role("dialog", name="Delete all conversations")
    expect(form).to_be_visible()
    axe(page)
    page.set_viewport_size({"width": 320, "height": 640})
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    axe(page)
    page.get_by_role("link", name="Every dialect to every client").click()
    expect(page.get_by_role("heading", name="Every dialect to every client", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    axe(page)
