"""What OpenAI's dialects share in their answers: errors, counts, sources, frames made ahead. No I/O."""

from typing import Any

import msgspec

from services.downstream.shapes import convert
from services.downstream.writer import Body, output_tokens
from services.errors import HeadraceError
from services.events import Usage
from services.wire.sse import one_line

TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}

HOLE = "\0"  # where a template's text goes

encode = msgspec.json.encode


class StreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    include_usage: bool = False
    include_obfuscation: bool = False


def stream_options(body: Body) -> StreamOptions:
    return convert(body.get("stream_options") or {}, StreamOptions, "stream_options")


def template(payload: dict[str, Any]) -> bytes:
    """A frame of this payload, ready for `%` with the JSON text that stands in the place of its last HOLE."""
    before, _, after = one_line(encode(payload)).replace(b"%", b"%%").rpartition(encode(HOLE))
    return b"data: %b%%b%b\n\n" % (before, after)


def error(message: str, code: str, status: int | None) -> dict[str, Any]:
    kind = TYPES.get(status or 0, "invalid_request_error" if status and status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def refusal(given: HeadraceError) -> bytes:
    return encode(error(given.message, given.code, given.status))


def usage(given: Usage) -> dict[str, Any]:
    """Integers always: the AI SDK refuses anything else."""
    into, out = given.input_tokens or 0, output_tokens(given) or 0
    told: dict[str, Any] = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": given.total_tokens or into + out}
    cached = {"cached_tokens": given.cached_tokens, "cache_write_tokens": given.cache_write_tokens}
    if cached := {name: count for name, count in cached.items() if count is not None}:
        told["prompt_tokens_details"] = cached
    if given.reasoning_tokens is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": given.reasoning_tokens}
    return told


def citation(source: object) -> dict[str, Any] | None:
    """A source as a url_citation, whose four fields SDKs insist on; None for a source without an address."""
    told = source if isinstance(source, dict) else {}
    url, title = told.get("url"), told.get("title")
    if not isinstance(url, str) or not url:
        return None
    start, end = told.get("start_index"), told.get("end_index")
    return {
        "start_index": start if type(start) is int else 0,
        "end_index": end if type(end) is int else 0,
        "url": url,
        "title": title if isinstance(title, str) and title else url,
    }


def is_default(value: object, *defaults: object) -> bool:
    """`True == 1` is not meant here."""
    return any(type(value) is type(default) and value == default for default in defaults)


def without_nulls(body: Body) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
