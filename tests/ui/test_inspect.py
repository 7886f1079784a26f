"""The inspector, and what programs ask, as a person sees it: a real server, a real browser, a request over HTTP."""

import re
import threading
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.listening import DONE, Handler, listening
from tests.serving import Served, served
from tests.ui.axe import Axe
from tests.ui.test_chat_page import answers, ask, expect_state, visit

KEY = "canary-4f1d9a0c77"
SETTINGS = """
[chat]
model = "rehearsal/echo"
[rehearsal]
speed = 200.0
[[upstreams]]
name = "parrot"
dialect = "openai_chat"
base_url = "http://127.0.0.1:{port}/v1"
api_key = "{key}"
models = ["parrot"]
"""
BODY = {
    "model": "rehearsal/longform",
    "stream": True,
    "messages": [{"role": "system", "content": "Be long."}, {"role": "user", "content": "<img src=x onerror=alert(1)> 60000 tokens"}],
}


class Parrot(Handler):
    """A model server whose answer is the key that it was sent."""

    def do_POST(self) -> None:
        self.body()
        choice = {"index": 0, "delta": {"content": f"It is {self.headers['authorization']}."}, "finish_reason": "stop"}
        self.stream({"choices": [choice]}, DONE)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with listening(Parrot) as port, served(tmp_path_factory.mktemp("lab"), SETTINGS.format(port=port, key=KEY)) as running:
        yield running


@pytest.fixture
def page(lab: Served, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    visit(page, lab.url)
    yield page
    context.close()
    assert faults == []


def asks(url: str, heard: list[bytes]) -> threading.Thread:
    """A program that reads its answer to the end."""

    def run() -> None:
        heard.append(httpx.post(f"{url}/v1/chat/completions", json=BODY, trust_env=False, timeout=60).content)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_what_a_program_asks_is_seen_inspected_stopped_and_gone_on_with(lab: Served, page: Page, axe: Axe) -> None:
    heard: list[bytes] = []
    program = asks(lab.url, heard)
    line = page.locator(".hr-traffic-line").first
    expect(line).to_contain_text("openai_chat")
    expect(line.get_by_label("answering")).to_be_visible()
    axe(page)
    line.get_by_role("link").click()
    expect(page.get_by_role("heading", name="rehearsal/longform")).to_be_visible()
    rows = page.get_by_role("listbox").get_by_role("option").filter(has_text="delta “")
    rows.nth(4).click()
    closer = page.get_by_role("region", name="The row that is chosen")
    expect(closer).to_contain_text('"PartDelta"')
    expect(closer.locator("pre").first).to_contain_text("chat.completion.chunk")
    page.get_by_role("button", name="Hex").click()
    expect(closer.locator("pre").first).to_contain_text("64 61 74 61 3a")  # data:
    page.get_by_role("button", name="Stop").click()
    program.join(60)
    expect(page.get_by_role("status").filter(has_text="stopped")).to_be_visible()
    expect(page.locator(".hr-inspect-figures")).to_contain_text("connection closed after")
    axe(page)
    page.get_by_role("searchbox").fill("end: stopped")
    page.get_by_role("combobox", name="Show").select_option("readers")
    expect(page.locator(".hr-lanes-count")).to_have_text("Rows: 0")
    page.get_by_role("searchbox").fill("[DONE]")
    expect(page.locator(".hr-lanes-count")).to_have_text("Rows: 1")
    generation = page.url.rpartition("/")[2]
    record = httpx.get(f"{lab.url}/chat/{generation}/record", trust_env=False).json()
    assert "".join(write["text"] for write in record["readers"][0]["writes"]).encode() == heard[0]
    page.get_by_role("button", name="Continue as chat").click()
    expect_state(answers(page), "stopped")
    expect(page.locator("[data-role=user]")).to_contain_text("<img src=x onerror=alert(1)>")
    expect_state(ask(page, "And now?"), "finished")
    expect(page.locator("[data-role=user]")).to_have_count(2)


def test_a_long_answer_is_scrolled_with_few_rows_in_the_document(lab: Served, page: Page) -> None:
    body = {**BODY, "messages": [{"role": "user", "content": "20000 tokens fast"}], "stream": True}
    answer = httpx.post(f"{lab.url}/chat", json=body, trust_env=False, timeout=60)
    generation = answer.headers["headrace-generation"]
    page.goto(f"{lab.url}/inspect/{generation}")
    page.wait_for_function("window.did_handshake === true")
    scroll = page.get_by_role("listbox", name="Timeline")
    expect(scroll.get_by_role("option").first).to_contain_text("created")
    scroll.focus()
    page.keyboard.press("End")
    last = scroll.get_by_role("option", selected=True)
    expect(last).to_contain_text("event: ")  # fetched with its range
    assert last.get_attribute("aria-posinset") == last.get_attribute("aria-setsize")
    assert scroll.get_by_role("option").count() < 80


def test_the_button_of_an_answer_and_the_list_lead_there(lab: Served, page: Page, axe: Axe) -> None:
    expect_state(ask(page, "Look at me, " * 99), "finished")
    answers(page).get_by_role("button", name="Inspect").click()
    expect(page.get_by_role("heading", name="rehearsal/echo")).to_be_visible()
    expect(page.get_by_role("button", name="Open the chat")).to_be_visible()
    expect(page.get_by_role("listbox", name="Timeline")).to_contain_text("→ page")
    expect(page.get_by_role("option").filter(has_text=re.compile(r"#1–\d"))).to_have_count(1)  # what the page was given first
    page.get_by_role("link", name="All replies").click()
    expect(page.get_by_role("heading", name="Replies")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="rehearsal/echo")).to_contain_text("finished")
    axe(page)


