"""A Turn as the body of a request to Ollama's /api/chat. What cannot be said is refused by name, nothing is dropped. No I/O.

Reasoning goes back beside tool calls only, as Ollama's own example of a tool loop does it.
"""

from collections.abc import Iterable

import msgspec

from services.errors import Invalid
from services.messages import Attachment, Image, Message, Options, Part, Reasoning, Refusal, Text, ToolCall, ToolResult, Turn
from services.upstream import requests
from services.upstream.openai_turns import tool
from services.upstream.requests import Object, without_nones

# The levels Ollama has, and OpenAI's on them.
_THINK: dict[str, bool | str] = {
    "none": False, "minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "max", "max": "max",
}  # fmt: skip


def body(turn: Turn) -> bytes:
    """Raises Invalid, naming the thing, for what the dialect cannot say."""
    names = {part.id: part.name for message in turn.messages for part in message.parts if isinstance(part, ToolCall)}
    messages = [said for message in turn.messages for said in _messages(message, names)]
    return msgspec.json.encode({"model": turn.model, "messages": messages, "stream": True} | asked(turn.options))


def asked(given: Options) -> Object:
    """The fields that options come to, of /api/chat and /api/generate alike. Raises Invalid."""
    if given.tool_choice not in (None, "auto", "none"):
        raise Invalid(f"Ollama cannot be told to use a tool: tool_choice {given.tool_choice[:80]!r} is none of auto and none.")
    tools = [] if given.tool_choice == "none" else [tool(each) for each in given.tools]
    if given.parallel_tool_calls is False:
        raise Invalid("Ollama cannot be told to call one tool at a time: parallel_tool_calls has to be true, or absent.")
    requests.refuse(given, "ollama")
    own, hints = requests.vendor(given), requests.hints(given, "ollama")
    options = without_nones(
        {
            "num_predict": given.max_tokens,
            "temperature": given.temperature,
            "top_p": given.top_p,
            "top_k": given.top_k,
            "min_p": given.min_p,
            "repeat_penalty": given.repeat_penalty,
            "seed": given.seed,
            "stop": list(given.stop) or None,
            "presence_penalty": given.presence_penalty,
            "frequency_penalty": given.frequency_penalty,
        }
    )
    options |= own.pop("options", {}) | hints.pop("options", {})
    format = given.format and (given.format.schema or "json")
    think = _think(requests.effort(given))
    return without_nones({"tools": tools or None, "options": options or None, "think": think, "format": format}) | own | hints


def _think(effort: str | None) -> bool | str | None:
    if effort is None:
        return None
    if effort not in _THINK:
        raise Invalid(f"reasoning_effort {effort[:80]!r} is none of {', '.join(_THINK)}.")
    return _THINK[effort]


def _messages(message: Message, names: dict[str, str]) -> Iterable[Object]:
    """One message, or several where it holds results of tools: each of them is a message here."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        name = result.name or names.get(result.id)
        yield without_nones({"role": "tool", "content": result.text, "tool_name": name, "tool_call_id": result.id or None})
    rest: list[Part] = [part for part in message.parts if not isinstance(part, ToolResult)]
    if rest or not results:
        yield _message(message.role, rest)


def _message(role: str, parts: list[Part]) -> Object:
    content: list[str] = []
    said: Object = {"role": role, "content": ""}
    for part in parts:
        match part:
            case Text(text) | Refusal(text):
                content.append(text)
            case Image(url):
                said.setdefault("images", []).append(image(url))
            case Attachment("image", {"url": str(url)}):
                said.setdefault("images", []).append(image(url))
            case ToolCall():
                said.setdefault("tool_calls", []).append(_call(part))
            case Reasoning():
                pass  # below
            case Attachment("source" | "opaque") if role == "assistant":
                pass  # what a server notes about its own words is not asked for again
            case _:
                raise Invalid(
                    f"A part of kind {getattr(part, 'kind', 'unknown')!r} in a message of role {role!r} cannot be sent to Ollama."
                )
    said["content"] = "".join(content)
    thinking = "".join(part.text for part in parts if isinstance(part, Reasoning))
    return said | ({"thinking": thinking} if thinking and "tool_calls" in said else {})


def image(url: str) -> str:
    """The base64 of a data: URL. Raises Invalid for any other."""
    head, comma, payload = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise Invalid(f"Ollama takes images as data:...;base64 URLs only, it fetches none: {url[:120]!r}.")
    return payload


def _call(call: ToolCall) -> Object:
    if not isinstance(call.input, dict):
        raise Invalid(
            f"Ollama takes the arguments of a tool call as a JSON object; those of {call.name!r} are none: {call.arguments[:120]!r}."
        )
    return without_nones({"id": call.id or None, "function": {"name": call.name, "arguments": call.input}})
