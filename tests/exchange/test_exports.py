"""What people get to read: Markdown, and the names of the files."""

import io
import json
import zipfile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from services.conversations import Conversation, Node
from services.exchange.exporting import exported, named
from services.exchange.markdown import closed, fenced, markdown
from services.exchange.names import file_name
from services.messages import Attachment, Image, Message, Problem, Reply, Text, ToolCall, ToolResult
from tests.exchange.conversations import FILES, MILL, PIXEL, TREE, id

MARKDOWN = f"""\
---
title: "The mill: 水車"
date: 2023-11-14T22:13:20Z
updated: 2023-11-14T22:28:20Z
models:
  - "lab/large"
  - "lab/small"
---

# The mill: 水車

## Question

How does a *mill* work?

![Image]({PIXEL})

## Answer by lab/large

<details>
<summary>Reasoning</summary>

Water, then &lt;/details> a wheel.

</details>

**Tool call:** measure

```json
{{
  "head": 3
}}
```

**Tool result:** measure

```
3 m
```

Water turns it:

```python
print(3)
```

| a | b |
|---|---|
| 1 | 2 |

$P = \\rho g Q h$

**Source:** [Wheels \\[1\\]](<https://wheels.example/a>)

## Question

And then?

## Answer by lab/small

The corn is ground.

> **Failed:** It broke off. (truncated)
"""


def test_a_conversation_as_markdown() -> None:
    assert markdown(MILL, TREE) == MARKDOWN


def test_only_the_shown_branch_is_in_it() -> None:
    other = markdown(msgspec.structs.replace(MILL, shown=id(6)), TREE)
    assert "The corn" not in other
    assert other.endswith("> **Stopped:** The answer was stopped.\n")
    assert markdown(msgspec.structs.replace(MILL, shown=id(7)), TREE).endswith("> This message is damaged, and could not be read.\n")


def said(*nodes: Node, title: str = "T") -> str:
    return markdown(Conversation(id(1), title, 1.0, 1.0, "m", nodes[-1].id if nodes else None), nodes)


def answer(reply: Reply | None) -> Node:
    return Node(id(3), None, generation=id(31), reply=reply)


@pytest.mark.parametrize(
    ("reply", "end"),
    [
        (
            Reply("g", "m", 1, "failed", 2, problem=Problem("refused", "No *key*.", upstream="<b>bad\n\nkey</b>")),
            "> **Failed:** No \\*key\\*. (refused) \\<b\\>bad key\\</b\\>",
        ),
        (Reply("g", "m", 1, "interrupted", 2), "> **Interrupted:** The answer was cut off."),
        (Reply("g", "m", 1, "finished", 2, reason="length"), "> **Cut off:** The answer had the greatest length that was allowed."),
        (Reply("g", "m", 1, "finished", 2, reason="content_filter"), "> **Cut off:** The model server's filter ended the answer."),
        (Reply("g", "m", 1, "streaming", 2), "> **Unfinished:** This answer was still on its way."),
        (None, "> **Unfinished:** This answer was still on its way."),
    ],
)  # fmt: skip
def test_how_an_answer_ended_is_said(reply: Reply | None, end: str) -> None:
    assert said(answer(reply)).endswith(f"\n\n{end}\n")


def test_a_title_is_a_title_whatever_is_in_it() -> None:
    title = '"\\ # <script> [a](b) *x* `y`\u2028---\x00\ud800'
    head = said(title=title).split("\n")
    assert head[1] == r'title: "\"\\ # <script> [a](b) *x* `y`\u2028---' + '\ufffd\ufffd"'
    html = MarkdownIt().render(head[-2])
    assert html == "<h1>&quot;\\ # &lt;script&gt; [a](b) *x* `y` ---\ufffd\ufffd</h1>\n"


@given(st.text())
def test_a_quoted_title_is_what_json_reads_too(title: str) -> None:
    quoted = said(title=title).split("\n")[1].removeprefix("title: ")
    assert json.loads(quoted) == title.replace("\0", "\ufffd")


def test_what_a_model_leaves_open_swallows_nothing() -> None:
    for text in ("```python\nx", "~~~~\n~~~", "  ````\n```\n"):
        tokens = MarkdownIt().parse(closed(text) + "\n\n## Next")
        assert tokens[-2].content == "Next"
    for text in ("```\nx\n```", "``` a`b\nx", "    ```\nx"):
        assert closed(text) == text


@given(st.text(st.sampled_from("`~ ab\n<>/#"), max_size=60))
def test_whatever_is_said_the_next_heading_is_one(text: str) -> None:
    for whole in (closed(text), fenced(text)):
        tokens = MarkdownIt("commonmark", {"html": False}).parse(whole + "\n\n## Next")
        assert [tokens[-3].type, tokens[-3].markup, tokens[-2].content] == ["heading_open", "##", "Next"]


