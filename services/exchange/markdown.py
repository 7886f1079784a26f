"""A conversation as Markdown: front matter, then the questions and answers of the shown branch.

What a model and a person wrote stays as it is, except that a fence left open is closed, and a fold around reasoning cannot
be closed from inside. Everything else, titles and names, is escaped.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from services.conversations import Conversation, Node, cleaned, path
from services.exchange.loose import LATEST, line
from services.messages import Attachment, File, Image, Part, Reasoning, Refusal, Reply, Text, ToolCall, ToolResult

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
TICKS = re.compile(r"`+")
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!$])")
FOLDS = re.compile(r"<(?=/?(?:details|summary)\b)", re.IGNORECASE)
UNPRINTED = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')  # that YAML has to have escaped
UNLINKED = re.compile(r"[\s<>\x00-\x1f\x7f]")

DAMAGED = "This message is damaged, and could not be read."
UNANSWERED = "This answer was still on its way."
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]++={0,2}")


def markdown(conversation: Conversation, nodes: Sequence[Node]) -> str:
    """One document. Never raises because of what is in it."""
    shown = path(nodes, conversation.shown)
    parts = [_front(conversation, shown), f"# {escaped(conversation.title) or 'Conversation'}"]
    for node in shown:
        parts += _question(node) if node.generation is None else _answer(node)
    return cleaned("\n\n".join(part.strip("\n") for part in parts if part)) + "\n"


def models(shown: Sequence[Node]) -> list[str]:
    """Those that answered, in the order of their first answer."""
    return list(dict.fromkeys(node.reply.model for node in shown if node.reply and node.reply.model))


def day(seconds: float) -> str:
    """`2026-11-21T14:49:28Z`; nothing for a time that no calendar has."""
    if not 0 <= seconds <= LATEST:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fenced(text: str, language: str = "") -> str:
    """As a code block, which nothing in the text can end."""
    ticks = "`" * max(3, 1 + max((len(run) for run in TICKS.findall(text)), default=0))
    return f"{ticks}{language}\n{text}\n{ticks}"


def escaped(text: str) -> str:
    """As text in a line of Markdown that means nothing but itself."""
    return SPECIAL.sub(r"\\\1", line(text))


def closing(reply: Reply) -> tuple[str, str] | None:
    """How an answer ended, if not well: a word, and a sentence."""
    if reply.problem:
        return "Failed", " ".join(
            filter(None, [line(reply.problem.message), f"({line(reply.problem.code)})", line(reply.problem.upstream)])
        )
    if reply.state in ("waiting", "streaming"):
        return "Unfinished", UNANSWERED
    if reply.state == "interrupted":
        return "Interrupted", "The answer was cut off."
    if reply.state == "stopped" or reply.reason == "stopped":
        return "Stopped", "The answer was stopped."
    if reply.reason == "length":
        return "Cut off", "The answer had the greatest length that was allowed."
    if reply.reason == "content_filter":
        return "Cut off", "The model server's filter ended the answer."
    return None


def pretty(call: ToolCall) -> tuple[str, str]:
    """The arguments of a call as people read them, and the language they are in."""
    try:
        return msgspec.json.format(call.arguments, indent=2), "json"
    except (ValueError, RecursionError, UnicodeEncodeError):
        return call.arguments, ""


def tool_result(part: Attachment) -> tuple[str, str, bool] | None:
    """The name, the text and the failure of a tool's result that was imported."""
    value = part.value if isinstance(part.value, dict) else {}
    text, name = value.get("tool_result"), value.get("name")
    return (line(name), text, value.get("failed") is True) if isinstance(text, str) else None


def place(part: Attachment) -> tuple[str, str]:
    """Where an attachment is, and what it is called."""
    value = part.value if isinstance(part.value, dict) else {}
    url, names = value.get("url"), (value.get("title"), value.get("name"), value.get("filename"))
    name = next((found for each in names if (found := line(each))), "")
    return url if isinstance(url, str) else "", name


def _front(conversation: Conversation, shown: Sequence[Node]) -> str:
    said = [f"title: {_quoted(conversation.title)}"]
    for name, seconds in (("date", conversation.created), ("updated", conversation.updated)):
        if told := day(seconds):
            said.append(f"{name}: {told}")
    named = models(shown) or [conversation.model] * bool(conversation.model)
    said += ["models:", *(f"  - {_quoted(model)}" for model in named)] if named else []
    return "---\n" + "\n".join(said) + "\n---"


def _quoted(text: str) -> str:
    """As a string of YAML 1.2 (section 5.7)."""
    return '"' + UNPRINTED.sub(lambda found: f"\\{found[0]}" if found[0] in '"\\' else f"\\u{ord(found[0]):04x}", cleaned(text)) + '"'


def _question(node: Node) -> Iterator[str]:
    yield "## Question"
    if node.damaged:
        yield f"> {DAMAGED}"
    for part in node.message.parts if node.message else ():
        yield from _part(part)


def _answer(node: Node) -> Iterator[str]:
    yield f"## Answer{f' by {escaped(node.reply.model)}' if node.reply and node.reply.model else ''}"
    for part in node.parts:
        yield from _part(part)
    if node.damaged:
        yield f"> {DAMAGED}"
    elif node.reply is None:
        yield f"> **Unfinished:** {UNANSWERED}"
    elif end := closing(node.reply):
        yield f"> **{end[0]}:** {escaped(end[1])}"


def _part(part: Part) -> Iterator[str]:
    match part:
        case Text(text) | Refusal(text):
            yield closed(text)
        case Reasoning(text) if text:
            yield f"<details>\n<summary>Reasoning</summary>\n\n{FOLDS.sub('&lt;', closed(text))}\n\n</details>"
        case ToolCall(name=name):
            yield f"**Tool call:** {escaped(name)}"
            yield fenced(*pretty(part))
        case ToolResult(text=text, name=name, failed=failed):
            yield _result(name or "", failed)
            yield fenced(text)
        case Image(url):
            yield _picture(url)
        case File(name=name, size=size):
            yield f"**File:** {escaped(name) or 'without a name'} ({size:,} bytes)"
        case Attachment("image") if url := place(part)[0]:
            yield _picture(url)
        case Attachment("source" | "file" as kind):
            url, name = place(part)
            shown = escaped(name) or escaped(url[:200])
            yield f"**{kind.capitalize()}:** " + (f"[{shown}](<{_address(url)}>)" if _is_web(url) else shown or "without a name")
        case Attachment() if told := tool_result(part):
            yield _result(told[0], told[2])
            yield fenced(told[1])


def _result(name: str, failed: bool) -> str:
    return f"**Tool {'failed' if failed else 'result'}{':** ' + escaped(name) if name else '**'}"


def _picture(url: str) -> str:
    if PICTURE.fullmatch(url):
        return f"![Image]({url})"
    return f"[Image](<{_address(url)}>)" if _is_web(url) else "[Image that cannot be shown]"


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _address(url: str) -> str:
    return UNLINKED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), cleaned(url))


def closed(text: str) -> str:
    """With its last fence closed, so that it swallows nothing of what follows."""
    fence = ""
    for said in text.split("\n"):
        found = FENCE.match(said)
        if found is None:
            continue
        ticks, rest = found[1], found[2]
        if not fence:
            fence = ticks if ticks[0] == "~" or "`" not in rest else ""
        elif ticks.startswith(fence) and not rest.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text
