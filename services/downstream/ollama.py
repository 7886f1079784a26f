"""Ollama's objects: as lines of JSON for its own clients, as server-sent events for the hand-written ones that tutorials show.

    ollama            POST /chat, format `ollama`: chat objects in `data:` frames, no event names, no ids
    ollama_chat       POST /api/chat: chat objects, one a line
    ollama_generate   POST /api/generate: the same with `response` instead of a message, one a line

`done: true` ends a stream; an error is a last line of its own. No line is blank, none holds U+0085, U+2028 or U+2029:
ollama-python would cut or choke there. What cannot be said: refusals become content, tool calls come whole, sources, images and
files are left out; /api/generate has no tool calls either. Ollama leaves out counts and durations that are 0, and clients divide
by them: here they are always there, 0 where nobody said.
"""

import datetime
from typing import Any, ClassVar

import msgspec

from services.downstream import ollama_turns
from services.downstream.native import NativeWriter
from services.downstream.writer import Body, Writer, as_object, output_tokens
from services.errors import HeadraceError
from services.events import Entry, Failed, Finished, PartDelta, PartFinished, PartStarted, Started, Usage
from services.messages import Reasoning, Reply, ToolCall, Turn
from services.wire.sse import one_line

DONE_REASONS = {"length": "length"}  # everything else Ollama calls "stop", also after tool calls

Object = dict[str, Any]

encode = msgspec.json.encode


class OllamaObjects(Writer):
    """What the three have in common. `before` and `after` frame an object; `said` holds the text at the place of its mark, %b."""

    before: ClassVar[bytes] = b""
    after: ClassVar[bytes] = b"\n"
    text: ClassVar[bytes] = b'"message":{"role":"assistant","content":%b}'
    thinking: ClassVar[bytes] = b'"message":{"role":"assistant","content":"","thinking":%b}'

    def __init__(self, started: Started, body: Body) -> None:
        self._head = _head(started.model, started.created)
        before = (self.before + one_line(encode(self._head))[:-1] + b",").replace(b"%", b"%%")
        ends = b',"done":false}' + self.after
        text, thinking = before + self.text + ends, before + self.thinking + ends
        self._templates = {"text": text, "refusal": text, "reasoning": thinking}
        self._parts: dict[int, PartStarted] = {}
        self._texts: dict[int, bytes] = {}  # the template of each part that is prose
        self._arguments: dict[int, list[str]] = {}
        self._calls = 0
        self._usage = Usage()

    def _frame(self, entry: Entry) -> bytes:
        event = entry.event
        match event:
            case PartDelta(part, text):
                if part in self._texts:
                    return self._texts[part] % one_line(encode(text))
                if part in self._arguments:
                    self._arguments[part].append(text)
            case PartStarted(part, kind):
                self._parts[part] = event
                if kind in self._templates:
                    self._texts[part] = self._templates[kind]
                elif kind == "tool_call":
                    self._arguments[part] = []
            case PartFinished(part, value) if part in self._arguments:
                start, arguments = self._parts[part], "".join(self._arguments.pop(part))
                call = _call(self._calls, start.id, start.name, as_object(value, arguments))
                self._calls += 1
                return self._called(call)
            case Usage():
                self._usage = event
            case Finished(reason):
                return self._line({**self._head, **self._said("", "", []), **_done(reason, self._usage, event.ms, event.ttft_ms)})
            case Failed(_, message):
                return self._line({"error": message})
        return b""

    def _called(self, call: Object) -> bytes:
        return self._line({**self._head, **self._said("", "", [call]), "done": False})

    def _line(self, told: Object) -> bytes:
        return self.before + one_line(encode(told)) + self.after

    @staticmethod
    def _said(text: str, thinking: str, calls: list[Object]) -> Object:
        """What an object says, besides its model, time and counts."""
        return {"message": {"role": "assistant", "content": text, **_given(thinking=thinking, tool_calls=calls)}}

    @classmethod
    def _whole(cls, reply: Reply) -> bytes:
        thinking = "".join(part.text for part in reply.parts if isinstance(part, Reasoning))
        called = (part for part in reply.parts if isinstance(part, ToolCall))
        calls = [_call(index, call.id, call.name, as_object(call.input, call.arguments)) for index, call in enumerate(called)]
        done = _done(reply.reason or "stop", reply.usage or Usage(), reply.ms, reply.ttft_ms)
        return encode({**_head(reply.model, reply.created), **cls._said(reply.message.text, thinking, calls), **done})


class OllamaWriter(OllamaObjects, NativeWriter):
    before = b"data: "
    after = b"\n\n"

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        return OllamaWriter._whole(reply)


class OllamaChatWriter(OllamaObjects):
    media = b"application/x-ndjson"
    streams = True
    heartbeat = b'{"message":{"role":"assistant","content":""},"done":false}\n'

    @staticmethod
    def turn(body: Body) -> Turn:
        return ollama_turns.chat_turn(body)

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        return OllamaChatWriter._whole(reply)

    @staticmethod
    def refusal(error: HeadraceError) -> bytes:
        return encode({"error": error.message})


class OllamaGenerateWriter(OllamaChatWriter):
    heartbeat = b'{"response":"","done":false}\n'
    text = b'"response":%b'
    thinking = b'"response":"","thinking":%b'

    @staticmethod
    def turn(body: Body) -> Turn:
        return ollama_turns.generate_turn(body)

    def _called(self, call: Object) -> bytes:
        return b""

    @staticmethod
    def _said(text: str, thinking: str, calls: list[Object]) -> Object:
        return {"response": text, **_given(thinking=thinking)}

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        return OllamaGenerateWriter._whole(reply)


def loaded(dialect: str, model: str, created: int, body: Body) -> bytes:
    """The answer to a request that only loads a model, or unloads it; here there is nothing to load."""
    writer = OllamaGenerateWriter if dialect == "ollama_generate" else OllamaChatWriter
    reason = "unload" if body.get("keep_alive") in (0, "0", "0s", "0m") else "load"
    return encode({**_head(model, created), **writer._said("", "", []), "done": True, "done_reason": reason})


def _head(model: str, created: int) -> Object:
    moment = datetime.datetime.fromtimestamp(created, datetime.UTC)
    return {"model": model, "created_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _call(index: int, id: str | None, name: str | None, arguments: Object) -> Object:
    return {"id": id or "", "function": {"index": index, "name": name or "", "arguments": arguments}}


def _done(reason: str, usage: Usage, ms: float | None, ttft_ms: float | None) -> Object:
    """Nanoseconds. Until the first word the prompt is evaluated, from then on the answer; loading is not seen from here."""
    total = _nanoseconds(ms)
    prompt = min(total, total if ttft_ms is None else _nanoseconds(ttft_ms))
    return {
        "done": True,
        "done_reason": DONE_REASONS.get(reason, "stop"),
        "total_duration": total,
        "load_duration": 0,
        "prompt_eval_count": usage.input_tokens or 0,
        "prompt_eval_duration": prompt,
        "eval_count": output_tokens(usage) or 0,
        "eval_duration": total - prompt,
    }


def _nanoseconds(ms: float | None) -> int:
    return round((ms or 0.0) * 1e6)


def _given(**values: Any) -> Object:
    return {name: value for name, value in values.items() if value}
