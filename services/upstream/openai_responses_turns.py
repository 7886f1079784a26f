"""A Turn as the body of a Responses request. What cannot be said is refused by name, nothing is dropped. No I/O.

Nothing is stored at the server (`store: false`): a turn brings the whole conversation, as in every other dialect. Reasoning
therefore comes back encrypted and goes back with the next turn as it came; reasoning without that is left out, except words of
the model's own beside tool calls, which servers of open models take and ask for. Reasoning that nothing follows is left out
too: OpenAI refuses an item of it that has lost the one it led to. A refusal goes back as words.

What the system says is an input item of its own place, not `instructions`: there is only one of those, before everything, and
a conversation may have several, between any messages.

A tool without `strict` is sent with `strict: false`: this dialect, and no other, would make every parameter a required one.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import msgspec

from services.errors import Invalid
from services.messages import (
    Attachment,
    Image,
    JSONFormat,
    Message,
    Options,
    Part,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from services.upstream import requests
from services.upstream.requests import Object, part_name, without_nones

_ENCRYPTED = "reasoning.encrypted_content"
# What the server did by itself, and wants to hear of again between its reasoning and its answer.
_SERVERS_OWN = ("web_search_call", "file_search_call", "code_interpreter_call", "mcp_list_tools", "mcp_call")


def body(turn: Turn) -> bytes:
    """Raises Invalid, naming the thing, for what the dialect cannot say."""
    custom = {part.id for message in turn.messages for part in message.parts if isinstance(part, ToolCall) and _is_custom(part)}
    items = [item for message in turn.messages for item in _items(message, custom)]
    for number, item in enumerate(items):
        if item.get("role") == "assistant":
            item["id"] = f"msg_{number}"
    asked: Object = {"model": turn.model, "input": items, "stream": True, "store": False, "include": _include(turn.model)}
    return msgspec.json.encode(_merged(without_nones(asked) | _options(turn.options), requests.vendor(turn.options)))


def _include(model: str) -> list[str] | None:
    """OpenAI's models that do not reason refuse to be asked for it; all other servers pass over what they do not know."""
    name = model.rpartition("/")[2].lower()
    plain = name.startswith(("gpt-3", "gpt-4", "chatgpt-")) or (name.startswith("gpt-5") and "-chat" in name)
    return None if plain else [_ENCRYPTED]


def _merged(asked: Object, own: Object) -> Object:
    """The dialect's own fields go first; in `text` and `reasoning` they stand beside ours, `include` is both lists."""
    for name, value in own.items():
        match asked.get(name), value:
            case dict(ours), dict():
                asked[name] = ours | value
            case list(ours), list() if name in ("include", "tools"):
                asked[name] = ours + [each for each in value if each not in ours]
            case _:
                asked[name] = value
    return asked


def _options(given: Options) -> Object:
    names = ("top_k", "min_p", "stop", "seed", "presence_penalty", "frequency_penalty", "repeat_penalty")
    requests.refuse(given, "openai_responses", *names)
    effort = requests.effort(given)
    asked: Object = {
        "temperature": given.temperature,
        "top_p": given.top_p,
        "max_output_tokens": given.max_tokens,
        "reasoning": _reasoning(effort) if effort is not None else None,
        "tools": [_tool(each) for each in given.tools] or None,
        "tool_choice": _choice(given.tool_choice),
        "parallel_tool_calls": given.parallel_tool_calls,
        "text": {"format": _format(given.format)} if given.format else None,
    }
    return without_nones(asked)


def _reasoning(effort: str) -> Object:
    """Who asks for reasoning wants to see of it what may be seen."""
    return {"effort": effort} if effort == "none" else {"effort": effort, "summary": "auto"}


def _tool(given: Tool) -> Object:
    parameters = given.parameters or {"type": "object", "properties": {}}
    named = {"type": "function", "name": given.name, "description": given.description, "parameters": parameters}
    return without_nones(named) | {"strict": bool(given.strict)}


def _choice(given: str | None) -> str | Object | None:
    if given is None or given in ("auto", "none", "required"):
        return given
    kind, _, name = given.partition(":")
    if kind != "function" or not name:
        raise Invalid(f"tool_choice {given[:80]!r} is none of auto, none, required and function:<name>.")
    return {"type": "function", "name": name}


