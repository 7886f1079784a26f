"""Claude's export: conversations.json, an array of conversations; also one of them alone, as claude.ai itself loads it.

    {"uuid", "name", "created_at", "updated_at", "model"?, "current_leaf_message_uuid"?,
     "chat_messages": [{"uuid", "sender": "human" | "assistant", "text", "content": [block], "attachments", "files",
                        "created_at", "parent_message_uuid"?, "stop_reason"?}]}
    block = {"type": "text" | "thinking" | "tool_use" | "tool_result" | ...}

No format is published; docs/exchange.md says what was looked at. Signatures of thinking are not taken over: they hold for
the account that they were made for.
"""

from collections import Counter

from services.events import Reason
from services.exchange import loose
from services.exchange.loose import Object, items, line, objects
from services.exchange.told import Told
from services.exchange.tree import Said, question, result
from services.messages import Part, Reasoning, Text, ToolCall

BEGINNING = "00000000-0000-4000-8000-000000000000"
FOR_THE_PAGE = {"token_budget", "flag"}  # blocks that say nothing


def read(value: Object, now: float) -> Told:
    messages = list(objects(value.get("chat_messages")))
    left_out: Counter[str] = Counter()
    if strangers := len(items(value.get("chat_messages"))) - len(messages):
        left_out["messages that are none"] = strangers
    linked = any("parent_message_uuid" in message for message in messages)
    model = line(value.get("model"))
    said: list[Said] = []
    before: str | None = None
    for number, message in enumerate(messages):
        id = loose.name(message.get("uuid")) or f"#{number}"
        parent = loose.name(message.get("parent_message_uuid")) if linked else before
        said.append(_said(id, None if parent == BEGINNING else parent, message, model, now, left_out))
        before = id
    return Told(
        loose.name(value.get("uuid")),
        line(value.get("name")),
        loose.seconds(value.get("created_at"), now),
        loose.seconds(value.get("updated_at"), now),
        model,
        said,
        loose.name(value.get("current_leaf_message_uuid")),
        left_out,
    )


def _said(id: str, parent: str | None, message: Object, model: str, now: float, left_out: Counter[str]) -> Said:
    at = loose.seconds(message.get("created_at"), now)
    blocks = list(objects(message.get("content")))
    match message.get("sender"):
        case "human":
            texts = [loose.text(block.get("text")) for block in blocks if block.get("type") == "text"]
            left_out["blocks of an unknown kind"] += sum(block.get("type") != "text" for block in blocks)
            said = texts if any(texts) else [loose.text(message.get("text"))]
            parts = question(*said, *_attached(message, left_out))
            return Said(id, parent, "question" if parts else "nothing", parts, at=at)
        case "assistant":
            answered = [part for number, block in enumerate(blocks) for part in _parts(f"{id}-{number}", block, left_out)]
            if not any(isinstance(part, Text) for part in answered) and not blocks and (text := loose.text(message.get("text"))):
                answered.append(Text(text))
            answered += [Text(text) for text in _attached(message, left_out)]
            ends: dict[object, Reason] = {"max_tokens": "length", "refusal": "content_filter"}
            reason = ends.get(line(message.get("stop_reason")), "stop")
            return Said(id, parent, "answer" if answered else "nothing", tuple(answered), model, at, reason=reason)
    left_out["messages of an unknown sender"] += 1
    return Said(id, parent, "nothing")


def _parts(id: str, block: Object, left_out: Counter[str]) -> list[Part]:
    match block.get("type"):
        case "text":
            text = loose.text(block.get("text"))
            return [Text(text)] if text else []
        case "thinking":
            text = loose.text(block.get("thinking"))
            return [Reasoning(text)] if text else []
        case "tool_use":
            asked = loose.walked(block.get("input"))
            return [ToolCall(loose.text(block.get("id")) or id, line(block.get("name")), loose.json(asked), asked)]
        case "tool_result":
            return [result(line(block.get("name")), _result(block.get("content")), failed=block.get("is_error") is True)]
        case str(kind) if kind in FOR_THE_PAGE:
            return []
    left_out["blocks of an unknown kind"] += 1
    return []


def _result(content: object) -> str:
    """The words of a tool's result; of what is none, the JSON."""
    if isinstance(content, str):
        return loose.text(content)
    return "\n\n".join(loose.text(each.get("text")) or loose.json(each) for each in objects(content))


def _attached(message: Object, left_out: Counter[str]) -> list[str]:
    """What was attached: its text where the export has it, otherwise its name."""
    texts = []
    named = set()
    for file in objects(message.get("attachments")):
        name, text = line(file.get("file_name")), loose.text(file.get("extracted_content"))
        named.add(name)
        texts.append(f"[File: {name or 'without a name'}]" + (f"\n\n{text}" if text else ""))
        left_out["files, which are not in this file"] += not text
    for file in [*objects(message.get("files")), *objects(message.get("files_v2"))]:
        name = line(file.get("file_name"))
        if name not in named:
            named.add(name)
            texts.append(f"[File: {name or 'without a name'}]")
            left_out["files, which are not in this file"] += 1
    return texts
