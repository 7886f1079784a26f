"""The events of the Responses dialect that carry an answer, and what their fields mean. Values and pure functions, no story.

Of 58 kinds of event most only say that something goes on; what they stand for comes whole with its item.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

from typing import Any

import msgspec

from services.events import Reason, Usage
from services.upstream import loose, words
from services.upstream.words import Words


class Fragment(msgspec.Struct, gc=False):
    """The fields of an event that carries a piece of something; of all other events this is just the type."""

    type: str = ""
    delta: str | None = None
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    logprobs: list[Any] | None = None


decode = msgspec.json.Decoder(Fragment).decode

TEXT = "response.output_text.delta"

# Which kind of item a piece belongs to, and which field of it.
_FIELDS = {
    "response.output_text": ("message", "text"),
    "response.refusal": ("message", "refusal"),
    "response.reasoning_summary_text": ("reasoning", "summary"),
    "response.reasoning_text": ("reasoning", "content"),
    "response.reasoning": ("reasoning", "content"),  # Open Responses
    "response.function_call_arguments": ("function_call", "arguments"),
    "response.custom_tool_call_input": ("custom_tool_call", "input"),
}
PIECES = {f"{name}.delta": field for name, field in _FIELDS.items()}
WHOLES = {f"{name}.done": field for name, field in _FIELDS.items()}

# The events that end a reply, and the status they stand for where the response does not say it.
ENDS = {
    "response.completed": "completed",
    "response.done": "completed",  # OpenAI's own in the Realtime API, and some copies of this one
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
STATUSES = set(ENDS.values())

_REASONS: dict[str, Reason] = {"content_filter": "content_filter"}


def reason(status: str, response: dict[str, Any]) -> tuple[Reason, str]:
    """Our word and theirs: `completed`, `incomplete:max_output_tokens`. An end that is incomplete for any other reason is too short."""
    if status == "completed":
        return "stop", status
    why = loose.inner(response, "incomplete_details").get("reason")
    told = why if isinstance(why, str) else ""
    return _REASONS.get(told, "length"), f"{status}:{told}" if told else status


def usage(given: dict[str, Any]) -> Usage:
    """Input includes what was cached, output includes reasoning: so nothing is computed here."""
    into, out = loose.inner(given, "input_tokens_details"), loose.inner(given, "output_tokens_details")
    return Usage(
        input_tokens=loose.count(given.get("input_tokens")),
        output_tokens=loose.count(given.get("output_tokens")),
        reasoning_tokens=loose.count(out.get("reasoning_tokens")),
        cached_tokens=loose.count(into.get("cached_tokens")),
        cache_write_tokens=loose.count(into.get("cache_write_tokens")),
        total_tokens=loose.count(given.get("total_tokens")),
    )


def failure(given: dict[str, Any]) -> Words:
    """The words of an `error` event, which has them in itself or in `error`, or of a response that failed."""
    if said := words.of_object({"error": given.get("error")}):
        return said
    told = {name: given[name] for name in ("message", "code") if given.get(name)}
    return words.of_object({"error": told}) or Words("")