def _format(given: JSONFormat) -> Object:
    if given.schema is None:
        return {"type": "json_object"}
    named = {"name": given.name or "answer", "description": given.description, "schema": given.schema, "strict": given.strict}
    return {"type": "json_schema"} | without_nones(named)


def _items(message: Message, custom: set[str]) -> Iterable[Object]:
    """One message is several items: what it says, each tool call, each result."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        kind = "custom_tool_call_output" if result.id in custom else "function_call_output"
        yield {"type": kind, "call_id": result.id, "output": result.text}
    rest = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    if message.role == "assistant":
        yield from _assistant(rest)
    elif rest or not results:
        yield {"role": message.role, "content": _content(message.role, rest)}


def _content(role: str, parts: tuple[Part, ...]) -> str | list[Object]:
    content = [_piece(role, part) for part in parts]
    if all(piece["type"] == "input_text" for piece in content) and (role != "user" or len(content) < 2):
        return "".join(piece["text"] for piece in content)
    return content


def _piece(role: str, part: Part) -> Object:
    match part:
        case Text(text) | Refusal(text):
            return {"type": "input_text", "text": text}
        case Image(url, detail) if role == "user":
            return {"type": "input_image", "image_url": url, "detail": detail or "auto"}
    raise Invalid(f"{part_name(part)} in a message of role {role!r} cannot be sent to this server.")


def _assistant(parts: tuple[Part, ...]) -> list[Object]:
    calls = any(isinstance(part, ToolCall) for part in parts)
    items = [item for key, group in groupby(parts, _together) for item in _said(key, list(group), calls)]
    while items and items[-1].get("type") == "reasoning":
        items.pop()
    return items


def _together(part: Part) -> tuple[str, Any]:
    """Parts with the same key stand side by side in one item."""
    match part:
        case Text(side=side):
            return "message", (side or {}).get("phase")
        case Refusal():
            return "message", None
        case Reasoning(side=side):
            return "reasoning", (side or {}).get("id") or id(part)
    return "", id(part)


def _said(key: tuple[str, Any], group: list[Part], calls: bool) -> Iterator[Object]:
    if key[0] == "message":
        # The one shape that OpenAI, vLLM (which insists on id, status, annotations) and llama.cpp (on output_text) all take.
        texts = [part.text for part in group if isinstance(part, Text | Refusal)]
        content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
        phase = {"phase": key[1]} if isinstance(key[1], str) else {}
        yield {"type": "message", "role": "assistant", "status": "completed", "content": content} | phase
    elif key[0] == "reasoning":
        yield from _thought([part for part in group if isinstance(part, Reasoning)], calls)
    else:
        for part in group:
            yield from _done(part)


def _thought(parts: list[Reasoning], calls: bool) -> Iterator[Object]:
    sides = [part.side or {} for part in parts]
    named = sides[0].get("id")
    encrypted = next((side["encrypted_content"] for side in sides if isinstance(side.get("encrypted_content"), str)), None)
    own = [{"type": "reasoning_text", "text": part.text} for part in parts if part.form == "plain" and part.text]
    if not encrypted and not (own and calls and named):
        return
    item: Object = {"type": "reasoning"} | ({"id": named} if isinstance(named, str) else {})
    item["summary"] = [{"type": "summary_text", "text": part.text} for part in parts if part.form == "summary" and part.text]
    if own:
        item["content"] = own
    yield item | ({"encrypted_content": encrypted} if encrypted else {})


def _done(part: Part) -> Iterator[Object]:
    match part:
        case ToolCall() if _is_custom(part):
            yield {"type": "custom_tool_call", "call_id": part.id, "name": part.name, "input": part.arguments}
        case ToolCall():
            yield {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments or "{}"}
        case Attachment("image", {"url": str(url)}, {"id": str(id)}) if url.startswith("data:") and ";base64," in url:
            result = url.partition(";base64,")[2]
            yield {"type": "image_generation_call", "id": id, "status": "completed", "result": result}
        case Attachment("opaque", dict(item)) if item.get("type") in _SERVERS_OWN and item.get("id"):
            yield item
        case Attachment("source" | "opaque"):
            pass  # what a server notes about its own words is not asked for again
        case _:
            raise Invalid(f"{part_name(part)} in a message of role 'assistant' cannot be sent to this server.")


def _is_custom(call: ToolCall) -> bool:
    return (call.side or {}).get("type") == "custom"
