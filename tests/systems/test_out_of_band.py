"""A page that posts authors and texts and is told states beside the text. Its tokens come from a server that speaks Responses."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.serving import Served, served
from tests.systems.network import Network, network

SETTINGS = """
[rehearsal]
enabled = false
[[upstreams]]
name = "work"
dialect = "openai_responses"
base_url = "{upstream}/rehearsal/openai_responses/v1"
"""
CLIENT = """
<ol id="states"></ol><div id="thoughts"></div><div id="answer">One moment ...</div><p id="error"></p>
<script>
  let stopper = new AbortController();

  function on(name, told) {
    const answer = document.getElementById("answer");
    if (name !== "delta" && name !== "reasoning") {
      const state = Object.assign(document.createElement("li"), {textContent: told.state ?? name});
      document.getElementById("states").append(state);
    }
    if (name === "reasoning") document.getElementById("thoughts").append(told.text);
    if (name === "clear") answer.textContent = "";
    if (name === "delta") answer.append(told.text);
    if (name === "failed") document.getElementById("error").textContent = told.message;
  }

  async function ask(model, messages) {
    const response = await fetch(`/chat?model=${model}`, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({messages}),
      signal: stopper.signal,
    });
    if (!response.ok) {
      const {error} = await response.json();
      document.getElementById("error").textContent = `${response.status} ${error.message}`;
      return;
    }
    let rest = "";
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const frames = (rest + text).split("\\n\\n");
      rest = frames.pop();
      for (const frame of frames) {
        const fields = Object.fromEntries(frame.split("\\n").map((line) => line.split(/: (.*)/s)));
        if (fields.data) on(fields.event, JSON.parse(fields.data));
      }
    }
  }
</script>
"""
QUESTION = """[
  {author: {name: "Ada"}, text: "What is a mill?"},
  {author: {name: "assistant"}, text: "A machine."},
  {author: {name: "Ada"}, text: "Why?"},
]"""


@pytest.fixture(scope="module")
def upstream(headrace: Served) -> Iterator[Network]:
    """The way to the model server: another Headrace, whose rehearsal speaks Responses."""
    with network(headrace.url) as between:
        yield between


@pytest.fixture(scope="module")
def system(upstream: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("out_of_band"), SETTINGS.format(upstream=upstream.url)) as running:
        yield running


@pytest.fixture
def page(system: Served, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(bypass_csp=True)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{system.url}/healthz")
    page.set_content(CLIENT)
    yield page
    page.close()
    assert faults == []


def states(page: Page) -> list[str]:
    return page.locator("#states li").all_inner_texts()


def test_states_stand_beside_the_text(page: Page, upstream: Network) -> None:
    page.evaluate(f"ask('work/thinker', {QUESTION})")
    told = states(page)
    assert told[0] == "created"
    assert told[-1] == "end"
    assert told.index("thinking") < told.index("clear") < told.index("end")
    assert page.inner_text("#thoughts")
    assert page.inner_text("#answer")
    assert not page.inner_text("#answer").startswith("One moment"), "`clear` took the placeholder away"
    assert "POST /rehearsal/openai_responses/v1/responses" in upstream.heard


def test_abort_stops_the_model_server_too(page: Page, upstream: Network) -> None:
    page.evaluate(
        """() => {
          window.asking = ask('work/longform', [{author: {name: 'Ada'}, text: '20000 tokens at 200 tokens/s'}])
            .catch((error) => { window.ended = error.name; });
        }"""
    )
    page.wait_for_function("document.getElementById('answer').textContent.length > 200")
    page.evaluate("stopper.abort()")
    assert page.evaluate("asking.then(() => ended)") == "AbortError"
    assert upstream.wait_until_closed(b"20000 tokens")
    page.wait_for_function("fetch('/chat').then((told) => told.json()).then(({generations}) => generations[0].state === 'stopped')")


def test_no_messages_is_a_sentence(page: Page) -> None:
    page.evaluate("ask('work/thinker', [])")
    assert page.inner_text("#error").startswith("422 `messages` is missing or empty")
    assert states(page) == []


def test_a_start_that_fails_is_json(page: Page) -> None:
    page.evaluate(f"ask('nowhere/thinker', {QUESTION})")
    assert page.inner_text("#error").startswith("404 No model is called 'nowhere/thinker'.")


def test_a_model_server_that_refuses_is_told_in_the_stream(page: Page) -> None:
    page.evaluate("ask('work/scenes', [{author: {name: 'Ada'}, text: 'refused'}])")
    assert states(page)[-1] == "failed"
    assert page.inner_text("#error").endswith(".")
    assert page.inner_text("#answer") == "One moment ..."
