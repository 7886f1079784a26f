"""ChatGPT's export: conversations.json (or conversations-000.json and so on), an array of trees.

    {"id", "title", "create_time", "update_time", "current_node", "default_model_slug",
     "mapping": {id: {"parent", "children": [...], "message": {"author": {"role"}, "content": {"content_type", ...}, ...}}}}

No format is published; docs/exchange.md says what was looked at. Pictures and files are in other files of the export, under
the names that are noted here.
"""

from collections import Counter

import msgspec

from services.events import Reason
from services.exchange import loose
from services.exchange.loose import Object, items, line, mapping, objects
from services.exchange.markdown import fenced
from services.exchange.told import Told
from services.exchange.tree import Said, question, result
from services.messages import Part, Reasoning, ReplyState, Text, ToolCall

LAST = 1 << 30  # behind all that their parents list


def read(value: Object, now: float) -> Told:
    nodes = {name: node for name, node in mapping(value.get("mapping")).items() if isinstance(node, dict)}
    left_out: Counter[str] = Counter()
    parents: dict[str, str] = {}
    ranks: dict[str, int] = {}
    for name, node in nodes.items():
        for rank, child in enumerate(items(node.get("children"))):
            if isinstance(child, str):
                parents.setdefault(child, name)
                ranks.setdefault(child, rank)
    model = line(value.get("default_model_slug"))
    said = [
        _said(name, loose.name(node.get("parent")) or parents.get(name), mapping(node.get("message")), model, now, left_out)
        for name, node in sorted(nodes.items(), key=lambda named: ranks.get(named[0], LAST))
    ]
    return Told(
        loose.name(value.get("conversation_id")) or loose.name(value.get("id")),
        line(value.get("title")),
        loose.seconds(value.get("create_time"), now),
        loose.seconds(value.get("update_time"), now),
        model,
        said,
        loose.name(value.get("current_node")),
        left_out,
    )


def _said(id: str, parent: str | None, message: Object, model: str, now: float, left_out: Counter[str]) -> Said:
    author, about = mapping(message.get("author")), mapping(message.get("metadata"))
    role, content = author.get("role"), mapping(message.get("content"))
    nothing = Said(id, parent, "nothing")
    if not message:
        return nothing
    if role == "system" or about.get("is_visually_hidden_from_conversation") is True or content.get("content_type") in _SETTINGS:
        if _words(content, Counter()).strip() or content.get("content_type") in _SETTINGS:
            left_out["hidden instructions"] += 1
        return nothing
    at = loose.seconds(message.get("create_time"), now)
    if role == "user":
        files = [f"[File: {name}]" for file in objects(about.get("attachments")) if (name := line(file.get("name")))]
        parts = question(_words(content, left_out), *files)
        return Said(id, parent, "question", parts, at=at) if parts else nothing
    if role not in ("assistant", "tool"):
        left_out["messages of an unknown role"] += 1
        return nothing
    parts = _answered(id, message, content, left_out)
    if not parts:
        return nothing
    state, reason = _end(message, about)
    return Said(id, parent, "answer", parts, line(about.get("model_slug")) or model, at, state, reason)


def _answered(id: str, message: Object, content: Object, left_out: Counter[str]) -> tuple[Part, ...]:
    kind = content.get("content_type")
    if kind == "thoughts":
        thoughts = [_thought(thought) for thought in objects(content.get("thoughts"))]
        text = "\n\n".join(filter(None, thoughts))
        return (Reasoning(text, "summary"),) if text else ()
    if kind == "reasoning_recap":
        left_out["notes on how long a model thought"] += 1
        return ()
    text = _words(content, left_out)
    if not text.strip():
        return ()
    author = mapping(message.get("author"))
    if author.get("role") == "tool":
        return (result(line(author.get("name")), text, failed=kind == "system_error"),)
    recipient = line(message.get("recipient"))
    if recipient and recipient != "all":
        return (ToolCall(id, recipient, text, _object(text)),)
    if kind == "code":
        language = line(content.get("language"))
        return (Text(fenced(text, "" if language == "unknown" else language)),)
    return (Text(text),)


def _thought(thought: Object) -> str:
    summary = line(thought.get("summary"))
    return "\n\n".join(filter(None, [f"**{summary}**" if summary else "", loose.text(thought.get("content"))]))


def _words(content: Object, left_out: Counter[str]) -> str:
    """All text of a message's content, and what stands for what is no text."""
    if "parts" in content:
        return "\n\n".join(filter(None, (_part(part, left_out) for part in items(content.get("parts")))))
    for name in ("text", "result", "content"):
        if words := loose.text(content.get(name)):
            return words
    if content.get("content_type") not in (None, "text", "code", "execution_output", "thoughts", *_SETTINGS):
        left_out[f"messages of the kind {line(content.get('content_type'))[:40]!r}"] += 1
    return ""


def _part(part: object, left_out: Counter[str]) -> str:
    if isinstance(part, str):
        return loose.text(part)
    value = mapping(part)
    kind = line(value.get("content_type"))
    if kind == "audio_transcription":
        return loose.text(value.get("text"))
    if kind.endswith("asset_pointer"):
        what = "Image" if kind.startswith("image") else "Recording"
        left_out[f"{what.lower()}s, which are not in this file"] += 1
        pointer = mapping(value.get("audio_asset_pointer")).get("asset_pointer", value.get("asset_pointer"))
        return f"[{what}: {line(pointer).rpartition('//')[2]}]"
    if words := loose.text(value.get("text")):
        return words
    left_out["parts of an unknown kind"] += 1
    return ""


def _end(message: Object, about: Object) -> tuple[ReplyState, Reason | None]:
    if message.get("status") == "in_progress":
        return "interrupted", None
    match mapping(about.get("finish_details")).get("type"):
        case "max_tokens":
            return "finished", "length"
        case "interrupted":
            return "stopped", "stopped"
    return "finished", "stop"


def _object(text: str) -> object:
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


_SETTINGS = ("user_editable_context", "model_editable_context")
