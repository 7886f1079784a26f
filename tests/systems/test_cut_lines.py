"""A page that reads its fetch by hand: Ollama's objects as server-sent events, lines that end in the next read, a span that scrolls."""

from playwright.sync_api import Browser

from tests.serving import Served
from tests.systems.network import network

PAGE = """
<style>#answer {display: block; height: 120px; width: 300px; overflow-y: auto; white-space: pre-wrap}</style>
<span id="answer"></span><p id="state">idle</p>
<script type="module">
  const answer = document.getElementById("answer");
  const state = document.getElementById("state");
  const response = await fetch("/chat?model=rehearsal/longform&format=ollama", {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify({messages: [{role: "user", content: "300 tokens at 400 tokens/s"}]}),
  });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let buffer = "", cut = 0;
  for (;;) {
    const {value, done} = await reader.read();
    if (done) break;
    buffer += decoder.decode(value, {stream: true});
    const lines = buffer.split("\\n");
    buffer = lines.pop();
    if (buffer) cut++;
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const object = JSON.parse(line.slice(6));
      answer.append(object.message.content);
      answer.scrollTop = answer.scrollHeight;
      if (object.done) state.textContent = object.done_reason;
    }
  }
  document.body.dataset.cut = cut;
</script>
"""


def test_a_page_that_splits_lines_by_hand(headrace: Served, browser: Browser) -> None:
    with network(headrace.url, held=5) as cutting:
        page = browser.new_page(bypass_csp=True)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{cutting.url}/healthz")
        page.set_content(PAGE)
        page.wait_for_selector("body[data-cut]")
        text = page.inner_text("#answer")
        position = page.evaluate("(({scrollTop, clientHeight, scrollHeight}) => [scrollTop, scrollHeight - clientHeight])(answer)")
        cut = int(page.get_attribute("body", "data-cut") or 0)
        whole = page.evaluate(
            "fetch('/chat').then((told) => told.json()).then(({generations}) => fetch('/chat/' + generations[0].id))"
            ".then((told) => told.json())"
        )
        state = page.inner_text("#state")
        page.close()
    assert faults == []
    assert cut > 0, "the network cut lines, and the page put them together"
    assert state == "stop"
    assert " ".join(text.split()) == " ".join(whole["text"].split())
    assert position[0] > 0, "the text is longer than its span"
    assert abs(position[0] - position[1]) <= 1, "and its end is in sight"
