"""A Turn as the body of a request to Gemini. What cannot be said is refused by name, nothing is dropped. No I/O.

- All system messages become the one systemInstruction there is. Neighbours of one role become one content; results of functions
  stay among themselves.
- Thoughts go back where they have a signature; without one nobody asks for them, and they are left out.
- Code the server ran goes back while the request still offers tools of the dialect's own (`tools` of its fields).
- An effort is a budget of thinking tokens; whoever asks for one also wants to see the thoughts.
- Strict tools make the whole choice strict (VALIDATED). An image's detail means nothing here: it is set for a whole request.
"""

import re
from collections.abc import Iterable

import msgspec

from services.errors import Invalid
from services.messages import Attachment, Image, Message, Options, Part, Reasoning, Refusal, Text, Tool, ToolCall, ToolResult, Turn
from services.upstream import requests
from services.upstream.requests import Object, without_nones

_DATA_URL = re.compile(r"data:([a-z0-9-]+/[a-z0-9.+-]+);base64,(.*)", re.DOTALL | re.IGNORECASE)
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_RUN_THERE = {"executableCode", "codeExecutionResult", "toolCall", "toolResponse"}


def body(turn: Turn) -> bytes:
    """Raises Invalid, naming the thing, for what the dialect cannot say."""
    options = _options(turn.options)
    offered = any(isinstance(tool, dict) and "functionDeclarations" not in tool for tool in options.get("tools", ()))
    names = {part.id: part.name for message in turn.messages for part in message.parts if isinstance(part, ToolCall)}
    system: list[Object] = []
    contents: list[Object] = []
    for message in turn.messages:
        if message.role == "system":
            system.append({"text": "".join(map(_words, message.parts))})
            continue
        for content in _contents(message, names, offered):
            if contents and contents[-1]["role"] == content["role"] and _results(contents[-1]) == _results(content):
                contents[-1]["parts"] += content["parts"]
            else:
                contents.append(content)
    said = {"contents": contents, "systemInstruction": {"parts": system} if system else None}
    return msgspec.json.encode(without_nones(said) | options)


def _words(part: Part) -> str:
    if not isinstance(part, Text):
        raise Invalid(f"{requests.part_name(part)} in a message of role 'system' cannot be sent to this server.")
    return part.text


def _contents(message: Message, names: dict[str, str], offered: bool) -> Iterable[Object]:
    """None, one or two contents: results of functions come in one of their own, first."""
    role = "model" if message.role == "assistant" else "user"
    results = [_result(part, names) for part in message.parts if isinstance(part, ToolResult) and role == "user"]
    rest = [part for part in message.parts if role == "model" or not isinstance(part, ToolResult)]
    for parts in (results, [said for part in rest for said in _parts(role, part, offered)]):
        if parts:
            yield {"role": role, "parts": parts}


def _results(content: Object) -> bool:
    return "functionResponse" in content["parts"][0]


def _parts(role: str, part: Part, offered: bool) -> Iterable[Object]:
    match part:
        case Text(text, side) if text:
            yield {"text": text} | _signature(side)
        case Text():
            pass
        case Refusal(text):
            yield {"text": text}
        case Image(url) if role == "user":
            yield {"inlineData": _blob(url)}
        case ToolCall() if role == "model":
            yield _call(part)
        case Reasoning(text, _, side) if role == "model":
            if signed := _signature(side):
                yield ({"text": text, "thought": True} if text else {"text": ""}) | signed
        case Attachment("image" | "file", {"url": str(url)}, side) if role == "model":
            yield {"inlineData": _blob(url)} | _signature(side)
        case Attachment("opaque", dict(value)) if role == "model":
            if offered and value.keys() & _RUN_THERE:
                yield value
        case Attachment("source" | "opaque") if role == "model":
            pass  # what a server notes about its own words is not asked for again
        case _:
            named = "assistant" if role == "model" else role
            raise Invalid(f"{requests.part_name(part)} in a message of role {named!r} cannot be sent to this server.")