def test_addresses_lead_to_the_web_or_nowhere() -> None:
    parts = (Image("javascript:alert(1)"), Image("https://a.example/x y>)"), Image("data:text/html,<script>"))
    assert "\n\n".join(said(Node(id(2), None, Message("user", parts))).split("\n\n")[3:]) == (
        "[Image that cannot be shown]\n\n[Image](<https://a.example/x%20y%3E)>)\n\n[Image that cannot be shown]\n"
    )


def test_calls_that_are_no_json_and_results_that_failed() -> None:
    call, failed = ToolCall("t", "a`b", 'x```\n{"a'), ToolResult("t", "no", "f", failed=True)
    text = said(answer(Reply("g", "m", 1, "finished", 2, (call, failed), reason="stop")))
    assert '**Tool call:** a\\`b\n\n````\nx```\n{"a\n````\n\n**Tool failed:** f\n\n```\nno\n```\n' in text


def test_one_is_a_document_and_several_are_an_archive() -> None:
    other = Conversation(id(9), "THE MILL: 水車", MILL.created, 0.0, "")
    assert exported("markdown", [(MILL, TREE)]) == ("2023-11-14 The mill 水車.md", "text/markdown; charset=utf-8", MARKDOWN.encode())
    file = exported("markdown", [(MILL, TREE), (other, ())])
    assert (file.name, file.media) == ("Conversations (markdown).zip", "application/zip")
    with zipfile.ZipFile(io.BytesIO(file.body)) as archive:
        assert archive.namelist() == ["2023-11-14 The mill 水車.md", "2023-11-14 THE MILL 水車 2.md"]
        assert archive.read(archive.namelist()[0]).decode() == MARKDOWN
        assert archive.testzip() is None
    assert exported("markdown", [(MILL, TREE), (other, ())]) == file


@settings(max_examples=50)
@given(FILES)
def test_nothing_that_was_said_stops_an_export(several: tuple[tuple[Conversation, tuple[Node, ...]], ...]) -> None:
    for format in ("markdown", "html", "headrace"):
        assert exported(format, several).body
        assert exported(format, several[:1]).body


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, 1e300, 0.0])
def test_no_time_stops_an_export(seconds: float) -> None:
    talk = (msgspec.structs.replace(MILL, created=seconds, updated=seconds), TREE)
    assert exported("markdown", [talk, talk]).body
    assert exported("html", [talk]).body


# Names


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The mill", "The mill.md"),
        ("a/b\\c:d*e?f\"g<h>i|j", "a b c d e f g h i j.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ("..", "Conversation.md"),
        ("", "Conversation.md"),
        (" . ", "Conversation.md"),
        ("CON", "_CON.md"),
        ("nul.txt", "_nul.txt.md"),
        ("com1", "_com1.md"),
        ("COM¹", "_COM¹.md"),
        ("Console", "Console.md"),
        ("-rf", "rf.md"),
        ("~", "Conversation.md"),
        ("a\n\tb\x00c\x7f", "a b c.md"),
        ("invoice\u202egpj.exe", "invoicegpj.exe.md"),
        ("trailing dots...", "trailing dots.md"),
        ("水" * 100, "水" * 33 + ".md"),
        ("e\u0301", "é.md"),
        ("%2e%2e", "2e 2e.md"),
        ("\ud800", "Conversation.md"),
    ],
)  # fmt: skip
def test_a_name_that_every_system_takes(title: str, name: str) -> None:
    assert file_name(title, ".md") == name


@given(st.lists(st.text(max_size=200), max_size=8))
def test_any_title_makes_a_safe_name_and_no_two_are_alike(titles: list[str]) -> None:
    taken: set[str] = set()
    names = [file_name(title, ".html", taken) for title in titles]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert len(name.encode()) <= 120
        assert not set(name) & set('<>:"/\\|?*\0\n\r')
        assert name[0] not in " .-~"
        assert name.removesuffix(".html")[-1] not in " ."


def test_a_document_begins_with_its_day() -> None:
    assert named(MILL, "html") == "2023-11-14 The mill 水車.html"
    assert named(msgspec.structs.replace(MILL, created=float("nan"), title="x"), "html") == "x.html"


def test_sources_and_files_are_named() -> None:
    parts = (Attachment("file", {"filename": "a*.pdf"}), Attachment("source", {"url": "https://a.example"}), Attachment("opaque", {"x": 1}))
    text = said(answer(Reply("g", "m", 1, "finished", 2, (*parts, Text("."), Attachment("image", {"url": PIXEL})), reason="stop")))
    assert "**File:** a\\*.pdf\n\n**Source:** [https://a.example](<https://a.example>)\n\n.\n\n![Image](data:" in text
