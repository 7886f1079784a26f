"""The UI message stream of the AI SDK, version 1, as useChat's DefaultChatTransport reads it (ai 5, 6 and 7).

What it throws at, and is therefore never sent: an unknown `type`, a finishReason out of its list, a delta before the start
of its part. What a later turn needs goes out as `providerMetadata` and comes back with the message, as the SDK keeps it.

A message that goes on after a tool's output keeps the client's own id: `start` then names none. Its replay cannot know
that, and becomes a message of its own, so that nothing of the first one is lost. Opaque parts are left out.
"""

from typing import Any, ClassVar

import msgspec

from services.downstream import ai_sdk_turns
from services.downstream.writer import Body, Writer, output_tokens
from services.errors import HeadraceError
from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Reason, Started, Usage
from services.messages import Attachment, Part, Reasoning, Refusal, Reply, Text, ToolCall, Turn
from services.wire.sse import frame, one_line

REASONS: dict[Reason, str] = {"stop": "stop", "length": "length", "tool_calls": "tool-calls", "content_filter": "content-filter"}
COUNTS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "reasoning_tokens": "reasoningTokens",
    "cached_tokens": "cachedInputTokens",
    "total_tokens": "totalTokens",
}
NOT_JSON = "The model's arguments for this tool are not JSON."
DONE = frame(b"[DONE]")
OWN = ai_sdk_turns.OWN

encode = msgspec.json.encode


class AISDKWriter(Writer):
    streams = True
    headers: ClassVar[tuple[tuple[bytes, bytes], ...]] = ((b"x-vercel-ai-ui-message-stream", b"v1"),)

    def __init__(self, started: Started, body: Body) -> None:
        self._goes_on = ai_sdk_turns.goes_on(body)
        self._parts: dict[int, PartStarted] = {}
        self._templates: dict[int, bytes] = {}  # of the deltas of a part that is prose
        self._arguments: dict[int, list[str]] = {}
        self._usage: Usage | None = None

    @staticmethod
    def turn(body: Body) -> Turn:
        return ai_sdk_turns.turn(body)

    def _frame(self, entry: Entry) -> bytes:
        event = entry.event
        if type(event) is PartDelta and (template := self._templates.get(event.part)):  # 99 of 100 entries
            return template % one_line(encode(event.text))
        return b"".join([frame(encode(chunk)) for chunk in self._chunks(event)]) + (DONE if isinstance(event, Finished | Failed) else b"")

    def _chunks(self, event: Event) -> list[dict[str, Any]]:
        match event:
            case PartDelta(part, text) if part in self._arguments:
                self._arguments[part].append(text)
                return [{"type": "tool-input-delta", "toolCallId": self._parts[part].id or "", "inputTextDelta": text}]
            case PartStarted():
                return self._part_started(event)
            case PartFinished():
                return self._part_finished(event)
            case Usage():
                self._usage = event
            case Started(generation, model):
                id = {} if self._goes_on else {"messageId": generation}
                return [{"type": "start", **id, "messageMetadata": {"generation": generation, "model": model}}, {"type": "start-step"}]
            case Finished("stopped"):
                return [self._metadata(event), {"type": "abort", "reason": "stopped"}]
            case Finished(reason):
                metadata = self._metadata(event)["messageMetadata"]
                return [{"type": "finish-step"}, {"type": "finish", "finishReason": REASONS[reason], "messageMetadata": metadata}]
            case Failed(_, message):
                return [self._metadata(event), {"type": "error", "errorText": message}]
        return []

    def _part_started(self, event: PartStarted) -> list[dict[str, Any]]:
        self._parts[event.part] = event
        match event.kind:
            case "text" | "refusal" | "reasoning":
                kind, id = "reasoning" if event.kind == "reasoning" else "text", str(event.part)
                self._templates[event.part] = b'data: {"type":"%b-delta","id":"%d","delta":%%b}\n\n' % (kind.encode(), event.part)
                return [{"type": f"{kind}-start", "id": id, **_own(event.form)}]
            case "tool_call":
                self._arguments[event.part] = []
                return [{"type": "tool-input-start", "toolCallId": event.id or "", "toolName": event.name or ""}]
        return []

    def _part_finished(self, event: PartFinished) -> list[dict[str, Any]]:
        start = self._parts[event.part]
        match start.kind:
            case "text" | "refusal" | "reasoning":
                kind = "reasoning" if start.kind == "reasoning" else "text"
                return [{"type": f"{kind}-end", "id": str(event.part), **_own(start.form, event.side)}]
            case "tool_call":
                call = {"toolCallId": start.id or "", "toolName": start.name or "", **_own(None, event.side)}
                if event.value is None:
                    raw = "".join(self._arguments[event.part])
                    return [{"type": "tool-input-error", **call, "input": raw, "errorText": NOT_JSON}]
                return [{"type": "tool-input-available", **call, "input": event.value}]
            case kind:
                thing = _thing(kind, event.value, event.part)
                return [thing] if thing else []

    def _metadata(self, end: Finished | Failed) -> dict[str, Any]:
        usage = usage_dict(self._usage) if self._usage else None
        told = {"reason": end.reason} if isinstance(end, Finished) else {"error": end.code, "retryable": end.retryable}
        metadata = {**told, "usage": usage, "ttftMs": end.ttft_ms, "ms": end.ms}
        return {"type": "message-metadata", "messageMetadata": _given(metadata)}

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        """A UIMessage."""
        parts = [part for number, given in enumerate(reply.parts) if (part := _ui_part(given, number))]
        usage = usage_dict(reply.usage) if reply.usage else None
        metadata = {"generation": reply.generation, "model": reply.model, "reason": reply.reason, "usage": usage}
        return encode(
            {"id": reply.generation, "role": "assistant", "parts": [{"type": "step-start"}, *parts], "metadata": _given(metadata)}
        )

    @staticmethod
    def refusal(error: HeadraceError) -> bytes:
        """Not JSON: the SDK shows people the body as it is."""
        return error.message.encode("utf-8", "replace")


