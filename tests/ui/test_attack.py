"""A web page of another origin, in the same browser, tries whatever a page may: no handler of ours is called, and nothing can be read."""

from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest
from playwright.sync_api import Browser

from tests.listening import Handler, listening
from tests.serving import QUIET, Served, served

TURN = '{"model": "rehearsal/echo", "messages": [{"role": "user", "content": "Hello"}]}'
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport="

# Each tells what it could read; that a request was sent at all is no success, and it often looks like one.
ATTACKS = """async ([target, turn, socket]) => {
    const ends = (promise) => Promise.race([promise, new Promise((end) => setTimeout(end, 4000, "nothing"))]);
    const asked = (path, wishes) => ends(fetch(target + path, wishes).then(
        async (answer) => answer.type === "opaque" ? "nothing" : `${answer.status} ${await answer.text()}`, () => "nothing"));
    const form = (fields, encoding) => ends(new Promise((end) => {
        const into = Object.assign(document.createElement("iframe"), { name: "into" + Math.random() });
        const form = document.createElement("form");
        Object.assign(form, { action: target + "/chat", method: "post", enctype: encoding, target: into.name });
        for (const [name, value] of fields) form.append(Object.assign(document.createElement("input"), { name, value }));
        into.onload = () => { try { end(into.contentDocument?.body?.innerText || "nothing"); } catch { end("nothing"); } };
        document.body.append(into, form);
        form.submit();
    }));
    const loads = (element, wishes) => ends(new Promise((end) => document.body.append(Object.assign(document.createElement(element), wishes,
        { onload: () => end("nothing"), onerror: () => end("nothing") }))));
    const blob = new Blob([turn], { type: "application/json" }), json = { "content-type": "application/json" };
    return {
        "no-cors POST of a Blob": await asked("/chat", { method: "POST", mode: "no-cors", body: blob }),
        "POST of plain text": await asked("/chat", { method: "POST", headers: { "content-type": "text/plain" }, body: turn }),
        "POST of JSON": await asked("/chat", { method: "POST", headers: json, body: turn }),
        "POST with credentials": await asked("/v1/chat/completions", { method: "POST", credentials: "include", headers: json, body: turn }),
        "DELETE": await asked("/chat/none", { method: "DELETE" }),
        "GET": await asked("/chat"),
        "a file": await asked("/attachments?name=a.txt", { method: "POST", mode: "no-cors", body: "evil" }),
        "a beacon": String(navigator.sendBeacon(target + "/chat", blob) && "nothing"),
        "a form": await form([[turn.slice(0, -1) + ', "x": "', '"}']], "text/plain"),
        "an upload": await form([["file", "a"]], "multipart/form-data"),
        "a script": await loads("script", { src: target + "/chat" }),
        "an image": await loads("img", { src: target + "/chat" }),
        "polling": await asked(socket + "polling"),
        "an EventSource": await ends(new Promise((end) => Object.assign(new EventSource(target + "/chat?after=0"),
            { onopen: () => end("open"), onerror: () => end("nothing") }))),
        "a WebSocket": await ends(new Promise((end) => Object.assign(new WebSocket(target.replace("http", "ws") + socket + "websocket"),
            { onmessage: ({ data }) => end(data), onerror: () => end("nothing") }))),
        "a window": await ends(new Promise((end) => {
            const opened = open(target + "/");
            setTimeout(() => { try { end(opened.document.title || "nothing"); } catch { end("nothing"); } }, 1500);
        })),
    };
}"""


@pytest.fixture(scope="module")
def evil() -> Iterator[int]:
    class Page(Handler):
        def do_GET(self) -> None:
            self.answer(200, b"<!doctype html><title>Evil</title><body>", "text/html")

    with listening(Page) as port:
        yield port


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("attack"), QUIET) as running:
        yield running


def started(house: Served) -> int:
    return len(httpx.get(f"{house.url}/chat", trust_env=False).json()["generations"])


def kept(house: Served) -> bool:
    """Whether the file is there that was sent by the simplest of requests, which only its origin gives away."""
    return httpx.get(f"{house.url}/attachments/{sha256(b'evil').hexdigest()}", trust_env=False).status_code == 200


@pytest.mark.parametrize("origin", ["localhost", "127.0.0.1"])
def test_another_origin_calls_and_reads_nothing(browser: Browser, house: Served, evil: int, origin: str, refused: list[str]) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://{origin}:{evil}/")
    told = page.evaluate(ATTACKS, [house.url, TURN, SOCKET])
    assert len(told) == 16
    assert {attack: read for attack, read in told.items() if read != "nothing"} == {}
    frame = page.evaluate_handle(
        "(url) => document.body.appendChild(Object.assign(document.createElement('iframe'), {src: url}))", house.url
    )
    inside = frame.as_element().content_frame()  # type: ignore[union-attr]
    assert inside is not None
    inside.wait_for_function("location.href.startsWith('chrome-error:')")
    assert started(house) == 0
    assert not kept(house)
    context.close()
    refused.clear()  # what our policies kept from that page


def test_the_same_from_our_own_origin_does_call(browser: Browser, house: Served) -> None:
    page = browser.new_page()
    page.goto(house.url)
    told = page.evaluate(
        "(turn) => fetch('/chat', {method: 'POST', headers: {'content-type': 'application/json'}, body: turn}).then((a) => a.text())", TURN
    )
    assert "Hello" in told
    page.evaluate("fetch('/attachments?name=a.txt', {method: 'POST', body: 'evil'})")
    assert started(house) == 1
    assert kept(house)
    page.close()
