"""Ollama's chat objects as server-sent events, as many tutorials' clients read them: no event names, no ids, `done: true` ends.

What it cannot carry: refusals become content, tool calls come whole, sources and images are left out.
"""

import datetime
from typing import Any

import msgspec

from services.downstream.native import NativeWriter
from services.downstream.writer import Body
from services.events import Entry, Failed, Finished, PartDelta, PartFinished, PartStarted, Started, Usage
from services.messages import Reply, ToolCall
from services.wire.sse import frame

DONE_REASONS = {"length": "length"}  # everything else Ollama calls "stop", also after tool calls


class OllamaWriter(NativeWriter):
    def __init__(self, started: Started, body: Body) -> None:
        self._head = _head(started.model, started.created)
        self._parts: dict[int, PartStarted] = {}
        self._usage = Usage()

    def _frame(self, entry: Entry) -> bytes:
        match entry.event:
            case PartDelta(part, text):
                return self._delta(self._parts[part].kind, text)
            case PartStarted(part):
                self._parts[part] = entry.event
            case PartFinished(part, value) if self._parts[part].kind == "tool_call":
                return self._object({"content": "", "tool_calls": [_call(self._parts[part], value)]})
            case Usage():
                self._usage = entry.event
            case Finished(reason):
                return self._object({"content": ""}, done=True, done_reason=DONE_REASONS.get(reason, "stop"), **_counts(self._usage))
            case Failed(_, message):
                return frame(msgspec.json.encode({"error": message}))
        return b""

    def _delta(self, kind: str, text: str) -> bytes:
        if kind == "reasoning":
            return self._object({"content": "", "thinking": text})
        return self._object({"content": text}) if kind in ("text", "refusal") else b""

    def _object(self, message: dict[str, Any], *, done: bool = False, **more: Any) -> bytes:
        return frame(msgspec.json.encode({**self._head, "message": {"role": "assistant", **message}, "done": done, **more}))

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": reply.message.text}
        calls = [part for part in reply.parts if isinstance(part, ToolCall)]
        if calls:
            message["tool_calls"] = [{"id": call.id, "function": {"name": call.name, "arguments": call.input or {}}} for call in calls]
        counts = _counts(reply.usage or Usage())
        done_reason = DONE_REASONS.get(reply.reason or "stop", "stop")
        return msgspec.json.encode(
            {**_head(reply.model, reply.created), "message": message, "done": True, "done_reason": done_reason, **counts}
        )


def _head(model: str, created: int) -> dict[str, Any]:
    moment = datetime.datetime.fromtimestamp(created, datetime.UTC)
    return {"model": model, "created_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _call(start: PartStarted, value: object) -> dict[str, Any]:
    return {"id": start.id, "function": {"name": start.name, "arguments": value if isinstance(value, dict) else {}}}


def _counts(usage: Usage) -> dict[str, int]:
    counts = {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens}
    return {name: count for name, count in counts.items() if count is not None}
