"""OpenAI Chat Completions, as its official SDKs read them: `data:` frames without ids or names, then `[DONE]`.

What SDKs choke on and is therefore never sent (each found by running them): `id:` and `event:` lines, frames without
`choices`, a null `delta`, `"error": null`, a repeated tool id or name, anything after `[DONE]`.
"""

from typing import Any

import msgspec

from services.downstream import turns
from services.downstream.writer import Body, Writer
from services.errors import HeadraceError, Invalid
from services.events import Entry, Failed, Finished, PartDelta, PartKind, PartStarted, Reason, Started, Usage
from services.messages import Reasoning, Refusal, Reply, Text, ToolCall, Turn
from services.wire.sse import frame

# Fields that change nothing in what we send: identification, billing, caching, storage on OpenAI's side.
HARMLESS = {
    "metadata", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier",
    "store", "stream", "stream_options", "user", "verbosity", "model", "messages",
}  # fmt: skip
# Fields whose default is harmless: refused by name with any other value.
DEFAULTS: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"],),
    "response_format": ({"type": "text"},),
    "logit_bias": ({},),
}
REASONS: dict[Reason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "stopped": "stop",
}
TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}

encode = msgspec.json.encode


class StreamOptions(msgspec.Struct):
    include_usage: bool = False


class OpenAIChatWriter(Writer):
    def __init__(self, started: Started, body: Body) -> None:
        self._head = _head(started, "chat.completion.chunk")
        self._kinds: dict[int, PartKind] = {}
        self._calls: dict[int, int] = {}  # part -> index among tool calls
        self._usage: Usage | None = None
        self._wants_usage = turns.convert(body.get("stream_options") or {}, StreamOptions, "stream_options").include_usage

    @staticmethod
    def turn(body: Body) -> Turn:
        _refuse_what_cannot_be_said(body)
        turns.convert(body.get("stream_options") or {}, StreamOptions, "stream_options")
        model = turns.convert(body.get("model") or "", str, "model")
        return Turn(model, turns.messages(body), turns.options(_without_nulls(body)), on_disconnect="stop", client="openai_chat")

    def _frame(self, entry: Entry) -> bytes:
        match entry.event:
            case PartDelta(part, text):
                return self._delta(part, text)
            case PartStarted():
                return self._part_started(entry.event)
            case Usage():
                self._usage = entry.event
            case Started():
                return self._chunk({"role": "assistant", "content": ""})
            case Finished(reason):
                return self._finished(reason)
            case Failed():
                return frame(encode(_error(entry.event.message, entry.event.code, entry.event.status)))
        return b""

    def _delta(self, part: int, text: str) -> bytes:
        match self._kinds[part]:
            case "text":
                return self._chunk({"content": text})
            case "reasoning":
                return self._chunk({"reasoning_content": text})
            case "refusal":
                return self._chunk({"refusal": text})
            case "tool_call":
                return self._chunk({"tool_calls": [{"index": self._calls[part], "function": {"arguments": text}}]})
        return b""

    def _part_started(self, event: PartStarted) -> bytes:
        self._kinds[event.part] = event.kind
        if event.kind != "tool_call":
            return b""
        index = self._calls[event.part] = len(self._calls)
        call = {"index": index, "id": event.id, "type": "function", "function": {"name": event.name, "arguments": ""}}
        return self._chunk({"tool_calls": [call]})

    def _finished(self, reason: Reason) -> bytes:
        frames = self._chunk({}, REASONS[reason])
        if self._wants_usage:
            frames += frame(encode({**self._head, "choices": [], "usage": _usage(self._usage or Usage())}))
        return frames + frame(b"[DONE]")

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        return frame(encode({**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}))

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        started = Started(reply.generation, reply.model, reply.created)
        choice = {"index": 0, "message": _message(reply), "logprobs": None, "finish_reason": REASONS[reply.reason or "stop"]}
        return encode({**_head(started, "chat.completion"), "choices": [choice], "usage": _usage(reply.usage or Usage())})

    @staticmethod
    def refusal(error: HeadraceError) -> bytes:
        return encode(_error(error.message, error.code, error.status))


def _refuse_what_cannot_be_said(body: Body) -> None:
    for name, value in _without_nulls(body).items():
        if name in HARMLESS or name in turns.Sampling.__struct_fields__ or value in DEFAULTS.get(name, ()):
            continue
        raise Invalid(f"{name!r} is not supported here" + (" with this value." if name in DEFAULTS else "."))


def _without_nulls(body: Body) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _head(started: Started, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{started.generation}", "object": kind, "created": started.created, "model": started.model}


def _message(reply: Reply) -> dict[str, Any]:
    reasoning = "".join(part.text for part in reply.parts if isinstance(part, Reasoning))
    refusal = "".join(part.text for part in reply.parts if isinstance(part, Refusal))
    text = "".join(part.text for part in reply.parts if isinstance(part, Text))
    calls = [part for part in reply.parts if isinstance(part, ToolCall)]
    message: dict[str, Any] = {"role": "assistant", "content": (text or None) if calls or refusal else text, "refusal": refusal or None}
    if reasoning:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in calls
        ]
    return message


def _usage(usage: Usage) -> dict[str, Any]:
    """Integers always: the AI SDK refuses anything else. OpenAI's output includes reasoning, so ours goes out as it came."""
    given, taken = usage.input_tokens or 0, usage.output_tokens or 0
    told: dict[str, Any] = {"prompt_tokens": given, "completion_tokens": taken, "total_tokens": usage.total_tokens or given + taken}
    if usage.cached_tokens is not None:
        told["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if usage.reasoning_tokens is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return told


def _error(message: str, code: str, status: int | None) -> dict[str, Any]:
    kind = TYPES.get(status or 0, "invalid_request_error" if status and status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
