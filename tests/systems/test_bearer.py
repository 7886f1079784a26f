"""A page with a key: it reads ids and deltas, and has a stop button. Its tokens come from a server that wants a key of its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.serving import Served, served
from tests.systems.network import Network, network

SETTINGS = """
[rehearsal]
enabled = false
[[upstreams]]
name = "keyed"
dialect = "openai_chat"
base_url = "{upstream}/rehearsal/openai_chat/v1"
api_key = "sk-upstream"
"""
CLIENT = """
<div id="answer"></div><button id="stop">Stop</button><p id="state">idle</p>
<script>
  const ids = [];
  let stopper, choices = 0;

  async function* frames(url, body) {
    stopper = new AbortController();
    document.getElementById("stop").onclick = () => stopper.abort();
    const response = await fetch(url, {
      method: "POST",
      headers: {"Content-Type": "application/json", "Authorization": "Bearer sk-page"},
      body: JSON.stringify(body),
      signal: stopper.signal,
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    let rest = "";
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const whole = (rest + piece).split("\\n\\n");
      rest = whole.pop();
      yield* whole;
    }
  }

  const field = (frame, name) => frame.split("\\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const say = (text) => document.getElementById("answer").append(text);
  const over = (state) => { document.getElementById("state").textContent = state; };

  async function native(question) {
    const messages = [{role: "user", content: question}];
    for await (const frame of frames("/chat?model=keyed/longform", {messages})) {
      const event = JSON.parse(field(frame, "data"));
      ids.push(Number(field(frame, "id")));
      if (event.type === "created") window.generation = event.id;
      if (event.type === "delta") say(event.text);
      if (event.done) over(event.reason ?? event.message);
    }
  }

  async function completions(question) {
    const body = {model: "keyed/longform", stream: true, messages: [{role: "user", content: question}]};
    for await (const frame of frames("/v1/chat/completions", body)) {
      const said = field(frame, "data");
      if (said === "[DONE]") return over("done");
      const [choice] = JSON.parse(said).choices;
      choices++;
      say(choice.delta.content ?? "");
    }
  }
</script>
"""


@pytest.fixture(scope="module")
def upstream(headrace: Served) -> Iterator[Network]:
    with network(headrace.url) as between:
        yield between


@pytest.fixture(scope="module")
def system(upstream: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("bearer"), SETTINGS.format(upstream=upstream.url)) as running:
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


def answer(page: Page) -> str:
    return str(page.evaluate("document.getElementById('answer').textContent"))


def newest(page: Page) -> dict[str, object]:
    """The newest generation, as its snapshot tells it."""
    told = page.evaluate(
        "fetch('/chat').then((told) => told.json())"
        ".then(({generations}) => fetch(`/chat/${generations[0].id}`)).then((told) => told.json())"
    )
    assert isinstance(told, dict)
    return told


def test_every_event_has_an_id_and_they_only_grow(page: Page) -> None:
    page.evaluate("native('100 tokens at 2000 tokens/s')")
    ids = page.evaluate("ids")
    assert len(ids) > 50
    assert ids == sorted(set(ids)), "also no event without one, which would be NaN here, null there"
    assert page.inner_text("#state") == "stop"
    assert answer(page) == newest(page)["text"]


def test_chat_completions_deltas(page: Page) -> None:
    page.evaluate("completions('100 tokens at 2000 tokens/s')")
    assert page.evaluate("choices") > 50
    assert page.inner_text("#state") == "done"
    assert answer(page) == newest(page)["text"]


def test_each_key_goes_to_its_own_server_only(page: Page, upstream: Network) -> None:
    page.evaluate("completions('20 tokens at 2000 tokens/s')")
    assert "authorization: bearer sk-upstream" in upstream.heard.lower()
    assert "sk-page" not in upstream.heard


@pytest.mark.parametrize(
    ("dialect", "question"), [("native", "20000 tokens at 200 tokens/s"), ("completions", "30000 tokens at 200 tokens/s")]
)
def test_the_stop_button_reaches_the_model_server(page: Page, upstream: Network, dialect: str, question: str) -> None:
    page.evaluate(f"() => {{ window.asking = {dialect}('{question}').catch((error) => over(error.name)); }}")
    page.wait_for_function("document.getElementById('answer').textContent.length > 200")
    page.click("#stop")
    page.evaluate("asking")
    assert page.inner_text("#state") == "AbortError"
    assert upstream.wait_until_closed(question.encode()), "the connection to the model server was closed"
    page.wait_for_function("fetch('/chat').then((told) => told.json()).then(({generations}) => generations[0].state === 'stopped')")
    assert str(newest(page)["text"]).startswith(answer(page))
