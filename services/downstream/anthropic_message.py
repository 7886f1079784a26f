"""A reply as Anthropic's message, and the words that its stream shares with it: reasons, counts, citations, errors. Pure functions."""

from typing import Any

from services.downstream import anthropic_sides as sides
from services.downstream.writer import as_object
from services.events import Reason, Usage
from services.messages import Attachment, Reasoning, Refusal, Reply, Text, ToolCall

REASONS: dict[Reason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "stopped": "end_turn",
}
OWN_REASONS = {"stop_sequence", "pause_turn", "model_context_window_exceeded"}  # an upstream's word that is Anthropic's goes on
# https://platform.claude.com/docs/en/api/errors
TYPES = {
    401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
    429: "rate_limit_error", 503: "overloaded_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
# Failures without a status of their own.
CODES = {
    "rate_limited": "rate_limit_error", "interrupted": "overloaded_error", "invalid": "invalid_request_error",
    "connect_timeout": "timeout_error", "first_byte_timeout": "timeout_error", "gap_timeout": "timeout_error",
    "total_timeout": "timeout_error",
}  # fmt: skip
LOCATIONS = {
    "char_location", "page_location", "content_block_location", "search_result_location", "web_search_result_location",
}  # fmt: skip

Object = dict[str, Any]


def content(reply: Reply) -> list[Object]:
    blocks: list[Object] = []
    citations: list[Object] = []
    for part in reply.parts:
        match part:
            case Text(text):
                blocks.append({"type": "text", "text": text, **({"citations": citations} if citations else {})})
                citations = []
            case Refusal(text):
                blocks.append({"type": "text", "text": text})
            case Reasoning(_, "encrypted", side):
                blocks.append({"type": "redacted_thinking", "data": sides.redacted(side)})
            case Reasoning(text, form, side):
                blocks.append({"type": "thinking", "thinking": text, "signature": sides.signature(form, side)})
            case ToolCall(id, name, arguments, value, side):
                blocks.append({"type": "tool_use", "id": id, "name": name, "input": as_object(value, arguments)})
                if side:
                    blocks.append({"type": "redacted_thinking", "data": sides.of_call(id, side)})
            case Attachment("source", source) if (cited := citation(source)) is not None:
                if blocks and blocks[-1]["type"] == "text":
                    blocks[-1].setdefault("citations", []).append(cited)
                else:
                    citations.append(cited)
    if citations:
        blocks.append({"type": "text", "text": "", "citations": citations})
    return blocks


def citation(source: object) -> Object | None:
    """Anthropic's own as it came; any other as the one kind that needs no document. Only Anthropic knows an `encrypted_index`."""
    given = source if isinstance(source, dict) else {}
    if isinstance(kind := given.get("type"), str) and kind in LOCATIONS:
        return given
    if isinstance(inner := given.get("url_citation"), dict):
        given = inner
    url, title = given.get("url"), given.get("title")
    if not isinstance(url, str) or not url:
        return None
    named = title if isinstance(title, str) else None
    return {"type": "web_search_result_location", "url": url, "title": named, "cited_text": "", "encrypted_index": ""}


def stop_reason(reason: Reason, raw: str | None, refuses: bool) -> str:
    if reason in ("stop", "length") and raw in OWN_REASONS:
        return raw
    return "refusal" if refuses and reason == "stop" else REASONS[reason]


def message(generation: str, model: str, blocks: list[Object], reason: str | None, told: Usage) -> Object:
    said = {"id": f"msg_{generation}", "type": "message", "role": "assistant", "model": model, "content": blocks}
    return {**said, "stop_reason": reason, "stop_sequence": None, "usage": usage(told)}


def usage(told: Usage) -> Object:
    """Integers always. Anthropic's input is what no cache had, and its output includes thinking.

    Others count cached tokens among the input (OpenAI, Gemini) and leave thinking out of the output (Gemini, xAI); their total
    tells. Anthropic itself gives none.
    """
    given, taken, thought = told.input_tokens or 0, told.output_tokens or 0, told.reasoning_tokens or 0
    cached, written = told.cached_tokens or 0, told.cache_write_tokens or 0
    apart = None if told.total_tokens is None else told.total_tokens - given - taken
    if apart in (0, thought):
        given = max(0, given - cached)
        taken += apart or 0
    counts: Object = {"input_tokens": given, "output_tokens": taken}
    counts |= {"cache_creation_input_tokens": written, "cache_read_input_tokens": cached}
    return counts | ({"output_tokens_details": {"thinking_tokens": thought}} if thought else {})


def error(sentence: str, code: str, status: int | None, request: str | None) -> Object:
    fallback = "invalid_request_error" if status and 400 <= status < 500 else "api_error"
    kind = TYPES.get(status or 0) or CODES.get(code) or fallback
    return {"type": "error", "error": {"type": kind, "message": sentence}, "request_id": request}