def test_two_replies_side_by_side(lab: Served, page: Page) -> None:
    for model in ("rehearsal/echo", "rehearsal/guide"):
        asked = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
        last = httpx.post(f"{lab.url}/chat", json=asked, trust_env=False, timeout=30).headers["headrace-generation"]
    page.goto(f"{lab.url}/inspect/{last}")
    page.wait_for_function("window.did_handshake === true")
    page.get_by_role("combobox", name="Compare with…").select_option(index=1)
    lanes = page.get_by_role("listbox", name="Timeline")
    expect(lanes).to_have_count(2)
    expect(page.get_by_role("heading", level=1)).to_have_text(["rehearsal/guide", "rehearsal/echo"])
    for each in (lanes.first, lanes.last):
        each.get_by_role("option").filter(has_text="created · connecting").click()
    expect(page.get_by_role("region", name="The row that is chosen")).to_have_count(2)
    expect(page.locator(".hr-closer").last).to_contain_text('"model":"rehearsal/echo"')


def test_a_key_is_nowhere_to_be_seen(lab: Served, page: Page) -> None:
    asked = {"model": "parrot/parrot", "messages": [{"role": "user", "content": "What is my key?"}]}
    answer = httpx.post(f"{lab.url}/chat", json=asked, trust_env=False, timeout=30)
    assert KEY in answer.text  # it does sing
    generation = answer.headers["headrace-generation"]
    for path in ("record", "upstream"):
        told = httpx.get(f"{lab.url}/chat/{generation}/{path}", trust_env=False).text
        assert "*" * len(KEY) in told
        assert KEY not in told
    page.goto(f"{lab.url}/inspect/{generation}")
    page.get_by_role("listbox").get_by_role("option").filter(has_text="delta “").click()
    expect(page.get_by_role("region", name="The row that is chosen").locator("pre").first).to_contain_text("*" * len(KEY))
    page.get_by_text("Request 1").click()
    expect(page.get_by_role("button", name="Copy as curl")).to_be_visible()
    expect(page.locator(".hr-inspect-request pre").first).to_contain_text("(hidden)")
    assert KEY not in page.content()
