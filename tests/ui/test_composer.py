"""What a person puts in: files, long pastes, messages that wait, and how much of it a model can take. A real server, a real browser."""

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, Route, expect

from tests.attachments.samples import pdf, png
from tests.listening import Handler, listening
from tests.serving import Served, served
from tests.ui.axe import Axe
from tests.ui.picking import choose

MODELS = {"data": [{"id": "blind", "context_length": 1000, "capabilities": {"vision": False}}]}
HELD = Path(__file__).parent.parent / "recordings" / "openai_chat" / "hello.sse"
SETTINGS = """
[rehearsal]
speed = 400.0

[attachments]
bytes = 50_000
side = 256
paste = 2_000

[[upstreams]]
name = "shop"
dialect = "openai_chat"
base_url = "http://127.0.0.1:{port}/v1"
"""


class Shop(Handler):
    """A model server that tells what its model can take, and answers nothing."""

    def do_GET(self) -> None:
        self.answer(200, MODELS)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with listening(Shop) as port, served(tmp_path_factory.mktemp("composer"), SETTINGS.format(port=port)) as running:
        yield running


@pytest.fixture
def page(house: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800}, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    begin(page, house, "rehearsal/echo")
    yield page
    context.close()
    assert faults == []


def begin(page: Page, house: Served, model: str) -> None:
    page.goto(f"{house.url}/?model={model}")
    page.wait_for_function("window.did_handshake === true")


def again(page: Page) -> None:
    page.reload()
    page.wait_for_function("window.did_handshake === true")


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def chips(page: Page) -> Locator:
    return page.locator(".hr-chosen .hr-attachment")


def here(page: Page, many: int) -> None:
    expect(page.locator(".hr-chosen .hr-attachment[data-state=here]")).to_have_count(many)
    expect(chips(page)).to_have_count(many)


def answers(page: Page) -> Locator:
    return page.locator('[data-role="assistant"]')


def finished(page: Page, many: int) -> None:
    expect(page.locator('[data-role="assistant"][data-state="finished"]')).to_have_count(many, timeout=20_000)


def pick(page: Page, *files: tuple[str, bytes]) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files([FilePayload(name=name, mimeType="", buffer=body) for name, body in files])


def paste(page: Page, what: str) -> None:
    """`what`: JavaScript of the items to be on the clipboard."""
    page.evaluate(f"async () => navigator.clipboard.write([new ClipboardItem({what})])")
    box(page).press("Control+v")


def paste_text(page: Page, text: str) -> None:
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    box(page).press("Control+v")


def drop(page: Page, name: str, body: bytes) -> None:
    make = """([name, body]) => {
        const moved = new DataTransfer();
        moved.items.add(new File([Uint8Array.from(atob(body), (c) => c.charCodeAt(0))], name));
        return moved;
    }"""
    moved = page.evaluate_handle(make, [name, base64.b64encode(body).decode()])
    page.dispatch_event(".hr-scroll, .hr-welcome", "dragenter", {"dataTransfer": moved})
    expect(page.locator(".hr-main[data-dropping]")).to_have_attribute("data-dropping", "Drop files to attach them")
    page.dispatch_event(".hr-welcome", "drop", {"dataTransfer": moved})
    expect(page.locator(".hr-main[data-dropping]")).to_have_count(0)


