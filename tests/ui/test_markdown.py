"""The markdown room: however a text arrives, its blocks are those of the whole text; and what they look like."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ui.arriving import cut, shown, streamed, whole
from tests.ui.snippets import CANARY, HOSTILE, SNIPPETS
from ui.markdown import Blocks
from ui.markdown.parser import mended, render

BOX = (
    '<div class="hr-code"><div class="hr-code-head"><span>{}</span><button type="button" class="hr-copy" aria-label="Copy code">'
    'Copy</button></div><pre tabindex="0"><code>{}</code></pre></div>'
)
LINK = '<a href="{}" target="_blank" rel="noopener noreferrer nofollow ugc" title="{}">'
CHIP = '<a class="hr-image" href="{}" target="_blank" rel="noopener noreferrer nofollow ugc" title="{}">'


# However it arrives


def expected(text: str) -> list[str]:
    """The blocks of the whole text in one parse, with none of the incremental rules."""
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub("[\u202a-\u202e\u2066-\u2069]", "", text).replace("\0", "\ufffd")
    return [block.html for block in render(text, {}, final=True)]


@pytest.mark.parametrize("text", SNIPPETS)
def test_each_snippet_letter_by_letter(text: str) -> None:
    assert streamed(list(text)) == whole(text) == expected(text)


@settings(max_examples=400)
@given(
    texts=st.lists(st.sampled_from([*SNIPPETS, *HOSTILE, "\n", "\n\n", "\r\n", "\r", "- ", "> ", "  "]), min_size=1, max_size=9),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5),
)
def test_any_text_in_any_pieces_ends_as_the_whole(texts: list[str], sizes: list[int]) -> None:
    text = "".join(texts)
    assert streamed(cut(text, sizes)) == whole(text) == expected(text)


@settings(max_examples=200)
@given(
    text=st.text(alphabet="ab \n\r\t-*_`~#>|[]()!:$\\<&1.=+\ud83d\ude00\u202e\x00é", max_size=120),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
def test_any_markup_in_any_pieces_ends_as_the_whole(text: str, sizes: list[int]) -> None:
    assert streamed(cut(text, sizes)) == whole(text) == expected(text)


def test_a_patch_holds_only_what_is_new() -> None:
    blocks = Blocks()
    blocks.write("# Hel")
    assert blocks.render() == (0, [(0, "<h1>Hel</h1>")])
    blocks.write("lo\n\nW\u00f6r")
    assert blocks.render() == (0, [(7, "lo</h1>"), (0, "<p>W\u00f6r</p>")])
    blocks.write("ld \U0001f600")
    assert blocks.render() == (1, [(6, "ld \U0001f600</p>")])
    blocks.write("!")
    assert blocks.render() == (1, [(11, "!</p>")])  # an emoji is two units
    assert blocks.render() is None


def test_a_finished_block_is_never_sent_again() -> None:
    blocks = Blocks()
    blocks.write("".join(f"Paragraph {n}.\n\n" for n in range(100)))
    blocks.render()
    blocks.write("The last one")
    assert blocks.render() == (100, [(0, "<p>The last one</p>")])


def test_a_late_definition_changes_the_blocks_that_mention_it_and_no_other() -> None:
    blocks = Blocks()
    blocks.write("See [one].\n\nNothing.\n\nSee [two].\n\nEnd.\n\n[One]: https://o")
    blocks.render()
    blocks.write("ne.example\n\n# Next\n\n")
    patch = blocks.render()
    assert patch is not None
    first, changes = patch
    assert first == 0
    assert "https://one.example" in changes[0][1]
    assert [suffix for _, suffix in changes[1:4]] == ["", "", ""]


# What it looks like


CASES = [
    ("<b>no</b>", ["<p>&lt;b&gt;no&lt;/b&gt;</p>"]),
    ("~~gone~~", ["<p><s>gone</s></p>"]),
    ("- [ ] a\n- [x] b", ['<ul>\n<li class="hr-task">☐ a</li>\n<li class="hr-task">☑ b</li>\n</ul>']),
    ("[a](https://b.example/c)", [f"<p>{LINK.format('https://b.example/c', 'b.example')}a</a></p>"]),
    ("https://b.example/c.", [f"<p>{LINK.format('https://b.example/c', 'b.example')}https://b.example/c</a>.</p>"]),
    ("<me@b.example>", [f"<p>{LINK.format('mailto:me@b.example', 'me@b.example')}me@b.example</a></p>"]),
    ("[a](https://good.example@evil.example)", ["<p>[a](https://good.example@evil.example)</p>"]),
    ("[a](/b) [c](d.md)", ["<p>[a](/b) [c](d.md)</p>"]),
    ("www.a.example a@b.example ftp://c.example", ["<p>www.a.example a@b.example ftp://c.example</p>"]),
    ("![alt](https://b.example/c.png?d)", [f"<p>{CHIP.format('https://b.example/c.png?d', 'alt')}image: b.example/c.png</a></p>"]),
    ("| a | b |\n|:-:|--:|\n| 1 | 2 |", None),
    ("```Python\nif x: pass\n```", [BOX.format("python", '<span class="k">if </span>x: <span class="k">pass\n</span>')]),
    ("```\n<x>\n```", [BOX.format("", "&lt;x&gt;\n")]),
    ("$5 and $6", ["<p>$5 and $6</p>"]),
    ("costs $5-$10", ["<p>costs $5-$10</p>"]),
    ("US$5 or A$6$", ["<p>US$5 or A$6$</p>"]),
    ("$5 for tea and 3$", ["<p>$5 for tea and 3$</p>"]),
    ("`$a$` and \\$b$", ["<p><code>$a$</code> and $b$</p>"]),
    ("$x$", ['<p><math display="inline"><mrow><mi>x</mi></mrow></math></p>']),
    ("设$x$为", ['<p>设<math display="inline"><mrow><mi>x</mi></mrow></math>为</p>']),
    ("\\(x\\)", ['<p><math display="inline"><mrow><mi>x</mi></mrow></math></p>']),
    ("$$\nx\n$$", ['<div class="hr-math" tabindex="0"><math display="block"><mrow><mi>x</mi></mrow></math></div>']),
    ("\\[\nx\n\\]\n", ['<div class="hr-math" tabindex="0"><math display="block"><mrow><mi>x</mi></mrow></math></div>']),
    ("\\[sic\\] and \\[1\\]", ["<p>[sic] and [1]</p>"]),
    ("$\\frac{$", ['<p><code class="hr-tex">$\\frac{$</code></p>']),
    ("$$\nx\n\ny", ["<p>$$\nx</p>", "<p>y</p>"]),
    ("a \u202eb\u2066c", ["<p>a bc</p>"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "blocks"), CASES)
def test_what_a_text_looks_like(text: str, blocks: list[str] | None) -> None:
    if blocks is not None:
        assert whole(text) == blocks


def test_a_table_scrolls_in_a_wrapper_and_its_alignment_is_a_class() -> None:
    html = "".join(whole("| a | b |\n|:-:|--:|\n| 1 | 2 |"))
    assert html.startswith('<div class="hr-table" tabindex="0"><table>')
    assert '<td class="hr-center">1</td>\n<td class="hr-right">2</td>' in html
    assert "style" not in html


OPEN = [
    ("a\n-", "<p>a</p>"),
    ("a **b", "<p>a <strong>b</strong></p>"),
    ("a **", "<p>a </p>"),
    ("a `b", "<p>a <code>b</code></p>"),
    ("a [b](https://c", "<p>a b</p>"),
    ("a \\(x +", "<p>a </p>"),
    ("- a\n- ", "<ul>\n<li>a</li>\n</ul>"),
    ("1. a\n2", "<ol>\n<li>a</li>\n</ol>"),
    ("| a | b |\n|--", ""),
    ("```py", ""),
    ("```py\nif x", BOX.format("py", "if x")),
    ("```py\nif x\n``", BOX.format("py", "if x")),
    ("$$\nx^", '<div class="hr-math" tabindex="0"><code class="hr-tex">$$\nx^</code></div>'),
]


@pytest.mark.parametrize(("text", "html"), OPEN)
def test_half_a_piece_of_markup_is_not_shown_as_text(text: str, html: str) -> None:
    assert shown(text) == html


def test_a_fence_gets_its_colours_when_it_is_closed() -> None:
    assert "<span class" not in shown("```python\nif x: pass\n")
    assert '<span class="k">' in shown("```python\nif x: pass\n```\n")


def test_a_surrogate_pair_in_two_pieces_is_one_character() -> None:
    assert streamed(["a\ud83d", "\ude00b"]) == ["<p>a\U0001f600b</p>"]
    assert streamed(["a\ud83d", "b"]) == ["<p>a\ufffdb</p>"]
    assert streamed(["a\r", "\nb\r", "c"]) == ["<p>a\nb\nc</p>"]


def test_mended_leaves_whole_text_alone() -> None:
    for text in ("a b", "a **b** c", "a `b` c", "[1] and [a](https://b.example) c", "2 * 3 = 6", "a\n\\(x\\) b"):
        assert mended(text) == text


def test_no_text_is_lost() -> None:
    words = re.findall(r"[a-z]{3,}", "".join(whole("\n\n".join(SNIPPETS))))
    assert {"strong", "indented", "lazy", "deep", "todo"} <= set(words)
    assert CANARY not in words
