"""A Turn as the body of a Chat Completions request. What cannot be said is refused by name, nothing is dropped. No I/O.

Not sent back are the sources a reply named, and its reasoning, with two exceptions that servers insist on:
reasoning_details exactly as they came (OpenRouter), reasoning_content beside tool calls (DeepSeek, Kimi).
"""

from collections.abc import Iterable

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
from services.upstream.requests import Object, without_nones


def body(turn: Turn) -> bytes:
    """Raises Invalid, naming the thing, for what the dialect cannot say."""
    messages = [said for message in turn.messages for said in _messages(message)]
    asked = {"model": turn.model, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    return msgspec.json.encode(asked | options(turn.options))


def options(given: Options) -> Object:
    requests.refuse(given, "openai_chat")
    asked: Object = {
        **requests.sampling(given),
        "reasoning_effort": requests.effort(given),
        "tools": [tool(each) for each in given.tools] or None,
        "tool_choice": _choice(given.tool_choice),
        "parallel_tool_calls": given.parallel_tool_calls,
        "response_format": _format(given.format) if given.format else None,
    }
    return without_nones(asked) | requests.vendor(given)


def tool(given: Tool) -> Object:
    function = {"name": given.name, "description": given.description, "parameters": given.parameters, "strict": given.strict}
    return {"type": "function", "function": without_nones(function)}


def _format(given: JSONFormat) -> Object:
    if given.schema is None:
        return {"type": "json_object"}
    named = {"name": given.name or "answer", "description": given.description, "schema": given.schema, "strict": given.strict}
    return {"type": "json_schema", "json_schema": without_nones(named)}


def _choice(given: str | None) -> str | Object | None:
    if given is None or given in ("auto", "none", "required"):
        return given
    kind, _, name = given.partition(":")
    if kind != "function" or not name:
        raise Invalid(f"tool_choice {given[:80]!r} is none of auto, none, required and function:<name>.")
    return {"type": "function", "function": {"name": name}}


def _messages(message: Message) -> Iterable[Object]:
    """One message, or several where it holds results of tools: each of them is a message here."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        yield {"role": "tool", "tool_call_id": result.id, "content": result.text}
    rest = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    if results and not rest:
        return
    yield _assistant(rest) if message.role == "assistant" else {"role": message.role, "content": _content(message.role, rest)}


def _content(role: str, parts: tuple[Part, ...]) -> str | list[Object]:
    content = [_piece(role, part) for part in parts]
    if role == "user" and len(content) == 1 and content[0]["type"] == "text":
        return str(content[0]["text"])
    return content if role == "user" and content else "".join(piece["text"] for piece in content)


def _piece(role: str, part: Part) -> Object:
    match part:
        case Text(text) | Refusal(text):
            return {"type": "text", "text": text}
        case Image(url, detail) if role == "user":
            return {"type": "image_url", "image_url": without_nones({"url": url, "detail": detail})}
    raise Invalid(f"{requests.part_name(part)} in a message of role {role!r} cannot be sent to this server.")


def _assistant(parts: tuple[Part, ...]) -> Object:
    said: Object = {"role": "assistant"}
    content: list[str] = []
    calls: list[Object] = []
    for part in parts:
        match part:
            case Text(text) | Refusal(text):
                content.append(text)
            case ToolCall():
                calls.append(_call(part))
            case Reasoning():
                pass  # below
            case Attachment("image", {"url": str(url)}):
                said.setdefault("images", []).append({"type": "image_url", "image_url": {"url": url}})
            case Attachment("source" | "opaque"):
                pass  # what a server notes about its own words is not asked for again
            case _:
                raise Invalid(f"{requests.part_name(part)} in a message of role 'assistant' cannot be sent to this server.")
    said["content"] = "".join(content) if content or not calls else None
    if calls:
        said["tool_calls"] = calls
    return said | _reasoning([part for part in parts if isinstance(part, Reasoning)], bool(calls))


def _call(call: ToolCall) -> Object:
    side = call.side or {}
    if side.get("type") == "custom":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    said: Object = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
    if "extra_content" in side:
        said["extra_content"] = side["extra_content"]
    return said


def _reasoning(parts: list[Reasoning], calls: bool) -> Object:
    details: list[object] = []
    for part in parts:
        if isinstance(kept := (part.side or {}).get("reasoning_details"), list):
            details += kept
    if details:
        return {"reasoning_details": details}
    text = "".join(part.text for part in parts if part.form == "plain")
    return {"reasoning_content": text} if text and calls else {}
