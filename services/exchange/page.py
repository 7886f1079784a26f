"""Conversations as one HTML file: no script, nothing that is loaded, light and dark. Everything in it is escaped.

`render` makes safe HTML of a model's Markdown: no script, no attribute that runs or loads something. What it gives is taken
as it is; without it, texts are shown as they were written. Questions are always shown as they were written.
"""

import html
from collections.abc import Callable, Iterator, Sequence

from services.conversations import Conversation, Node, cleaned, path
from services.exchange.loose import line
from services.exchange.markdown import DAMAGED, PICTURE, UNANSWERED, closing, day, models, place, pretty, tool_result
from services.exchange.style import STYLE
from services.messages import Attachment, File, Image, Part, Reasoning, Refusal, Reply, Text, ToolCall, ToolResult

Render = Callable[[str], str]

# Nothing in the page asks for anything; this holds even if `render` had a hole.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def page(talks: Sequence[tuple[Conversation, Sequence[Node]]], render: Render | None = None) -> str:
    """One document with all of them. Never raises because of what is in them."""
    title = line(talks[0][0].title) if len(talks) == 1 else f"{len(talks)} conversations"
    articles = "\n".join(_article(conversation, nodes, render or plain) for conversation, nodes in talks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_escaped(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_escaped(title) or 'Conversation'}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{articles}\n</body>\n</html>\n"
    )


def plain(text: str) -> str:
    return f'<p class="plain">{_escaped(text)}</p>'


def _article(conversation: Conversation, nodes: Sequence[Node], render: Render) -> str:
    shown = path(nodes, conversation.shown)
    about = " · ".join(
        filter(None, [day(conversation.created).replace("T", " ").replace("Z", " UTC"), ", ".join(map(line, models(shown)))])
    )
    body = "\n".join(_section(node, render) for node in shown)
    title = _escaped(line(conversation.title)) or "Conversation"
    return f"<article>\n<header><h1>{title}</h1><p>{_escaped(about)}</p></header>\n{body}\n</article>"


def _section(node: Node, render: Render) -> str:
    if node.generation is None:
        parts = [_part(part, plain) for part in node.message.parts] if node.message else []
        parts += [_bad("Damaged", DAMAGED)] * node.damaged
        return f'<section><p class="by">Question</p><div class="question">{"".join(parts)}</div></section>'
    parts = [_part(part, render) for part in node.parts]
    model = f"Answer by {line(node.reply.model)}" if node.reply and node.reply.model else "Answer"
    return f'<section><p class="by">{_escaped(model)}</p>{"".join(parts)}{"".join(_ends(node))}</section>'


def _ends(node: Node) -> Iterator[str]:
    reply: Reply | None = node.reply
    if node.damaged:
        yield _bad("Damaged", DAMAGED)
    elif reply is None:
        yield _bad("Unfinished", UNANSWERED)
    elif end := closing(reply):
        yield _bad(*end)


def _part(part: Part, render: Render) -> str:
    match part:
        case Text(text) | Refusal(text):
            return f'<div class="prose">{render(cleaned(text))}</div>'
        case Reasoning(text) if text:
            return f'<details><summary>Reasoning</summary><div class="prose">{render(cleaned(text))}</div></details>'
        case ToolCall(name=name):
            return _box("Tool call", name, pretty(part)[0])
        case ToolResult(text=text, name=name, failed=failed):
            return _box("Tool failed" if failed else "Tool result", name or "", text)
        case Image(url):
            return _picture(url)
        case File(name=name, size=size):
            return f'<p class="note">File: {_escaped(line(name)) or "without a name"} ({size:,} bytes)</p>'
        case Attachment("image") if url := place(part)[0]:
            return _picture(url)
        case Attachment("source" | "file" as kind):
            url, name = place(part)
            shown = _escaped(name or line(url)[:200]) or "without a name"
            return f'<p class="note">{kind.capitalize()}: {_link(url, shown)}</p>'
        case Attachment() if told := tool_result(part):
            return _box("Tool failed" if told[2] else "Tool result", told[0], told[1])
    return ""


def _picture(url: str) -> str:
    if PICTURE.fullmatch(url):
        return f'<p><img alt="Image" src="{url}"></p>'
    return f'<p class="note">{_link(url, "Image, not in this file")}</p>'


def _link(url: str, shown: str) -> str:
    """`shown` is HTML. Only an address of the web becomes a link."""
    if not url.lower().startswith(("http://", "https://")):
        return shown
    return f'<a href="{_escaped(url)}" rel="noopener noreferrer nofollow">{shown}</a>'


def _box(what: str, name: str, text: str) -> str:
    named = f"{what}: {line(name)}" if name else what
    return f"<details><summary>{_escaped(named)}</summary><pre><code>{_escaped(text)}</code></pre></details>"


def _bad(what: str, sentence: str) -> str:
    return f'<p class="bad"><strong>{_escaped(what)}.</strong> {_escaped(sentence)}</p>'


def _escaped(text: str) -> str:
    return html.escape(cleaned(text), quote=True)
