"""A hostile model server, through all of Headrace, on every part of the page: nothing runs, nothing is asked for, nothing is laid over."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.listening import DONE, Handler, listening
from tests.serving import Served, served
from tests.ui.hostile import PAYLOADS
from tests.ui.test_chat_page import answers, ask, expect_state, visit
from tests.ui.test_composer import pick

ALL = "\n\n".join(PAYLOADS)
SHORT = "<img src=x onerror=window.hit=1>{{constructor.constructor('window.hit=1')()}}"
NAMES = [SHORT.replace(" ", "/"), 'a"><svg/onload=window.hit=1>', "<b>bold</b>", "\u202egnp.exe", "x{{7*7}}"]
TOOL = {
    "index": 0,
    "id": 'c"><script>window.hit=1</script>',
    "type": "function",
    "function": {"name": SHORT, "arguments": json.dumps({"a": ALL})},
}
SOURCE = {"type": "url_citation", "url_citation": {"url": "javascript:window.hit=1", "title": SHORT}}
LIAR = {"type": "url_citation", "url_citation": {"url": "https://bank.example@evil.example/", "title": "https://bank.example"}}
SETTINGS = """
[chat]
model = "evil/quiet"
probe = 60.0
[[upstreams]]
name = "evil"
dialect = "openai_chat"
base_url = "http://127.0.0.1:{port}/v1"
"""


class Hostile(Handler):
    """Refuses whoever wants an error, and says all of it to everybody else, in every field that a chunk has."""

    def do_GET(self) -> None:
        self.answer(200, {"data": [{"id": name, "owned_by": SHORT} for name in ["quiet", *NAMES]]})

    def do_POST(self) -> None:
        asked = json.loads(self.body())
        if "refuse" in str(asked["messages"][-1]["content"]):
            self.answer(400, {"error": {"message": ALL[:20_000], "code": SHORT, "type": SHORT}})
            return
        title = len(asked["messages"]) > 1 or "title" in str(asked["messages"][0]["content"]).lower()
        deltas = [{"content": SHORT}] if title and "everything" not in str(asked["messages"][-1]) else self._everything()
        self.stream(
            *({"choices": [{"index": 0, "delta": delta, "finish_reason": None}], "model": SHORT, "id": SHORT} for delta in deltas),
            {"type": "execute", "event": {"type": "execute", "data": {"code": "window.hit=1"}}, "choices": []},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            b"event: execute\ndata: {}\n\n",
            DONE,
        )

    def _everything(self) -> Iterator[dict[str, Any]]:
        yield {"role": "assistant", "reasoning_content": ALL}
        for at in range(0, len(ALL), 700):
            yield {"content": ALL[at : at + 700]}
        yield {"annotations": [SOURCE, LIAR]}
        yield {"tool_calls": [TOOL]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with listening(Hostile) as port, served(tmp_path_factory.mktemp("corpus"), SETTINGS.format(port=port)) as running:
        yield running


@pytest.fixture
def context(house: Served, browser: Browser) -> Iterator[BrowserContext]:
    """Fails where anything was asked of anybody else, a dialog was opened, or a script has failed.

    A diagram's frame may want something; its policy refuses that before it is sent (net::ERR_BLOCKED_BY_CSP, "csp" for short).
    """
    context = browser.new_context(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
    strange: list[str] = []
    context.on(
        "request", lambda request: None if request.url.startswith((house.url, "data:", "blob:", "file:")) else strange.append(request.url)
    )
    context.on("requestfailed", lambda request: strange.remove(request.url) if request.failure == "csp" else None)
    context.on("dialog", lambda dialog: strange.append(dialog.message))
    context.on("weberror", lambda error: strange.append(str(error.error)))
    context.route("**://*.invalid/**", lambda route: route.abort())
    yield context
    context.close()
    assert strange == []


# What lies over the page at 300 points is the page's own, no name in the page is another's, and every link of a text says where it leads.
LOOK = """() => {
    const found = [], FOREIGN = /^(script|style|iframe|object|embed|form|input|img|svg|base|meta|link|dialog)$/;
    if (window.hit) found.push(`executed: ${window.hit}`);
    function tells(text) { return text && text.includes(this.hostname); }
    const texts = [...document.querySelectorAll(".hr-prose, .hr-bubble, .hr-sources, .hr-tool")];
    for (const text of texts) {
        if (text.matches("[id]:not([id^=c])")) found.push(`id ${text.id}`);
        for (const one of text.querySelectorAll("*")) {
            const own = one.id.match(/^c\\d+$/) && getElement?.(+one.id.slice(1));
            if ((one.id && !own) || one.getAttribute("name")) found.push(`a name: ${one.outerHTML.slice(0, 200)}`);
            if (/fixed|sticky/.test(getComputedStyle(one).position) && one.className !== "hr-code-head")
                found.push(`over the page: ${one.outerHTML.slice(0, 200)}`);
            if ([...one.attributes].some(({ name }) => name.startsWith("on"))) found.push(`a handler: ${one.outerHTML.slice(0, 200)}`);
            if (FOREIGN.test(one.localName))
                found.push(`an element: ${one.outerHTML.slice(0, 200)}`);
        }
        for (const link of text.querySelectorAll("a[href]")) {
            if (!/^(https?|mailto):$/.test(link.protocol)) found.push(`leads to ${link.href}`);
            else if (link.host && ![link.title, link.className === "hr-image" && link.text, link.nextSibling?.innerText].some(tells, link))
                found.push(`does not say where it leads: ${link.outerHTML}`);
            if (!/noopener.*noreferrer/.test(link.rel) || link.target !== "_blank") found.push(`tells who sent it: ${link.outerHTML}`);
        }
    }
    for (const id of ["app", "popup"]) if (document.querySelectorAll(`[id=${id}], [name=${id}]`).length !== 1) found.push(`two of ${id}`);
    if (!document.getElementById("app").__vue_app__ || !(window.socket?.connected)) found.push("the page is another's");
    const box = document.querySelector(".hr-composer textarea")?.getBoundingClientRect();
    if (box && !document.elementFromPoint(box.x + 20, box.y + 8)?.closest(".hr-composer, dialog, .q-dialog, .q-menu"))
        found.push("the composer is covered");
    const over = new Set();
    for (let x = 20; x < innerWidth; x += 60) for (let y = 10; y < innerHeight; y += 50) {
        const top = document.elementFromPoint(x, y), text = top?.closest(".hr-prose");
        const frame = text?.closest(".hr-scroll, dialog, .q-dialog")?.getBoundingClientRect();
        if (frame && (x < frame.x || x > frame.right || y < frame.y || y > frame.bottom)) over.add(top.outerHTML.slice(0, 200));
    }
    return [...found, ...over];
}"""


def look(page: Page) -> None:
    """At what is shown; every disclosure is opened first, and every link pointed at."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.evaluate(
        "document.querySelectorAll('.hr-prose a').forEach((one) => one.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))"
    )
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -20_000)
    found = page.evaluate(LOOK)
    assert not found, "\n".join(found[:10])


