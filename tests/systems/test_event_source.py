"""A page that only knows EventSource: a default listener, a named event, and a last frame that tells it to close."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.serving import Served
from tests.systems.network import network

CLIENT = """
<script>
  const seen = [];
  let text = "", source;

  async function start(model, question) {
    const response = await fetch(`/chat?model=${model}`, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({messages: [{role: "user", content: question}], on_disconnect: "keep"}),
    });
    await response.body.cancel();
    return response.headers.get("Headrace-Generation");
  }

  function listen(id) {
    source = new EventSource(`/chat/${id}?format=text`);
    source.onopen = () => seen.push("open");
    source.onerror = () => seen.push(source.readyState === EventSource.CLOSED ? "closed" : "error");
    source.addEventListener("message", ({data, lastEventId}) => {
      if (data === "DONE") {
        seen.push("DONE");
        source.close();
        return;
      }
      text += data;
      window.last = Number(lastEventId);
    });
    source.addEventListener("failed", ({data}) => {
      seen.push("failed");
      window.failure = JSON.parse(data);
      source.close();
    });
  }
</script>
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(bypass_csp=True)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    page.close()
    assert faults == []


def visit(page: Page, url: str) -> None:
    page.goto(f"{url}/healthz")
    page.set_content(CLIENT)


def told(page: Page, id: str) -> str:
    return str(page.evaluate("(id) => fetch(`/chat/${id}`).then((told) => told.json()).then(({text}) => text)", id))


def test_it_opens_listens_and_closes_when_it_is_told(headrace: Served, page: Page) -> None:
    visit(page, headrace.url)
    id = page.evaluate("start('rehearsal/echo', 'one two\\nthree')")
    page.evaluate("(id) => listen(id)", id)
    page.wait_for_function("source.readyState === EventSource.CLOSED")
    assert page.evaluate("seen") == ["open", "DONE"]
    assert page.evaluate("text") == told(page, id) == "one two\nthree"


def test_a_broken_connection_is_taken_up_without_a_doubled_or_a_missing_word(headrace: Served, page: Page) -> None:
    with network(headrace.url, breaks=6000) as breaking:
        visit(page, breaking.url)
        id = page.evaluate("start('rehearsal/longform', '400 tokens at 400 tokens/s')")
        page.evaluate("(id) => listen(id)", id)
        page.wait_for_function("source.readyState === EventSource.CLOSED")
        seen, text, whole = page.evaluate("seen"), page.evaluate("text"), told(page, id)
        assert breaking.broken == 1
        assert f"GET /chat/{id}?format=text HTTP/1.1" in breaking.heard
        assert "last-event-id: " in breaking.heard.lower(), "the browser said by itself what it had"
    assert seen == ["open", "error", "open", "DONE"]
    assert text == whole


def test_a_failure_is_a_named_event_and_no_done(headrace: Served, page: Page) -> None:
    visit(page, headrace.url)
    id = page.evaluate("start('rehearsal/scenes', 'cut')")
    page.evaluate("(id) => listen(id)", id)
    page.wait_for_function("source.readyState === EventSource.CLOSED")
    assert page.evaluate("seen") == ["open", "failed"]
    assert page.evaluate("text") == "A few words, and then"
    assert page.evaluate("failure.message").endswith(".")
    assert page.evaluate("failure.done") is True


def test_who_does_not_close_is_told_to_stop_reconnecting(headrace: Served, page: Page) -> None:
    visit(page, headrace.url)
    id = page.evaluate("start('rehearsal/echo', 'one')")
    page.evaluate("(id) => { listen(id); source.close = () => {}; }", id)
    page.wait_for_function("source.readyState === EventSource.CLOSED")
    assert page.evaluate("seen") == ["open", "DONE", "error", "closed"]
    assert page.evaluate("text") == "one"
