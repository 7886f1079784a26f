"""A request to POST /v1/messages as a Turn. What is asked for is mapped, or refused by name. No I/O.

Fields that only Anthropic's servers understand go on to them, and are refused for all others. A refusal has status 400, as at
Anthropic's own server.
"""

from typing import Any, Literal

import msgspec

from services.downstream import turns
from services.downstream.anthropic_content import Block, message, text_of
from services.downstream.writer import Body
from services.errors import Invalid
from services.messages import JSONFormat, Message, Options, Text, Tool, Turn, Vendor

HARMLESS = {"model", "messages", "stream", "system", "anthropic_version", "anthropic_beta", "betas"}
# Who asks, for what price and with which cache: goes on to Anthropic's servers, and others lose nothing without it.
HINTS = {"metadata", "service_tier", "cache_control", "diagnostics", "user_profile_id", "workspace_id"}
# Fields that only Anthropic's servers can carry out, and the values that ask for nothing.
THEIRS: dict[str, tuple[object, ...]] = {
    "container": (),
    "context_management": ({}, {"edits": []}, {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}),  # the last is Claude Code's
    "inference_geo": (),
    "mcp_servers": ([],),
    "speed": ("standard",),
}


class Unacceptable(Invalid):
    """400, as Anthropic's own server has it."""

    status = 400


class Thinking(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: int | None = None
    display: Literal["summarized"] | None = None


class OutputFormat(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["json_schema"]
    schema: dict[str, Any]
    name: str | None = None


class OutputConfig(msgspec.Struct, forbid_unknown_fields=True):
    effort: str | None = None
    format: OutputFormat | None = None


class CustomTool(msgspec.Struct, forbid_unknown_fields=True):
    """The fields at the end say how a tool is cached and its arguments are cut up; the callers can only be the model itself."""

    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None
    type: Literal["custom"] | None = None
    cache_control: Any = None
    eager_input_streaming: bool | None = None
    defer_loading: Literal[False] | None = None
    allowed_callers: list[Literal["direct"]] | None = None


class ToolChoice(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool = False


class Asked(msgspec.Struct):
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None  # what `output_config.format` was called before


class Said(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def turn(body: Body) -> Turn:
    """Raises Unacceptable, naming the field."""
    try:
        given = {name: value for name, value in body.items() if value is not None}
        model = turns.convert(given.get("model", ""), str, "model")
        return Turn(model, _messages(given), _options(given), on_disconnect="stop", client="anthropic")
    except Invalid as exc:
        raise Unacceptable(exc.message) from exc
    except RecursionError as exc:
        raise Unacceptable("The request is nested too deeply.") from exc


def _messages(given: Body) -> tuple[Message, ...]:
    said = turns.convert(given.get("messages", []), list[Said], "messages")
    if not said:
        raise Invalid(turns.EMPTY)
    system = text_of(given.get("system", ""), "system")
    first = (Message("system", (Text(system),)),) if system else ()
    rest = (found for index, each in enumerate(said) for found in message(each.role, each.content, f"messages[{index}]"))
    return (*first, *rest)


def _options(given: Body) -> Options:
    asked = turns.convert({name: given[name] for name in Asked.__struct_fields__ if name in given}, Asked)
    if asked.max_tokens is None:
        raise Invalid("`max_tokens` is missing: say how many tokens the answer may have at most.")
    if asked.max_tokens < 1:
        raise Invalid("`max_tokens` has to be 1 or more.")
    turns.refuse_unknown(given, {*HARMLESS, *HINTS, *THEIRS, *Asked.__struct_fields__})
    theirs = {name: given[name] for name, nothing in THEIRS.items() if name in given and given[name] not in nothing}
    hints = {name: given[name] for name in sorted(HINTS & given.keys())}
    effort, budget = _effort(asked, theirs, hints)
    return Options(
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        max_tokens=asked.max_tokens,
        stop=tuple(asked.stop_sequences or ()),
        reasoning_effort=effort,
        reasoning_budget=budget,
        tools=tuple(_tool(tool, f"tools[{index}]") for index, tool in enumerate(asked.tools or ())),
        tool_choice=_choice(asked.tool_choice),
        parallel_tool_calls=False if asked.tool_choice and asked.tool_choice.disable_parallel_tool_use else None,
        format=_format(asked),
        vendor=Vendor("anthropic", theirs, hints) if theirs or hints else None,
    )


def _effort(asked: Asked, theirs: dict[str, object], hints: dict[str, object]) -> tuple[str | None, int | None]:
    """Effort and budget. Without thinking the effort has nothing to govern here, so "disabled" wins.

    At Anthropic the effort is one thing and thinking another; elsewhere an effort is how much a model thinks.
    """
    effort = asked.output_config.effort if asked.output_config else None
    thinking = asked.thinking
    if thinking is not None and thinking.type == "adaptive":
        hints["thinking"] = {"type": thinking.type}
    if effort is not None:
        hints["output_config"] = {"effort": effort}
    if thinking is None or thinking.type == "adaptive":
        return effort, None
    if thinking.type == "between_tools":
        theirs["thinking"] = {"type": thinking.type}
        return effort, None
    if thinking.type == "disabled":
        return None, 0
    if thinking.budget_tokens is None or thinking.budget_tokens < 1:
        raise Invalid("`thinking.budget_tokens` is missing: say how many tokens the model may think, 1 or more.")
    return effort, thinking.budget_tokens


def _format(asked: Asked) -> JSONFormat | None:
    format = asked.output_config.format if asked.output_config and asked.output_config.format else asked.output_format
    return JSONFormat(format.schema, format.name) if format else None


def _tool(given: dict[str, Any], where: str) -> Tool:
    kind = given.get("type")
    if kind not in (None, "custom"):
        raise Invalid(f"{where} of type {str(kind)[:60]!r} is a tool of Anthropic's own servers: only custom ones can be sent.")
    tool = turns.convert(given, CustomTool, where)
    return Tool(tool.name, tool.description, tool.input_schema, tool.strict)


def _choice(given: ToolChoice | None) -> str | None:
    if given is None or given.type != "tool":
        return CHOICES[given.type] if given else None
    if not given.name:
        raise Invalid("`tool_choice.name` is missing: say which tool.")
    return f"function:{given.name}"
