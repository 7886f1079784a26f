"""Open WebUI's export: an array of chats, or one of them, with or without the row of the database around it.

    {"id", "title", "created_at", "updated_at", "chat": {"title", "models": [...], "params": {"system"},
     "history": {"currentId", "messages": {id: {"id", "parentId", "childrenIds", "role", "content", "model", "timestamp",
                                               "files", "error", "done", "usage", "output"?, "sources"?}}}}}

`output` is what newer versions keep beside `content`: items as OpenAI's Responses have them. Older ones write reasoning and
calls of tools into `content`, as <details> with escaped attributes. docs/exchange.md says which versions were looked at.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from services.events import Usage
from services.exchange import loose
from services.exchange.loose import Object, items, line, mapping, objects
from services.exchange.told import Told
from services.exchange.tree import Said, question, result
from services.messages import Attachment, Image, Part, Problem, Reasoning, ReplyState, Text, ToolCall

LAST = 1 << 30  # behind all that their parents list

DETAILS = '<details type="'
# A name is tried once, at its beginning: a long word without a value costs no more than its length.
ATTRIBUTE = re.compile(r'(?<![\w-])([\w-]++)="([^"]*+)"')
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]++={0,2}")


def read(value: Object, now: float) -> Told:
    chat = mapping(value.get("chat")) or value
    history = mapping(chat.get("history"))
    left_out: Counter[str] = Counter()
    messages = {name: each for name, each in mapping(history.get("messages")).items() if isinstance(each, dict)}
    models = [line(model) for model in items(chat.get("models"))]
    model = models[0] if models else ""
    if loose.text(mapping(chat.get("params")).get("system")) or loose.text(chat.get("system")):
        left_out["system prompts"] += 1
    if messages:
        ranks = {
            child: rank
            for message in messages.values()
            for rank, child in enumerate(items(message.get("childrenIds")))
            if isinstance(child, str)
        }
        ordered = sorted(messages.items(), key=lambda named: ranks.get(named[0], LAST))
        said = [_said(name, loose.name(each.get("parentId")), each, model, now, left_out) for name, each in ordered]
    else:
        said = _in_a_row(chat.get("messages"), model, now, left_out)
    return Told(
        loose.name(value.get("id")) or loose.name(chat.get("id")),
        line(value.get("title")) or line(chat.get("title")),
        loose.seconds(value.get("created_at"), now) or loose.seconds(chat.get("timestamp"), now),
        loose.seconds(value.get("updated_at"), now),
        model,
        said,
        loose.name(history.get("currentId")) or loose.name(history.get("current_id")),
        left_out,
    )


def _in_a_row(messages: object, model: str, now: float, left_out: Counter[str]) -> list[Said]:
    """The branch that was shown, where there is no tree."""
    said: list[Said] = []
    for number, message in enumerate(objects(messages)):
        before = said[-1].id if said else None
        said.append(_said(loose.name(message.get("id")) or f"#{number}", before, message, model, now, left_out))
    return said


def _said(id: str, parent: str | None, message: Object, model: str, now: float, left_out: Counter[str]) -> Said:
    at = loose.seconds(message.get("timestamp"), now)
    match message.get("role"):
        case "user":
            texts, pictures = _files(message, left_out)
            asked = (*question(loose.text(message.get("content")), *texts), *pictures)
            return Said(id, parent, "question" if asked else "nothing", asked, at=at)
        case "assistant":
            texts, _ = _files(message, left_out)
            parts = (*_answered(id, message, left_out), *map(Text, texts), *_sources(message))
            problem = _problem(message.get("error"))
            if not parts and problem is None:
                return Said(id, parent, "nothing")
            state: ReplyState = "failed" if problem else "interrupted" if message.get("done") is False else "finished"
            named = line(message.get("model")) or model
            return Said(id, parent, "answer", parts, named, at, state, problem=problem, usage=_usage(message))
        case "system":
            left_out["system prompts"] += 1
        case _:
            left_out["messages of an unknown role"] += 1
    return Said(id, parent, "nothing")


def _files(message: Object, left_out: Counter[str]) -> tuple[list[str], list[Part]]:
    texts: list[str] = []
    pictures: list[Part] = []
    for file in objects(message.get("files")):
        inner = mapping(file.get("file"))
        url = file.get("url")
        if isinstance(url, str) and PICTURE.fullmatch(url):
            pictures.append(Image(url))
            continue
        name = line(file.get("name")) or line(inner.get("filename")) or line(url)[:200] or "without a name"
        content = loose.text(mapping(inner.get("data")).get("content"))
        texts.append(f"[{'Image' if file.get('type') == 'image' else 'File'}: {name}]" + (f"\n\n{content}" if content else ""))
        left_out["files, which are not in this file"] += not content
    return texts, pictures


def _answered(id: str, message: Object, left_out: Counter[str]) -> list[Part]:
    output = list(objects(message.get("output")))
    parts = [part for number, item in enumerate(output) for part in _item(f"{id}-{number}", item, left_out)]
    return parts or list(_unfolded(id, loose.text(message.get("content"))))


def _item(id: str, item: Object, left_out: Counter[str]) -> Iterator[Part]:
    match item.get("type"):
        case "message":
            if text := _texts(item.get("content")):
                yield Text(text)
        case "reasoning":
            if text := _texts(item.get("summary")) or _texts(item.get("content")):
                yield Reasoning(text, "summary" if _texts(item.get("summary")) else "plain")
        case "function_call":
            arguments = item.get("arguments")
            text = loose.text(arguments) if isinstance(arguments, str) else loose.json(arguments)
            yield ToolCall(loose.text(item.get("call_id")) or id, line(item.get("name")), text, _object(text))
        case "function_call_output":
            yield result("", _texts(item.get("output")) or loose.text(item.get("output")))
        case "open_webui:code_interpreter":
            code = loose.text(item.get("code"))
            yield ToolCall(id, "code_interpreter", code)
            if item.get("output"):
                yield result("code_interpreter", loose.json(item.get("output")))
        case _:
            left_out["items of an unknown kind"] += 1


def _texts(parts: object) -> str:
    return "".join(loose.text(part.get("text")) for part in objects(parts))


def _unfolded(id: str, content: str) -> Iterator[Part]:
    """A text with what is folded in it: reasoning, and calls of tools with their results. In linear time, whatever is in it."""
    at, number = 0, 0
    while (start := content.find(DETAILS, at)) >= 0:
        head, end = content.find(">", start), content.find("</details>", start)
        if not start < head < end:
            break
        attributes = dict(ATTRIBUTE.findall(content, start, head))
        if attributes.get("type") in ("reasoning", "tool_calls"):
            if before := content[at:start].strip():
                yield Text(before)
            yield from _details(f"{id}-{number}", attributes, content[head + 1 : end])
            number += 1
        elif before := content[at : end + len("</details>")].strip():
            yield Text(before)
        at = end + len("</details>")
    if rest := content[at:].strip():
        yield Text(rest)


def _details(id: str, attributes: dict[str, str], body: str) -> Iterator[Part]:
    body = html.unescape(body.partition("</summary>")[2] if "</summary>" in body else body)
    if attributes["type"] == "reasoning":
        text = "\n".join(said.removeprefix(">").removeprefix(" ") for said in body.strip().split("\n"))
        if text.strip():
            yield Reasoning(text)
        return
    arguments = html.unescape(attributes.get("arguments", ""))
    inner = _decoded(arguments)
    arguments = inner if isinstance(inner, str) else arguments  # some versions encode them twice
    name = line(html.unescape(attributes.get("name", "")))
    yield ToolCall(html.unescape(attributes.get("id", "")) or id, name, arguments, _object(arguments))
    told = html.unescape(attributes.get("result", "")) or body.strip()
    if told:
        inner = _decoded(told)
        yield result(name, inner if isinstance(inner, str) else told)


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None


def _object(text: str) -> object:
    value = _decoded(text)
    return value if isinstance(value, dict) else None


def _sources(message: Object) -> list[Part]:
    """Where the answer says it is from, as far as one can go there."""
    found: dict[str, Part] = {}
    for source in objects(message.get("sources")):
        about = mapping(source.get("source"))
        urls = [about.get("url"), about.get("name"), *(each.get("source") for each in objects(source.get("metadata")))]
        for url in map(line, urls):
            if url.lower().startswith(("http://", "https://")):
                value: dict[str, object] = {"url": url}
                found.setdefault(url, Attachment("source", value | ({"title": title} if (title := line(about.get("name"))) else {})))
    return list(found.values())


def _problem(error: object) -> Problem | None:
    if not error:
        return None
    said = loose.text(error) or loose.text(mapping(error).get("content")) or loose.text(mapping(error).get("message"))
    return Problem("imported", said[:2000] or "The answer failed; the export does not say why.")


def _usage(message: Object) -> Usage | None:
    told = mapping(message.get("usage")) or mapping(message.get("info"))
    found = Usage(
        _either(told, "input_tokens", "prompt_tokens", "prompt_eval_count"),
        _either(told, "output_tokens", "completion_tokens", "eval_count"),
        total_tokens=loose.count(told.get("total_tokens")),
    )
    return found if found != Usage() else None


def _either(told: Object, *names: str) -> int | None:
    return next((number for name in names if (number := loose.count(told.get(name))) is not None), None)