def test_there_are_enough() -> None:
    assert len(set(PAYLOADS)) > 100


def test_nothing_that_a_model_server_says_is_believed_anywhere(
    context: BrowserContext, house: Served, tmp_path: Path, refused: list[str]
) -> None:
    page = context.new_page()
    visit(page, house.url)
    look(page)

    # text, reasoning, tool calls, sources; a question that is as hostile, which is its own title until the model has one
    page.get_by_role("textbox", name="Message").fill(f"everything {ALL[:6000]}")
    page.get_by_role("textbox", name="Message").press("Enter")
    expect_state(answers(page).last, "finished", timeout=60_000)
    expect(answers(page).last.locator(".hr-tool").first).to_be_attached(timeout=20_000)
    assert answers(page).last.locator(".hr-prose").first.evaluate("(text) => text.textContent.length") > 5000
    look(page)
    expect(page.locator(".hr-side").get_by_text("window.hit").first).to_be_visible()
    for draw in answers(page).last.get_by_role("button", name="Show diagram").all()[:2]:
        draw.click()
    expect(answers(page).last.get_by_text("Drawing")).to_have_count(0)
    page.get_by_role("button", name="Hide diagram").first.click()
    page.get_by_role("button", name="Hide diagram").first.click()
    assert all("/frames/" in words for words in refused)  # a page never gets as far as its policy
    refused.clear()

    # an error, and a file whose name is one
    pick(page, (f"{SHORT[:32]}.txt", SHORT.encode()))
    expect(page.get_by_role("button", name="Remove <img")).to_be_visible()
    expect_state(ask(page, "refuse"), "failed")
    expect(answers(page).last).to_contain_text("onerror")
    look(page)
    page.reload()
    page.wait_for_function("window.did_handshake === true")
    expect(answers(page)).to_have_count(2)
    look(page)

    # the models' names, search, and all of it once more as it is exported and looked into
    page.get_by_role("combobox", name="Model").click()
    expect(page.get_by_role("listbox", name="Models").get_by_text("onerror").first).to_be_visible()
    look(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search conversations").fill("onerror")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_contain_text("onerror")
    look(page)
    page.keyboard.press("Escape")
    generation = page.locator("[data-generation]").first.get_attribute("data-generation")
    for address in ("/inspect", f"/inspect/{generation}"):
        visit(page, house.url + address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        look(page)
    visit(page, f"{house.url}/settings")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as HTML").click()
    look(page)
    file = tmp_path / "all.html"
    download.value.save_as(file)
    page.goto(file.as_uri())
    expect(page.get_by_text("onerror").first).to_be_attached()
    assert page.evaluate("window.hit") is None
    assert page.locator("script, iframe, img, form, [onerror], [onload]").count() == 0
