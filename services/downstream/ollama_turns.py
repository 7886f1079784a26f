"""Requests to POST /api/chat and /api/generate as a Turn. What is asked for is mapped, or refused by name. No I/O.

Ollama's clients send what concerns its way of holding a model in memory with every request (`keep_alive`, `num_ctx`, `num_gpu`,
...). Such hints go to servers that are Ollama's and mean nothing to others, because the model is loaded there already. Options that
change the answer and exist at Ollama only (`mirostat`, ...) are refused for all other servers.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.downstream import turns
from services.downstream.writer import Body
from services.errors import Invalid
from services.messages import Image, JSONFormat, Message, Options, Part, Reasoning, Role, Text, Tool, ToolCall, ToolResult, Turn, Vendor

SHARED = {"model", "stream", "options", "format", "keep_alive", "think", "logprobs", "top_logprobs", "truncate", "shift"}
CHAT = {*SHARED, "messages", "tools"}
GENERATE = {*SHARED, "prompt", "system", "images", "suffix", "raw", "template", "context", "width", "height", "steps"}

# How a model is loaded: https://github.com/ollama/ollama/blob/main/docs/modelfile.mdx and its api/types.go, Runner.
LOADING = {
    "num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "numa", "low_vram", "f16_kv", "use_mmap", "use_mlock",
    "vocab_only", "logits_all", "embedding_only",
}  # fmt: skip
# What changes the answer, at Ollama only.
THEIRS = {"num_keep", "typical_p", "tfs_z", "repeat_last_n", "mirostat", "mirostat_tau", "mirostat_eta", "penalize_newline"}

IMAGES = {"iVBORw0KGgo": "png", "/9j/": "jpeg", "R0lGOD": "gif", "UklGR": "webp"}  # how each begins in base64


class Unacceptable(Invalid):
    """400, as Ollama itself has it."""

    status = 400


class Sampling(msgspec.Struct):
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    num_predict: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class Function(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    arguments: dict[str, Any] | None = None
    index: int | None = None
    description: str | None = None


class Call(msgspec.Struct, forbid_unknown_fields=True):
    function: Function
    id: str | None = None
    type: str | None = None


class Said(msgspec.Struct, forbid_unknown_fields=True):
    role: Role
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[Call] | None = None
    tool_name: str | None = None
    name: str | None = None  # what `tool_name` was called before
    tool_call_id: str | None = None


class ToolFunction(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class AnyTool(msgspec.Struct, forbid_unknown_fields=True):
    function: ToolFunction
    type: str | None = None


class Prompt(msgspec.Struct):
    prompt: str = ""
    system: str = ""
    images: list[str] = []


def chat_turn(body: Body) -> Turn:
    """Raises Unacceptable, naming the field."""
    try:
        given = _given(body, CHAT)
        tools = tuple(
            Tool(tool.function.name, tool.function.description, tool.function.parameters, tool.function.strict)
            for tool in turns.convert(given.get("tools", []), list[AnyTool], "tools")
        )
        options = msgspec.structs.replace(_options(given), tools=tools)
        return Turn(_model(given), _messages(given), options, on_disconnect="stop", client="ollama_chat")
    except Invalid as exc:
        raise Unacceptable(exc.message) from exc
    except RecursionError as exc:
        raise Unacceptable("The request is nested too deeply.") from exc


def generate_turn(body: Body) -> Turn:
    """Raises Unacceptable, naming the field."""
    try:
        given = _given(body, GENERATE)
        for name in ("suffix", "raw", "template", "context", "width", "height", "steps"):
            if given.get(name) not in (None, "", False, [], 0):
                raise Invalid(
                    f"`{name}` cannot be sent: here a prompt becomes a message to the model. POST /api/chat takes a conversation."
                )
        asked = turns.convert({name: given[name] for name in Prompt.__struct_fields__ if name in given}, Prompt)
        parts: list[Part] = [Text(asked.prompt)] if asked.prompt else []
        parts += [_image(image, f"images[{index}]") for index, image in enumerate(asked.images)]
        if not parts:
            raise Invalid("`prompt` is missing or empty.")
        first = (Message("system", (Text(asked.system),)),) if asked.system else ()
        messages = (*first, Message("user", tuple(parts)))
        return Turn(_model(given), messages, _options(given), on_disconnect="stop", client="ollama_generate")
    except Invalid as exc:
        raise Unacceptable(exc.message) from exc
    except RecursionError as exc:
        raise Unacceptable("The request is nested too deeply.") from exc


def only_loads(body: Body) -> bool:
    """No prompt and no messages: Ollama then loads the model, or unloads it, and generates nothing."""
    return not any(body.get(name) for name in ("messages", "prompt", "images"))


def _given(body: Body, known: set[str]) -> dict[str, Any]:
    turns.refuse_unknown(body, known)
    return {name: value for name, value in body.items() if value is not None}


def _model(given: Body) -> str:
    return turns.convert(given.get("model", ""), str, "model")


def _options(given: Body) -> Options:
    for name, nothing in (("logprobs", False), ("top_logprobs", 0)):
        if given.get(name, nothing) != nothing:
            raise Invalid(f"`{name}` cannot be answered here.")
    options = {
        name: value for name, value in turns.convert(given.get("options", {}), dict[str, Any], "options").items() if value is not None
    }
    turns.refuse_unknown(options, {*Sampling.__struct_fields__, *LOADING, *THEIRS})
    asked = turns.convert(options, Sampling, "options")
    hints = _without_empty(options={name: options[name] for name in sorted(options.keys() & LOADING)}, keep_alive=given.get("keep_alive"))
    own = {name: options[name] for name in sorted(options.keys() & THEIRS)}
    if asked.num_predict == -2:
        own["num_predict"] = -2  # until the context is full: a limit that only Ollama has a word for
    fields = _without_empty(options=own) | {name: given[name] for name in ("truncate", "shift") if given.get(name, True) is not True}
    think = given.get("think")
    if think is True:
        hints["think"] = True  # Ollama has a plain yes; others have levels
    return Options(
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        min_p=asked.min_p,
        max_tokens=asked.num_predict if asked.num_predict is None or asked.num_predict >= 0 else None,
        stop=(asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ()),
        seed=asked.seed,
        presence_penalty=asked.presence_penalty,
        frequency_penalty=asked.frequency_penalty,
        repeat_penalty=asked.repeat_penalty,
        reasoning_effort=_effort(think),
        format=_format(given.get("format")),
        vendor=Vendor("ollama", fields, hints) if fields or hints else None,
    )


def _effort(think: object) -> str | None:
    match think:
        case None | "":
            return None
        case bool():
            return "medium" if think else "none"
        case str():
            return think
    raise Invalid("`think` is true, false, or a level: low, medium, high, max.")


def _format(format: object) -> JSONFormat | None:
    match format:
        case None | "":
            return None
        case "json":
            return JSONFormat()
        case dict():
            return JSONFormat(format)
    raise Invalid("`format` is 'json' or a JSON Schema.")


def _messages(given: Body) -> tuple[Message, ...]:
    said = turns.convert(given.get("messages", []), list[Said], "messages")
    found = tuple(_told(said))
    if not found:
        raise Invalid(turns.EMPTY)
    return found


def _told(said: list[Said]) -> Iterable[Message]:
    """Ollama's own clients lose the ids of calls: a result then belongs to the first open call of its name, else to the first one."""
    unanswered: list[tuple[str, str]] = []  # id and name
    for index, each in enumerate(said):
        where = f"messages[{index}]"
        if each.role == "tool":
            id, name = _answered(each, unanswered, where)
            yield Message("tool", (ToolResult(id, each.content or "", name),))
            continue
        parts: list[Part] = [Reasoning(each.thinking)] if each.thinking else []
        parts += [Text(each.content)] if each.content else []
        parts += [_image(image, f"{where}.images[{number}]") for number, image in enumerate(each.images or ())]
        calls = [_call(call, f"call{index:03}{number:02}") for number, call in enumerate(each.tool_calls or ())]
        if calls:
            unanswered = [(call.id, call.name) for call in calls]
        if parts or calls:
            yield Message(each.role, (*parts, *calls))


def _answered(each: Said, unanswered: list[tuple[str, str]], where: str) -> tuple[str, str | None]:
    name = each.tool_name or each.name
    if each.tool_call_id:
        unanswered[:] = [call for call in unanswered if call[0] != each.tool_call_id]
        return each.tool_call_id, name
    meant = next((call for call in unanswered if call[1] == name), unanswered[0] if unanswered else None)
    if meant is None:
        raise Invalid(f"{where} has role 'tool', but no call of a tool before it is unanswered.")
    unanswered.remove(meant)
    return meant[0], name or meant[1]


def _call(call: Call, made_up: str) -> ToolCall:
    arguments = call.function.arguments or {}
    return ToolCall(call.id or made_up, call.function.name, msgspec.json.encode(arguments).decode(), arguments)


def _image(given: str, where: str) -> Image:
    if given.startswith("data:image/"):
        return Image(given)
    kind = next((kind for begins, kind in IMAGES.items() if given.startswith(begins)), None)
    if kind is None:
        raise Invalid(f"`{where}` is no PNG, JPEG, GIF or WebP image in base64.")
    return Image(f"data:image/{kind};base64,{given}")


def _without_empty(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, {})}
