"""A Turn as the body of a request to Anthropic's Messages. What cannot be said is refused by name, nothing is dropped. No I/O.

- All system messages become the one `system` there is. Neighbours of one role become one message, results of tools first in it.
- Thinking goes back as it came, with its signature and in its place. Without one the dialect cannot take it: it is left out.
- Results of server tools go back while the request still offers such tools (`tools` of the dialect's own fields).
- max_tokens is required here: DEFAULT_TOKENS where none was asked for, besides the budget for thinking, which is a part of it.
- An effort is a budget, made smaller to fit into a max_tokens that was asked for; a budget is not, and the least is LEAST_BUDGET.
- An image's detail means nothing here: images are always seen as they are.
"""

import re
from collections.abc import Iterable

import msgspec

from services.errors import Invalid
from services.messages import (
    Attachment,
    Image,
    JSONFormat,
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

DEFAULT_TOKENS = 8192
LEAST_BUDGET = 1024  # Anthropic's own minimum

_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]+);base64,(.*)", re.DOTALL | re.IGNORECASE)
_NO_ID = re.compile(r"[^A-Za-z0-9_-]")  # what an id of a call may not hold here; other dialects' ids may
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


def body(turn: Turn) -> bytes:
    """Raises Invalid, naming the thing, for what the dialect cannot say."""
    options = _options(turn.options)
    offered = any(isinstance(tool, dict) and "input_schema" not in tool for tool in options.get("tools", ()))
    system: list[str] = []
    messages: list[Object] = []
    for message in turn.messages:
        if message.role == "system":
            system.append("".join(map(_words, message.parts)))
            continue
        role = "assistant" if message.role == "assistant" else "user"
        content = [block for part in message.parts for block in _blocks(role, part, offered)]
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += content
        elif content:
            messages.append({"role": role, "content": content})
    for said in messages:
        said["content"].sort(key=lambda block: block["type"] != "tool_result")
    asked = {"model": turn.model, "system": "\n\n".join(filter(None, system)) or None, "messages": messages, "stream": True}
    return msgspec.json.encode(without_nones(asked) | options)


def _words(part: Part) -> str:
    if not isinstance(part, Text):
        raise Invalid(f"{requests.part_name(part)} in a message of role 'system' cannot be sent to this server.")
    return part.text


def _blocks(role: str, part: Part, offered: bool) -> Iterable[Object]:
    match part:
        case Text(text) | Refusal(text):
            if text.strip():  # blocks of white space are refused
                yield {"type": "text", "text": text}
        case Image(url) if role == "user":
            yield {"type": "image", "source": _image(url)}
        case ToolResult() if role == "user":
            yield _result(part)
        case ToolCall() if role == "assistant":
            yield _call(part)
        case Reasoning() if role == "assistant":
            yield from _thinking(part)
        case Attachment("opaque", dict(block)) if role == "assistant":
            if offered and _of_server_tool(block):
                yield block
        case Attachment("source" | "opaque") if role == "assistant":
            pass  # what a server notes about its own words is not asked for again
        case _:
            raise Invalid(f"{requests.part_name(part)} in a message of role {role!r} cannot be sent to this server.")


def _image(url: str) -> Object:
    if found := _DATA_URL.fullmatch(url):
        return {"type": "base64", "media_type": found[1].lower(), "data": found[2]}
    if url.lower().startswith(("http://", "https://")):
        return {"type": "url", "url": url}
    raise Invalid(f"Images can be sent to this server as data:image/...;base64 or http(s) URLs only: {url[:120]!r}.")


def _result(result: ToolResult) -> Object:
    said = {"type": "tool_result", "tool_use_id": _id(result.id), "content": result.text or None, "is_error": result.failed or None}
    return without_nones(said)


