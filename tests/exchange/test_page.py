"""The exported page, in a browser: it looks like something, loads nothing, runs nothing. Also without its own policy."""

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from playwright.sync_api import Browser, Page

from services.conversations import Conversation, Node
from services.exchange.exporting import exported
from services.exchange.page import Render, page
from services.messages import Attachment, Image, Message, Problem, Reasoning, Reply, Text, ToolCall, ToolResult
from tests.exchange.conversations import FILES, MILL, PIXEL, TREE, id
from tests.ui.arriving import whole
from tests.ui.snippets import HOSTILE

EVIL = [
    "<script>document.title = 'ran'</script>",
    "<img src=http://evil.example/a.png onerror=\"document.title = 'ran'\">",
    "</title></style></pre></code></details></p></div></section><script>document.title = 'ran'</script>",
    "\"><svg onload=\"document.title = 'ran'\">",
    "' onmouseover='document.title = \"ran\"' x='",
    "<iframe src='http://evil.example/'></iframe><object data='http://evil.example/'></object><embed src='http://evil.example/'>",
    "<style>@import url(http://evil.example/a.css); body { background: url(http://evil.example/b.png) }</style>",
    "<link rel=stylesheet href=http://evil.example/c.css><base href=http://evil.example/>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "--><!--", "<![CDATA[", "\0<script\0>", "\ud800<script>", "![x](http://evil.example/d.png)", "[x](javascript:document.title='ran')",
    "data:image/svg+xml,<svg onload=alert(1)>", "javascript:document.title='ran'", "http://evil.example/e.png",
    "data:image/png;base64,AA\"onerror=\"x",
    *HOSTILE,
]  # fmt: skip


def everything(text: str) -> tuple[Conversation, tuple[Node, ...]]:
    """The same text wherever a text can be."""
    parts = (
        Text(text),
        Reasoning(text),
        ToolCall("t", text, text, None),
        ToolResult("t", text, text),
        Image(text),
        Attachment("image", {"url": text}),
        Attachment("source", {"url": text, "title": text}),
        Attachment("file", {"filename": text}),
        Attachment("opaque", {"tool_result": text, "name": text}),
    )
    reply = Reply(id(3), text, 1, "failed", 2, parts, problem=Problem(text, text, upstream=text))
    nodes = (Node(id(2), None, Message("user", parts)), Node(id(3), id(2), generation=id(3), reply=reply, said=(Text(text),)))
    return Conversation(id(1), text, 1.0, 1.0, text, id(3)), nodes


def rendered(text: str) -> str:
    """What the page's own renderer makes of a text."""
    return "".join(whole(text))


def opened(browser: Browser, tmp_path: Path, html: str, scheme: str = "light") -> tuple[Page, list[str], list[str]]:
    """The page as a file that was double-clicked; what it asked for, and what went wrong or was said in it."""
    file = tmp_path / "exported.html"
    file.write_text(html, encoding="utf-8")
    shown = browser.new_context(color_scheme=scheme, viewport={"width": 900, "height": 900}).new_page()  # type: ignore[arg-type]
    asked: list[str] = []
    faults: list[str] = []
    shown.on("request", lambda request: asked.append(request.url) if not request.url.startswith("data:image/png;base64,") else None)
    shown.on("console", lambda message: faults.append(message.text))
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("dialog", lambda dialog: faults.append(dialog.message))
    shown.goto(file.as_uri())
    shown.wait_for_load_state("networkidle")
    return shown, asked, faults


def without_policy(html: str) -> str:
    bare, found = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html, count=1)
    assert found == 1
    return bare


@pytest.mark.parametrize("render", [None, rendered], ids=["as written", "rendered"])
def test_nothing_is_loaded_and_nothing_runs_even_without_the_policy(browser: Browser, tmp_path: Path, render: Render | None) -> None:
    talks = [everything(text) for text in EVIL]
    shown, asked, faults = opened(browser, tmp_path, without_policy(page(talks, render)))
    assert asked == [(tmp_path / "exported.html").as_uri()]
    assert faults == []
    assert shown.title() == f"{len(EVIL)} conversations"
    assert shown.locator("script, iframe, object, embed, link, base, form, input, svg, video, audio, [src]:not(img)").count() == 0
    assert shown.locator("article").count() == len(EVIL)
    assert shown.locator("section").count() == 2 * len(EVIL)
    for details in shown.locator("details").all()[:20]:
        details.locator("summary").click()
    for address in shown.eval_on_selector_all("a", "links => links.map(link => link.getAttribute('href'))"):
        assert re.match(r"https?://|mailto:", address, re.IGNORECASE)
    assert shown.eval_on_selector_all("*", "all => all.filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length") == 0
    assert faults == []
    shown.context.close()


def test_a_page_with_everything_in_light_and_dark(browser: Browser, tmp_path: Path) -> None:
    html = exported("html", [(MILL, TREE)], rendered).body.decode()
    grounds = []
    for scheme in ("light", "dark"):
        shown, asked, faults = opened(browser, tmp_path, html, scheme)
        assert (len(asked), faults) == (1, [])
        assert shown.title() == MILL.title
        assert shown.locator("h1").text_content() == MILL.title
        assert shown.locator(".by").all_text_contents() == ["Question", "Answer by lab/large", "Question", "Answer by lab/small"]
        assert shown.locator(".question").first.text_content() == "How does a *mill* work?"
        assert shown.locator("table td").all_text_contents() == ["1", "2"]
        assert shown.locator("math").count() == 1
        assert shown.locator(".hr-code .f, .hr-code .t").count() >= 1
        assert not shown.get_by_text("Copy").is_visible()
        assert shown.locator("img").evaluate("image => image.naturalWidth") == 1
        assert not shown.get_by_text("a wheel.").is_visible()
        shown.get_by_text("Reasoning").click()
        assert shown.get_by_text("a wheel.").is_visible()
        shown.get_by_text("Tool result: measure").click()
        assert shown.locator("details[open] pre").text_content() == "3 m"
        assert "It broke off." in (shown.locator(".bad").text_content() or "")
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
        grounds.append(
            shown.evaluate("[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]")
        )
        shown.context.close()
    assert grounds[0] != grounds[1]
    assert grounds[1][0] == "rgb(24, 25, 27)"


def test_without_a_renderer_a_text_is_shown_as_it_was_written() -> None:
    assert '<p class="plain">And then?</p>' in page([(MILL, TREE)])
    assert "```python\nprint(3)\n```" in page([(MILL, TREE)])
    assert "&lt;/details&gt; a wheel." in page([(MILL, TREE)])


def test_a_picture_of_the_web_is_a_link() -> None:
    node = Node(id(2), None, Message("user", (Image("https://a.example/x.png?a=1&b=\"'>"), Image(PIXEL))))
    html = page([(msgspec.structs.replace(MILL, shown=None), (node,))])
    assert (
        '<a href="https://a.example/x.png?a=1&amp;b=&quot;&#x27;&gt;" rel="noopener noreferrer nofollow">Image, not in this file</a>'
        in html
    )
    assert html.count("<img ") == 1


OURS = {
    "html": {"lang"}, "meta": {"charset", "name", "content", "http-equiv"}, "p": {"class"}, "div": {"class"}, "img": {"alt", "src"},
    "a": {"href", "rel"}, "head": set(), "title": set(), "style": set(), "body": set(), "article": set(), "header": set(), "h1": set(),
    "section": set(), "details": set(), "summary": set(), "pre": set(), "code": set(), "strong": set(),
}  # fmt: skip


class Inspector(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= OURS[tag], (tag, attrs)


@settings(max_examples=50)
@given(FILES)
def test_whatever_was_said_all_tags_are_our_own(several: tuple[tuple[Conversation, tuple[Node, ...]], ...]) -> None:
    Inspector().feed(page(several))


@pytest.mark.parametrize("text", EVIL)
def test_whatever_is_evil_all_tags_are_our_own(text: str) -> None:
    Inspector().feed(page([everything(text)]))
