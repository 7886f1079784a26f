"""Headrace's own stream: one JSON object per event, complete without its event name. `events` names them, `messages` does not.

A client that knows only `delta`, `end` and `failed` works. Every frame carries its entry's number as `id:`, so that
EventSource, and anybody who sends Last-Event-ID, resumes where it left.
"""

from typing import Any, ClassVar, assert_never

import msgspec

from services.downstream import turns
from services.downstream.writer import Body, Writer
from services.errors import HeadraceError, Invalid
from services.events import (
    Entry,
    Event,
    Failed,
    Finished,
    PartDelta,
    PartFinished,
    PartKind,
    PartStarted,
    Retrying,
    Started,
    Status,
    Usage,
)
from services.messages import Reply, Turn
from services.wire.sse import frame, one_line

KNOWN = {"model", "messages", "format", "stream", "on_disconnect", *turns.Sampling.__struct_fields__}

encode = msgspec.json.encode


def native_turn(body: Body) -> Turn:
    """A turn as `POST /chat` takes it. Raises Invalid."""
    turns.refuse_unknown(body, KNOWN)
    model = turns.convert(body.get("model") or "", str, "model")
    policy = body.get("on_disconnect", "stop")
    if policy not in ("stop", "keep"):
        raise Invalid("`on_disconnect` is 'stop' (the default) or 'keep'.")
    return Turn(model, turns.messages(body), turns.options(body), on_disconnect=policy, client="chat")


def native_refusal(error: HeadraceError) -> bytes:
    """The one shape of an error before the first byte."""
    return encode({"error": {"code": error.code, "message": error.message}})


class NativeWriter(Writer):
    """What `POST /chat` takes, and its errors; a stream unless it is asked for no stream."""

    streams = True

    @staticmethod
    def turn(body: Body) -> Turn:
        return native_turn(body)

    @staticmethod
    def refusal(error: HeadraceError) -> bytes:
        return native_refusal(error)


class Story:
    """Entries into `(type, data)`, knowing how each part began. Data that is None means: nothing to tell."""

    def __init__(self) -> None:
        self._kinds: dict[int, PartKind] = {}
        self._tools: dict[int, dict[str, Any]] = {}
        self.answers: set[int] = set()  # parts that are the answer's text
        self._answering = False

    def tell(self, event: Event) -> tuple[str, dict[str, Any]] | None:
        match event:
            case PartDelta(part, text):
                return self._delta(part, text)
            case PartStarted():
                return self._part_started(event)
            case PartFinished():
                return self._part_finished(event)
            case Started():
                return "created", _given(id=event.generation, model=event.model, conversation=event.conversation)
            case Status(state):
                return "status", {"state": state}
            case Retrying(attempt, wait_ms, code, tries):
                return "status", _given(state="retrying", attempt=attempt, tries=tries, wait_ms=wait_ms, code=code)
            case Usage():
                return "usage", usage_dict(event)
            case Finished():
                ends = _given(reason=event.reason, raw_reason=event.raw_reason, ttft_ms=event.ttft_ms, ms=event.ms)
                return "end", {**ends, "done": True}
            case Failed():
                return "failed", failed_dict(event)
        assert_never(event)

    def _delta(self, part: int, text: str) -> tuple[str, dict[str, Any]] | None:
        match self._kinds[part]:
            case "text":
                return "delta", {"text": text}
            case "reasoning":
                return "reasoning", {"text": text}
            case "refusal":
                return "refusal", {"text": text}
            case "tool_call":
                return "tool", {**self._tools[part], "arguments": text}
        return None

    def _part_started(self, event: PartStarted) -> tuple[str, dict[str, Any]] | None:
        self._kinds[event.part] = event.kind
        if event.kind == "text":
            self.answers.add(event.part)
        if event.kind == "tool_call":
            self._tools[event.part] = {"index": len(self._tools), "id": event.id or "", "name": event.name or ""}
            return "tool", {**self._tools[event.part], "arguments": ""}
        if event.kind == "reasoning":
            return "status", {"state": "thinking"}
        if event.kind in ("text", "refusal") and not self._answering:
            self._answering = True
            return "clear", {}
        return None

    def _part_finished(self, event: PartFinished) -> tuple[str, dict[str, Any]] | None:
        kind = self._kinds[event.part]
        if kind == "tool_call":
            return "tool", {**self._tools[event.part], "input": event.value}
        if kind in ("source", "image", "file"):
            return kind, event.value if isinstance(event.value, dict) else {"value": event.value}
        return None


class MessagesWriter(NativeWriter):
    named: ClassVar[bool] = False
    _DELTA: ClassVar[bytes] = b'id: %d\ndata: {"type":"delta","text":%b}\n\n'

    def __init__(self, started: Started, body: Body) -> None:
        self._story = Story()

    def _frame(self, entry: Entry) -> bytes:
        event = entry.event
        if type(event) is PartDelta and event.part in self._story.answers:  # 99 of 100 entries: the same bytes, at half the cost
            return self._DELTA % (entry.seq, one_line(encode(event.text)))
        told = self._story.tell(event)
        if told is None:
            return b""
        kind, data = told
        return frame(encode({"type": kind, **data}), event=kind if self.named else None, id=entry.seq)

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        return encode(snapshot(reply))


class EventsWriter(MessagesWriter):
    named = True
    _DELTA = b'id: %d\nevent: delta\ndata: {"type":"delta","text":%b}\n\n'


def snapshot(reply: Reply) -> dict[str, Any]:
    """A reply as one object: its text at hand, its parts in full, and `seq`, the position to follow it from."""
    return {
        "id": reply.generation,
        "model": reply.model,
        "created": reply.created,
        "state": reply.state,
        "seq": reply.seq,
        "done": reply.state not in ("waiting", "streaming"),
        "text": reply.message.text,
        "parts": msgspec.to_builtins(reply.parts),
        "usage": usage_dict(reply.usage) if reply.usage else None,
        "reason": reply.reason,
        "error": msgspec.to_builtins(reply.problem) if reply.problem else None,
        "ttft_ms": reply.ttft_ms,
        "ms": reply.ms,
        "stop": msgspec.to_builtins(reply.stop) if reply.stop else None,
    }


def usage_dict(usage: Usage) -> dict[str, int]:
    return {name: value for name in Usage.__struct_fields__ if (value := getattr(usage, name)) is not None}


def failed_dict(failed: Failed) -> dict[str, Any]:
    told = _given(
        code=failed.code,
        message=failed.message,
        retryable=failed.retryable,
        phase=failed.phase,
        status=failed.status,
        retry_after=failed.retry_after,
        upstream=failed.upstream,
    )
    return {**told, "done": True}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