def _call(call: ToolCall) -> Object:
    if not isinstance(call.input, dict):
        raise Invalid(
            f"This server takes the arguments of a tool call as a JSON object; those of {call.name!r} are none: {call.arguments[:120]!r}."
        )
    return {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": call.input}


def _id(given: str) -> str:
    return _NO_ID.sub("_", given)


def _thinking(part: Reasoning) -> Iterable[Object]:
    match part.side:
        case {"redacted": str(hidden)}:
            yield {"type": "redacted_thinking", "data": hidden}
        case {"signature": str(signature)}:
            yield {"type": "thinking", "thinking": part.text, "signature": signature}


def _of_server_tool(block: Object) -> bool:
    kind = block.get("type")
    return isinstance(kind, str) and (kind in ("server_tool_use", "mcp_tool_use") or kind.endswith("_tool_result"))


def _options(given: Options) -> Object:
    requests.refuse(given, "anthropic", "min_p", "seed", "presence_penalty", "frequency_penalty", "repeat_penalty")
    own, hints = requests.vendor(given), requests.hints(given, "anthropic")
    if isinstance(hints.get("output_config"), dict):  # an effort in this dialect's own words is no budget
        given = msgspec.structs.replace(given, reasoning_effort=None)
    tools = [_tool(each) for each in given.tools]
    if isinstance(theirs := own.get("tools"), list):
        own["tools"] = tools + theirs
    config = {"format": _format(given.format)} if given.format else {}
    if isinstance(theirs := own.get("output_config"), dict):
        own["output_config"] = config | theirs
    budget = _budget(given)
    asked: Object = {
        "max_tokens": DEFAULT_TOKENS + (budget or 0) if given.max_tokens is None else given.max_tokens,
        "temperature": given.temperature,
        "top_p": given.top_p,
        "top_k": given.top_k,
        "stop_sequences": list(given.stop) or None,
        "thinking": None if budget is None else {"type": "enabled", "budget_tokens": budget} if budget else {"type": "disabled"},
        "tools": tools or None,
        "tool_choice": _choice(given, bool(own.get("tools", tools))),
        "output_config": config or None,
    }
    if isinstance(theirs := hints.get("output_config"), dict):
        hints["output_config"] = config | theirs
    return without_nones(asked) | own | requests.hints(given, "anthropic") | hints


def _tool(given: Tool) -> Object:
    schema = {"type": "object"} | (given.parameters or {})
    return without_nones({"name": given.name, "description": given.description, "input_schema": schema, "strict": given.strict})


def _choice(given: Options, tools: bool) -> Object | None:
    """None where there is no tool to choose, or nothing that is not so anyway."""
    parallel = {} if given.parallel_tool_calls is None else {"disable_parallel_tool_use": not given.parallel_tool_calls}
    match given.tool_choice:
        case None | "auto" | "none" if not tools:
            return None
        case None:
            return {"type": "auto", **parallel} if parallel else None
        case "none":
            return {"type": "none"}
        case "auto" | "required" as word:
            return {"type": _CHOICES[word], **parallel}
        case word:
            kind, _, name = word.partition(":")
            if kind != "function" or not name:
                raise Invalid(f"tool_choice {word[:80]!r} is none of auto, none, required and function:<name>.")
            return {"type": "tool", "name": name, **parallel}


def _format(given: JSONFormat) -> Object:
    """The schema is kept to strictly here; its name says nothing."""
    if given.schema is None:
        raise Invalid("format: this server answers in JSON of a JSON Schema only, and none was given.")
    schema = {"description": given.description} | given.schema if given.description else given.schema
    return {"type": "json_schema", "schema": schema}


def _budget(given: Options) -> int | None:
    """Tokens for thinking: 0 for none at all, None when nobody asked. Raises Invalid where thinking cannot go with the rest."""
    budget = requests.budget(given)
    if not budget:
        return budget
    budget = max(budget, LEAST_BUDGET)
    name = "reasoning_effort" if given.reasoning_budget is None else "reasoning_budget"
    if given.max_tokens is not None and budget >= given.max_tokens:
        if given.reasoning_budget is not None or given.max_tokens <= LEAST_BUDGET:
            raise Invalid(
                f"{name}: this server's model would think for {budget:,} tokens, which are a part of max_tokens ({given.max_tokens:,}) "
                "and have to be less."
            )
        budget = max(LEAST_BUDGET, given.max_tokens // 2)
    _check_thinking(given, name)
    return budget


def _check_thinking(given: Options, name: str) -> None:
    forced = given.tool_choice not in (None, "auto", "none")
    for option, bad in (
        ("temperature", given.temperature not in (None, 1)),
        ("top_p", given.top_p is not None and given.top_p < 0.95),
        ("top_k", given.top_k is not None),
        ("tool_choice", forced),
    ):
        if bad:
            raise Invalid(f"{option} {getattr(given, option)!r} cannot go with {name}: this server's models take it without thinking only.")
