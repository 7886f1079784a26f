"""The markdown room under attack: nothing in a text is believed, nothing raises, nothing takes long."""

import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ui.arriving import cut, shown, streamed, whole
from tests.ui.snippets import HOSTILE, SNIPPETS
from ui.markdown import Blocks
from ui.markdown.math import TAGS, mathml
from ui.markdown.parser import DEEPEST, LARGEST, MD

# Rule 1: the text is hostile


ATTRIBUTES = {
    "a": {"class", "href", "target", "rel", "title"}, "button": {"type", "class", "aria-label"}, "pre": {"tabindex"},
    "div": {"class", "tabindex"}, "span": {"class"}, "code": {"class"}, "p": {"class"}, "li": {"class"}, "ol": {"start"},
    "th": {"class"}, "td": {"class"},
}  # fmt: skip
PLAIN_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6", "ul", "em", "strong", "s", "blockquote", "hr", "br", "table", "thead", "tbody", "tr"}
CLASSES = re.compile(r"hr-[a-z-]+|[a-z]")


class Inspector(HTMLParser):
    """Fails at any tag, attribute, class or address that is not our own."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in TAGS:
            return self._in_formula(attrs)
        assert tag in ATTRIBUTES or tag in PLAIN_TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES.get(tag, set()), f"{tag} {name}"
            assert name != "class" or CLASSES.fullmatch(value or ""), value
            assert name != "href" or re.match(r"https?://[^/@]+|mailto:.", value or "", re.IGNORECASE), value
        return None

    def _in_formula(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            assert not re.match(r"href|src|style|on|class|id|xlink", name), name
            assert re.fullmatch(r"[\w #%+.,-]+", value or ""), value


def inspect(html: str) -> None:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_hostile_text_is_believed(text: str) -> None:
    inspect("".join(whole(text)))
    for size in (1, 7):
        blocks = Blocks()
        for piece in cut(text, [size]):
            blocks.write(piece)
            blocks.render()
            inspect("".join(blocks.html))


@settings(max_examples=300)
@given(
    texts=st.lists(st.sampled_from([*HOSTILE, *SNIPPETS]), min_size=2, max_size=6),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=3),
)
def test_nor_in_any_mixture(texts: list[str], sizes: list[int]) -> None:
    inspect("".join(streamed(cut("".join(texts), sizes))))


def test_the_inspector_sees() -> None:
    for html in ("<img src=x>", "<a href='javascript:x'>", "<p id=x>", "<mi onclick=x>", "<div class=q-dialog>", "<p style=x>"):
        with pytest.raises(AssertionError):
            inspect(html)


def test_a_formula_is_symbols_and_boxes_only() -> None:
    assert mathml("\\text{<script>}", False) == '<math display="inline"><mrow><mtext>&lt;script&gt;</mtext></mrow></math>'
    assert mathml("\\text{&lt;b&gt;}", False) == '<math display="inline"><mrow><mtext>&lt;b&gt;</mtext></mrow></math>'
    for tex in (
        "\\href{https://a.example}{x}",
        "\\style{color:red}{x}",
        "\\class{a}{x}",
        "\\rule{900em}{1em}",
        "\\def\\a{x}",
        "x" * 3000,
        "\\frac{",
    ):
        assert mathml(tex, True) is None, tex


# Rule 2: nothing raises, and nothing takes long


FLOODS = [
    "[", "![", "[a](", "]", "*a ", "*a **a ", "_a", "`a``b", "``", "<", "<a ", "&", "&#x", "\\", "> ", "- ", "1. ", "|", "http://a",
    "http://", "http://@", "~~a", "$", "$a", "$a ", "$$", "\\(", "\\[", "{", "^", "\n", " \n", "```\n", "```a\n", "# a\n", "- a\n",
    "> a\n", "a|b\n-|-\n", "[a]: b\n", "[a]\n\n", "$$\nx\n", "\\frac{", "x^{", "\u202e", "\x00", "\r", "\ud83d", "[a]:\n", "- > ",
    "a\n---\n", "    a\n", "\t", "![a](https://b.c/d)", "[a", "http://b.c/(", "$$" + " " * 500, "https://b.c/" + ")" * 900,
    "```js\n" + (" " * 999 + "\n") * 50 + "x\n" + " " * 999, "a" + " " * 30_000 + "b", "$$a" + " " * 30_000 + "b", "`" * 20_000,
]  # fmt: skip


LIST = "".join(f"- item *{n}* of `many`\n" for n in range(200))
TABLE = "| a | b |\n|---|---|\n" + "".join(f"| row {n} | **bold** |\n" for n in range(200))


@pytest.mark.parametrize("unit", FLOODS, ids=lambda unit: unit[:12])
def test_a_flood_is_rendered_in_bounded_time(unit: str) -> None:
    text = unit * max(40_000 // len(unit), 1)
    start = time.thread_time()
    whole(text)
    shown(text)
    assert time.thread_time() - start < 4  # 0.2 s here at worst but for lists and tables; a quadratic one takes minutes


def test_a_hostile_fence_does_not_hold_the_loop() -> None:
    for language, code in [("java", "\n" * 60_000), ("make", "x_" * 30_000), ("c", "//" * 30_000), ("python", "a = 1\n" * 9_000)]:
        start = time.thread_time()
        whole(f"```{language}\n{code}\n```\n")
        assert time.thread_time() - start < 1, language


def test_what_is_too_deep_or_too_large_is_plain_text_and_complete() -> None:
    for text in ("> " * (DEEPEST + 9) + "word", "- " * (DEEPEST + 9) + "word", "x " * LARGEST + "word"):
        (html,) = whole(text)
        assert html.startswith('<p class="hr-plain">')
        assert html.endswith("word</p>")
    assert "word" in "".join(whole("> " * (DEEPEST // 2) + "word"))


@pytest.mark.parametrize(
    ("line", "begins"),
    [("- item {}", "<ul>"), ("{0}. item {0}", "<ol"), ("| {} | b |", '<div class="hr-table"'), ("> quote {}  ", "<blockquote>")],
)
def test_a_block_of_too_many_lines_is_continued_by_another_and_complete(line: str, begins: str) -> None:
    head = "| a | b |\n|---|---|\n" if "|" in line else ""
    text = head + "\n".join(line.format(n) for n in range(1, 2501))
    html = whole(text)
    assert streamed(cut(text, [997])) == html
    assert len(html) > 1
    assert html[0].startswith(begins)
    assert max(block.count("\n") for block in html) < 6500  # six lines of HTML for one of a table
    numbers = [int(n) for n in re.findall(r"\d+", re.sub("<[^>]*>", "", "".join(html)))]
    assert sorted(set(numbers)) == list(range(1, 2501))


def test_code_stays_code_however_long() -> None:
    for text in ("```\n" + "Q = 1\n" * 50_000, "```\n" + "Q" * 200_000 + "\n```\n"):
        assert shown(text).startswith('<div class="hr-code">')
        assert whole(text)[0].count("Q") == text.count("Q")


def test_a_line_of_any_length_is_shown() -> None:
    text = "word " * 40_000
    assert shown(text).count("word") == whole(text)[0].count("word") == 40_000


def test_what_has_been_read_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    parse = MD.inline.parse

    def listening(src: str, *rest: Any) -> Any:
        read.extend([src] if src else [])
        return parse(src, *rest)

    monkeypatch.setattr(MD.inline, "parse", listening)
    for text, more in ((LIST, "- one more\n"), (TABLE, "| one more | cell |\n")):
        blocks = Blocks()
        blocks.write(text)
        blocks.render()
        read.clear()
        blocks.write(more)
        blocks.render()
        assert read == [cell.strip("- ") for cell in more.strip("|\n").split("|")], "only the new line"


def test_what_a_definition_changes_is_read_again() -> None:
    blocks = Blocks()
    blocks.write("- see [it]\n- more\n")
    blocks.render()
    blocks.write("\n  [it]: https://it.example\n")
    blocks.render()
    assert 'href="https://it.example"' in blocks.html[0]


def test_colours_come_in_slices_and_end_as_if_they_had_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.markdown.blocks.SLICE", 0.0)  # one token with each render
    code = "def f(x):\n    return 'a' + str(x)  # why\n" * 60
    blocks = Blocks(unhurried=True)
    blocks.write(f"before\n\n```python\n{code}```\n\nafter")
    blocks.finish()
    blocks.render()
    assert "<span" not in blocks.html[1].partition("<code>")[2]
    assert "after" in blocks.html[2]
    renders = 0
    while blocks.changed:
        blocks.render()
        renders += 1
    assert renders > 500
    assert blocks.html == whole(f"before\n\n```python\n{code}```\n\nafter")


def test_a_diagram_is_shown_as_its_source_until_somebody_wants_more() -> None:
    (html,) = whole("```mermaid\ngraph TD; A-->B\n```\n")
    assert "<svg" not in html
    assert "Show diagram</button>" in html
    assert "Show diagram" not in shown("```mermaid\ngraph TD; A-->B\n")
    assert "graph TD; A--&gt;B" in html


def test_a_paragraph_larger_than_a_person_writes_is_not_parsed() -> None:
    for text in ("[a](https://b.example) " * 500, "*a* " * 5000):
        assert whole(text) == [f"<p>{text.strip()}</p>"]


def test_a_bug_in_the_parser_makes_one_block_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> str:
        raise IndexError

    monkeypatch.setitem(vars(MD.renderer)["rules"], "hr", bug)
    assert whole("a\n\n***\n\nb") == ["<p>a</p>", '<p class="hr-plain">***</p>', "<p>b</p>"]
    monkeypatch.setattr(MD.block, "parse", bug)
    assert streamed(["a\n\n", "<b>\n"]) == ['<p class="hr-plain">a\n\n&lt;b&gt;</p>']