def test_files_are_pasted_dropped_picked_removed_sent_and_kept(page: Page, house: Served, axe: Axe) -> None:
    picture = base64.b64encode(png(600, 400)).decode()
    paste(page, f"{{'image/png': new Blob([Uint8Array.from(atob('{picture}'), (c) => c.charCodeAt())], {{type: 'image/png'}})}}")
    here(page, 1)
    drop(page, "notes.md", b"# Alpha")
    pick(page, ("paper.pdf", pdf("Beta one", "Beta two")), ("extra.txt", b"Gamma"))
    here(page, 4)
    expect(chips(page).filter(has_text="paper.pdf")).to_contain_text("2 pages")
    page.get_by_role("button", name="Remove extra.txt").click()
    here(page, 3)
    box(page).fill("What is this?")
    axe(page)

    again(page)
    here(page, 3)
    expect(box(page)).to_have_value("What is this?")
    box(page).press("Enter")
    finished(page, 1)
    here(page, 0)
    expect(answers(page)).to_contain_text("# Alpha")
    expect(answers(page)).to_contain_text("Beta two")
    expect(answers(page)).not_to_contain_text("Gamma")

    other = page.context.new_page()
    other.goto(page.url)
    for seen in (page, other):
        question = seen.locator('[data-role="user"]')
        expect(question.get_by_role("link")).to_have_count(2)
        source = str(question.locator("img").get_attribute("src"))
        shown = httpx.get(house.url + source, timeout=60)
        assert (shown.headers["content-type"], int.from_bytes(shown.content[16:20], "big")) == ("image/png", 256)
    other.close()
    page.locator('[data-role="user"]').get_by_role("button", name="larger").click()
    expect(page.get_by_role("dialog").locator("img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    box(page).press("ArrowUp")
    page.locator(".hr-editor").get_by_role("button", name="Remove paper.pdf").click()
    page.get_by_role("textbox", name="New text").fill("And this?")
    page.get_by_role("textbox", name="New text").press("Enter")
    expect(answers(page)).to_contain_text("And this?")
    expect(answers(page)).to_contain_text("# Alpha")
    expect(answers(page)).not_to_contain_text("Beta two")
    expect(page.locator('[data-role="user"]').get_by_role("link")).to_have_count(1)


def test_what_cannot_be_attached_is_refused_by_name(page: Page, house: Served) -> None:
    pick(page, ("large.txt", b"a" * 50_001))
    expect(page.get_by_text("large.txt is larger than 50 kB")).to_be_visible()
    pick(page, ("tool.exe", b"MZ\0\0"))
    expect(page.get_by_text("tool.exe is a binary file")).to_be_visible()
    here(page, 0)

    begin(page, house, "shop/blind")
    pick(page, ("mill.png", png()))
    here(page, 1)
    box(page).fill("What is this?")
    box(page).press("Enter")
    expect(page.get_by_text("mill.png cannot be seen by shop/blind")).to_be_visible()
    here(page, 1)
    expect(box(page)).to_have_value("What is this?")
    expect(answers(page)).to_have_count(0)


def test_a_long_paste_becomes_a_file_and_one_click_makes_it_text_again(page: Page) -> None:
    long = "Water runs. " * 200
    paste_text(page, long)
    here(page, 1)
    expect(box(page)).to_have_value("")
    page.get_by_role("button", name="Keep as text").click()
    here(page, 0)
    expect(box(page)).to_have_value(long)
    box(page).fill("")
    paste_text(page, long)
    expect(page.get_by_role("status").filter(has_text="Ctrl+Z keeps it as text")).to_have_count(1)
    box(page).press("Control+z")
    here(page, 0)
    expect(box(page)).to_have_value(long)
    box(page).fill("")
    on_its_way: list[Route] = []
    page.route("**/attachments?*", lambda route: on_its_way.append(route))
    with page.expect_request("**/attachments?*"):
        paste_text(page, long)
    expect(page.get_by_text("Sending…")).to_be_visible()
    box(page).press("Enter")
    expect(chips(page)).to_have_count(1)
    on_its_way[0].continue_()  # and now the message goes, too
    finished(page, 1)
    expect(answers(page)).to_contain_text("File: Pasted text.txt")


ASKED = """{ // whether a tab shows the draft
    const query = navigator.locks.query.bind(navigator.locks);
    navigator.locks.query = () => (window.asked = query());
}"""


@pytest.mark.parametrize("secure", [True, False])
def test_a_draft_outlives_its_tab_and_is_offered_once(page: Page, secure: bool) -> None:
    if not secure:
        page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
        again(page)
    box(page).fill("First")
    box(page).press("Enter")
    finished(page, 1)
    box(page).fill("Half a thought")
    here = page.url
    if secure:  # elsewhere a tab has to be quick to say that the draft is its own
        page.context.add_init_script(ASKED)
        other = another(page, here)
        other.wait_for_function("window.asked")
        other.evaluate("asked.then(() => {})")
        expect(box(other)).to_have_value("")
        other.close()
    page.close()
    later = another(page, here)
    expect(box(later)).to_have_value("Half a thought")
    box(later).press("Enter")
    finished(later, 2)
    expect(box(later)).to_have_value("")
    later.close()
    last = another(page, here)
    finished(last, 2)
    assert last.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('headrace.draft'))") == []
    expect(box(last)).to_have_value("")


def another(page: Page, url: str) -> Page:
    """Another tab of the same browser."""
    made = page.context.new_page()
    made.goto(url)
    made.wait_for_function("window.did_handshake === true")
    return made


def test_messages_wait_and_go_in_order_in_every_tab(page: Page, house: Served, axe: Axe) -> None:
    httpx.put(f"{house.url}/recordings/held", content=HELD.read_bytes(), timeout=60).raise_for_status()
    begin(page, house, "rehearsal/replay:held@step")  # which answers when it is told to
    box(page).fill("Tell me")
    box(page).press("Enter")
    expect(page.locator('[data-state="waiting"]')).to_have_count(1)
    generation = page.locator("[data-generation]").get_attribute("data-generation")
    choose(page, "longform")
    for text in ("10 tokens of one", "11 tokens of two", "12 tokens of three", "13 tokens of four"):
        box(page).fill(text)
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        page.get_by_role("button", name="Queue").click()
        expect(box(page)).to_have_value("")
    lines = page.locator(".hr-queued")
    expect(lines).to_have_count(4)
    axe(page)
    lines.nth(1).get_by_role("button", name="Remove waiting message").click()
    expect(lines).to_have_count(3)
    lines.nth(1).get_by_role("button", name="Edit waiting message").click()
    expect(box(page)).to_have_value("12 tokens of three")
    box(page).fill("14 tokens of five")
    box(page).press("Enter")
    expect(lines).to_have_count(3)
    again(page)
    other = page.context.new_page()
    other.goto(page.url)
    for seen in (page, other):
        expect(seen.locator(".hr-queued-text")).to_have_text(["10 tokens of one", "13 tokens of four", "14 tokens of five"])
    httpx.post(f"{house.url}/rehearsal/replays/{generation}/play", timeout=60).raise_for_status()
    finished(page, 4)
    finished(other, 4)
    expect(lines).to_have_count(0)
    asked = ["Tell me", "10 tokens of one", "13 tokens of four", "14 tokens of five"]
    expect(page.locator(".hr-bubble")).to_have_text(asked)


AT_ONCE = """(box, [more, send]) => {
    const enter = () => box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    enter();
    box.value += more;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    if (send) enter();
}"""  # before the server can have answered


def test_what_is_typed_while_a_message_is_sent_stays(page: Page) -> None:
    box(page).fill("First")
    box(page).evaluate(AT_ONCE, [" and this", False])
    finished(page, 1)
    expect(page.locator(".hr-bubble")).to_have_text(["First"])
    expect(box(page)).to_have_value("and this")
    again(page)
    expect(box(page)).to_have_value("and this")


def test_what_begins_like_the_message_before_stays_when_that_is_taken_twice(page: Page) -> None:
    box(page).fill("And")
    box(page).press("Enter")
    finished(page, 1)
    expect(box(page)).to_have_value("")
    box(page).fill("Another one")
    page.evaluate("composer.taken()")
    expect(box(page)).to_have_value("Another one")
    box(page).fill("And so on")
    page.evaluate("composer.taken()")
    expect(box(page)).to_have_value("And so on")


def test_what_is_sent_while_a_message_is_sent_comes_after_it(page: Page) -> None:
    box(page).fill("First")
    box(page).evaluate(AT_ONCE, ["Second", True])
    finished(page, 2)
    expect(page.locator(".hr-bubble")).to_have_text(["First", "Second"])
    expect(box(page)).to_have_value("")


def test_a_new_chat_on_an_empty_page_is_this_one(page: Page) -> None:
    box(page).fill("Half a thought")
    page.get_by_role("button", name="New chat").click()
    expect(box(page)).to_be_focused()
    page.keyboard.type(", and the rest")
    page.keyboard.press("Enter")
    finished(page, 1)
    expect(page.locator(".hr-bubble")).to_have_text(["Half a thought, and the rest"])


def test_what_waits_is_kept_when_the_answer_is_stopped(page: Page, house: Served) -> None:
    begin(page, house, "rehearsal/longform")
    box(page).fill("20000 tokens at 100 tokens/s, only prose")
    box(page).press("Enter")
    expect(page.locator('[data-state="streaming"]')).to_have_count(1)
    box(page).fill("10 tokens")
    box(page).press("Enter")
    expect(page.locator(".hr-queued")).to_have_count(1)
    box(page).press("Escape")
    expect(page.get_by_text("Not sent, because the answer was stopped.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    again(page)
    expect(page.get_by_text("Not sent, because the answer was stopped.")).to_be_visible()
    page.get_by_role("button", name="Send now").click()
    finished(page, 1)
    expect(page.locator(".hr-queued")).to_have_count(0)


def test_the_ring_tells_how_full_the_context_is(page: Page, house: Served) -> None:
    meter = page.get_by_role("meter", name="Context")
    expect(meter).to_be_hidden()  # nobody knows it of the rehearsal
    begin(page, house, "shop/blind")
    box(page).fill("a" * 2000)
    expect(meter).to_have_attribute("aria-valuetext", "About 500 of 1,000 tokens")
    expect(page.locator(".hr-gauge-note")).to_be_hidden()
    box(page).fill("a" * 3600)
    expect(page.locator(".hr-gauge-note")).to_contain_text("nearly fills")
    box(page).fill("a" * 8000)
    expect(page.locator(".hr-gauge-note")).to_contain_text("more than the model can take in")