def _signature(side: Object | None) -> Object:
    signature = (side or {}).get("thought_signature")
    return {"thoughtSignature": signature} if isinstance(signature, str) else {}


def _blob(url: str) -> Object:
    found = _DATA_URL.fullmatch(url)
    if not found:
        raise Invalid(f"Gemini takes images as data:...;base64 URLs only, it fetches none: {url[:120]!r}.")
    return {"mimeType": found[1].lower(), "data": found[2]}


def _call(call: ToolCall) -> Object:
    if not isinstance(call.input, dict):
        raise Invalid(
            f"Gemini takes the arguments of a tool call as a JSON object; those of {call.name!r} are none: {call.arguments[:120]!r}."
        )
    return {"functionCall": without_nones({"id": call.id or None, "name": call.name, "args": call.input})} | _signature(call.side)


def _result(result: ToolResult, names: dict[str, str]) -> Object:
    name = result.name or names.get(result.id)
    if not name:
        raise Invalid(f"Gemini wants the name of the function that a result is of; no call before it has the id {result.id[:80]!r}.")
    said = {"id": result.id or None, "name": name, "response": {"error" if result.failed else "output": result.text}}
    return {"functionResponse": without_nones(said)}


def _options(given: Options) -> Object:
    requests.refuse(given, "gemini", "min_p", "repeat_penalty")
    if given.parallel_tool_calls is False:
        raise Invalid("Gemini cannot be told to call one tool at a time: parallel_tool_calls has to be true, or absent.")
    own = requests.vendor(given)
    generation = _generation(given) | _taken(own, "generationConfig")
    declared = [{"functionDeclarations": [_tool(each) for each in given.tools]}] if given.tools else []
    theirs = own.pop("tools", [])
    tools = declared + (theirs if isinstance(theirs, list) else [theirs])
    choice = {"functionCallingConfig": calling} if (calling := _calling(given)) else {}
    choice |= _taken(own, "toolConfig")
    asked = {"generationConfig": generation or None, "tools": tools or None, "toolConfig": choice or None}
    return without_nones(asked) | own | requests.hints(given, "gemini")


def _taken(own: Object, name: str) -> Object:
    """The vendor's fields under this name, which go beside ours. What is no object goes as it is, and the server says so."""
    return own.pop(name) if isinstance(own.get(name), dict) else {}


def _generation(given: Options) -> Object:
    format = given.format
    schema = format.schema if format else None
    if format and format.description:
        schema = {"description": format.description} | (schema or {})
    return without_nones(
        {
            "temperature": given.temperature,
            "topP": given.top_p,
            "topK": given.top_k,
            "maxOutputTokens": given.max_tokens,
            "stopSequences": list(given.stop) or None,
            "seed": given.seed,
            "presencePenalty": given.presence_penalty,
            "frequencyPenalty": given.frequency_penalty,
            "responseMimeType": "application/json" if format else None,
            "responseJsonSchema": schema,
            "thinkingConfig": _thinking(requests.budget(given)),
        }
    )


def _thinking(budget: int | None) -> Object | None:
    if not budget:
        return None if budget is None else {"thinkingBudget": 0}
    return {"thinkingBudget": budget, "includeThoughts": True}


def _tool(given: Tool) -> Object:
    return without_nones({"name": given.name, "description": given.description, "parametersJsonSchema": given.parameters})


def _calling(given: Options) -> Object | None:
    if given.tool_choice in (None, "auto") and any(tool.strict for tool in given.tools):
        return {"mode": "VALIDATED"}
    if given.tool_choice is None:
        return None
    if given.tool_choice in _MODES:
        return {"mode": _MODES[given.tool_choice]}
    kind, _, name = given.tool_choice.partition(":")
    if kind != "function" or not name:
        raise Invalid(f"tool_choice {given.tool_choice[:80]!r} is none of auto, none, required and function:<name>.")
    return {"mode": "ANY", "allowedFunctionNames": [name]}
