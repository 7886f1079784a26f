"""A page of another origin that appends whatever comes until DONE. Its tokens come from a server that only completes prompts."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.serving import Served, served
from tests.systems.network import Network, network

SETTINGS = """
[server]
cors_origins = ["{origin}"]
[rehearsal]
enabled = false
[[upstreams]]
name = "old"
dialect = "openai_completions"
base_url = "{upstream}/rehearsal/openai_completions/v1"
"""
CLIENT = """
<div id="answer"></div><p id="state">idle</p>
<script>
  async function ask(server, model, text) {
    const state = document.getElementById("state");
    const response = await fetch(`${server}/chat?model=${model}&format=text`, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({messages: [{role: "user", content: text}]}),
    });
    window.generation = response.headers.get("Headrace-Generation");
    if (!response.ok) {
      state.textContent = (await response.json()).error.message;
      return;
    }
    let rest = "";
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const frames = (rest + piece).split("\\n\\n");
      rest = frames.pop();
      for (const frame of frames) {
        const said = frame.split("\\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\\n");
        if (frame.includes("event: failed")) state.textContent = JSON.parse(said).message;
        else if (said === "DONE") state.textContent = "done";
        else document.getElementById("answer").append(said);
      }
    }
  }
</script>
"""


@pytest.fixture(scope="module")
def upstream(headrace: Served) -> Iterator[Network]:
    """The way to the model server: another Headrace, whose rehearsal speaks legacy Completions. Its origin is the page's."""
    with network(headrace.url) as between:
        yield between


@pytest.fixture(scope="module")
def system(headrace: Served, upstream: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = SETTINGS.format(origin=headrace.url, upstream=upstream.url)
    with served(tmp_path_factory.mktemp("bare_text"), settings) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(bypass_csp=True)
    yield page
    page.close()


def visit(page: Page, url: str) -> None:
    page.goto(f"{url}/healthz")
    page.set_content(CLIENT)


def test_whatever_comes_is_appended_until_done(headrace: Served, system: Served, upstream: Network, page: Page) -> None:
    visit(page, headrace.url)
    page.evaluate("(server) => ask(server, 'old/longform', '150 tokens at 2000 tokens/s')", system.url)
    assert page.inner_text("#state") == "done"
    whole = page.evaluate("(server) => fetch(`${server}/chat/${generation}`).then((told) => told.json())", system.url)
    assert page.evaluate("document.getElementById('answer').textContent") == whole["text"]
    assert len(whole["text"]) > 100
    assert "POST /rehearsal/openai_completions/v1/completions" in upstream.heard


def test_an_error_can_be_read_from_another_origin_too(headrace: Served, system: Served, page: Page) -> None:
    visit(page, headrace.url)
    page.evaluate("(server) => ask(server, 'old/scenes', 'refused')", system.url)
    assert page.inner_text("#state").endswith(".")
    assert page.inner_text("#state") != "done"
    page.evaluate("(server) => ask(server, 'new/thing', 'Hello')", system.url)
    assert page.inner_text("#state").startswith("No model is called 'new/thing'.")


def test_an_origin_that_is_not_listed_learns_nothing_and_starts_nothing(headrace: Served, system: Served, page: Page) -> None:
    visit(page, headrace.url.replace("127.0.0.1", "localhost"))
    before = generations(system)
    outcome = page.evaluate("(server) => ask(server, 'old/echo', 'Hello').then(() => 'read', (error) => error.name)", system.url)
    assert outcome == "TypeError"
    assert generations(system) == before


def generations(system: Served) -> int:
    return len(httpx.get(f"{system.url}/chat", trust_env=False).json()["generations"])