def usage_dict(usage: Usage) -> dict[str, int]:
    """Counts under the names of the SDK's LanguageModelUsage, as far as they are known."""
    counts = msgspec.structs.asdict(usage) | {"output_tokens": output_tokens(usage)}
    return {theirs: count for ours, theirs in COUNTS.items() if (count := counts[ours]) is not None}


def _ui_part(part: Part, number: int) -> dict[str, Any] | None:
    match part:
        case Text(text, side):
            return {"type": "text", "text": text, "state": "done", **_own(None, side)}
        case Refusal(text):
            return {"type": "text", "text": text, "state": "done"}
        case Reasoning(text, form, side):
            return {"type": "reasoning", "text": text, "state": "done", **_own(form, side)}
        case ToolCall(id, name, arguments, input, side):
            call = {"type": f"tool-{name}", "toolCallId": id, **_own(None, side, "callProviderMetadata")}
            if input is None:
                return {**call, "state": "output-error", "rawInput": arguments, "errorText": NOT_JSON}
            return {**call, "state": "input-available", "input": input}
        case Attachment(kind, value):
            return _thing(kind, value, number)
    return None


def _thing(kind: str, value: object, number: int) -> dict[str, Any] | None:
    """A source, image or file; None for what the SDK has no part for: it wants a URL and, for files, a media type."""
    told = value if isinstance(value, dict) else {}
    url, title = told.get("url"), told.get("title")
    if not isinstance(url, str):
        return None
    if kind == "source":
        return {"type": "source-url", "sourceId": str(number), "url": url, **({"title": title} if isinstance(title, str) else {})}
    if kind in ("image", "file"):
        return {"type": "file", "url": url, "mediaType": _media_type(url, told.get("media_type"), kind)}
    return None


def _media_type(url: str, given: object, kind: str) -> str:
    if isinstance(given, str) and given:
        return given
    if url.startswith("data:"):
        return url[5:200].partition(",")[0].partition(";")[0] or "text/plain"
    return "image/*" if kind == "image" else "application/octet-stream"


def _own(form: str | None, side: dict[str, object] | None = None, field: str = "providerMetadata") -> dict[str, Any]:
    told = _given({"form": None if form == "plain" else form, "side": side})
    return {field: {OWN: told}} if told else {}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
