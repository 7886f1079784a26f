"""Anthropic Messages, as its official SDKs read them: every frame named by an `event:` line, blocks one after the other.

Parts of a log may interleave, blocks of this dialect may not: a part that begins while an earlier one is open is held back
until that one has ended. Sources become citations of the text they stand in. What cannot be said: images, files, opaque parts.
"""

from typing import Any

import msgspec

from services.downstream import anthropic_message as shapes
from services.downstream import anthropic_sides as sides
from services.downstream import anthropic_turns
from services.downstream.writer import Body, Writer
from services.errors import HeadraceError
from services.events import Entry, Failed, Finished, PartDelta, PartFinished, PartStarted, Started, Usage
from services.messages import Refusal, Reply, Turn
from services.wire.sse import frame, one_line

# What a delta of each kind looks like up to its text; in 99 of 100 frames only the text differs.
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
_DELTA_END = b"}}\n\n"
_FIELDS = {
    "text": (b"text_delta", b"text"),
    "refusal": (b"text_delta", b"text"),
    "reasoning": (b"thinking_delta", b"thinking"),
    "tool_call": (b"input_json_delta", b"partial_json"),
}

Object = dict[str, Any]

encode = msgspec.json.encode


class _Waiting:
    """A part whose block has not been opened yet, because an earlier one is open, or because its end says what it is."""

    __slots__ = ("finished", "start", "texts")

    def __init__(self, start: PartStarted) -> None:
        self.start = start
        self.texts: list[str] = []
        self.finished: PartFinished | None = None


class AnthropicWriter(Writer):
    heartbeat = frame(b'{"type":"ping"}', event="ping")

    def __init__(self, started: Started, body: Body) -> None:
        self._id = started.generation
        self._model = started.model
        self._usage = Usage()
        self._blocks = 0
        self._live: PartStarted | None = None  # the part whose block is open
        self._live_part = -1
        self._head = b""  # of its deltas
        self._stop = b""  # of a text block that has ended: sources may still follow
        self._waiting: dict[int, _Waiting] = {}  # in the order of their beginning
        self._sources: set[int] = set()
        self._citations: list[Object] = []  # of a text that has not begun
        self._refuses = False

    @staticmethod
    def turn(body: Body) -> Turn:
        return anthropic_turns.turn(body)

    def _frame(self, entry: Entry) -> bytes:
        event = entry.event
        match event:
            case PartDelta(part, text):
                if part == self._live_part:
                    return self._head + one_line(encode(text)) + _DELTA_END
                if part in self._waiting:
                    self._waiting[part].texts.append(text)
            case PartStarted():
                return self._part_started(event)
            case PartFinished():
                return self._part_finished(event)
            case Usage():
                self._usage = event
            case Started():
                message = shapes.message(self._id, self._model, [], None, Usage())
                return _event("message_start", message=message)
            case Finished(reason, raw_reason):
                return self._finished(shapes.stop_reason(reason, raw_reason, self._refuses))
            case Failed():
                told = shapes.error(event.message, event.code, event.status, f"req_{self._id}")
                return self._stop + frame(encode(told), event="error")
        return b""

    def _part_started(self, event: PartStarted) -> bytes:
        if event.kind == "source":
            self._sources.add(event.part)
        if event.kind not in _FIELDS:
            return b""
        self._refuses |= event.kind == "refusal"
        if self._live is None and not self._waiting and not _comes_whole(event):
            return self._open(event)
        self._waiting[event.part] = _Waiting(event)
        return b""

    def _part_finished(self, event: PartFinished) -> bytes:
        if event.part == self._live_part:
            return self._close(event) + self._advance()
        if event.part in self._sources:
            return self._cite(event.value)
        if event.part in self._waiting:
            self._waiting[event.part].finished = event
        return self._advance()

    def _advance(self) -> bytes:
        """Open what waits, in order, up to the first part that has not ended."""
        frames = b""
        while self._live is None and self._waiting:
            part, waiting = next(iter(self._waiting.items()))
            if waiting.finished is None and _comes_whole(waiting.start):
                break
            del self._waiting[part]
            frames += self._open(waiting.start, waiting.finished)
            if waiting.texts and not _comes_whole(waiting.start):
                frames += self._head + one_line(encode("".join(waiting.texts))) + _DELTA_END
            if waiting.finished is not None:
                frames += self._close(waiting.finished)
        return frames

    def _open(self, event: PartStarted, finished: PartFinished | None = None) -> bytes:
        index = self._blocks
        self._blocks += 1
        self._live, self._live_part = event, event.part
        self._head = _DELTA % (index, *_FIELDS[event.kind])
        before, self._stop = self._stop, b""
        block = _empty_block(event, finished.side if finished else None)
        frames = before + _event("content_block_start", index=index, content_block=block)
        return frames + self._flush() if event.kind == "text" else frames

    def _close(self, event: PartFinished) -> bytes:
        live, index = self._live, self._blocks - 1
        self._live, self._live_part = None, -1
        stop = _event("content_block_stop", index=index)
        if live is not None and live.kind == "text":
            self._stop = stop
            return b""
        if live is None or _comes_whole(live):
            return stop
        if live.kind == "reasoning":
            # Also an empty one: thinking that came without any is not sent back by the AI SDK's provider.
            delta = {"type": "signature_delta", "signature": sides.signature(live.form, event.side)}
            return _event("content_block_delta", index=index, delta=delta) + stop
        if live.kind == "tool_call" and event.side:
            return stop + self._redacted(sides.of_call(live.id or "", event.side))
        return stop

    def _redacted(self, data: str) -> bytes:
        index = self._blocks
        self._blocks += 1
        start = _event("content_block_start", index=index, content_block={"type": "redacted_thinking", "data": data})
        return start + _event("content_block_stop", index=index)

    def _cite(self, source: object) -> bytes:
        citation = shapes.citation(source)
        if citation is None:
            return b""
        self._citations.append(citation)
        if self._stop or (self._live is not None and self._live.kind == "text"):
            return self._flush()
        return b""

    def _flush(self) -> bytes:
        index = self._blocks - 1
        deltas = [{"type": "citations_delta", "citation": citation} for citation in self._citations]
        self._citations.clear()
        return b"".join(_event("content_block_delta", index=index, delta=delta) for delta in deltas)

    def _finished(self, stop_reason: str) -> bytes:
        frames = b""
        if self._citations:
            frames = self._open(PartStarted(-1, "text")) + self._close(PartFinished(-1))
        delta = {"stop_reason": stop_reason, "stop_sequence": None}
        return frames + self._stop + _event("message_delta", delta=delta, usage=shapes.usage(self._usage)) + _event("message_stop")

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        refuses = any(isinstance(part, Refusal) for part in reply.parts)
        reason = shapes.stop_reason(reply.reason or "stop", reply.raw_reason, refuses)
        return encode(shapes.message(reply.generation, reply.model, shapes.content(reply), reason, reply.usage or Usage()))

    @staticmethod
    def refusal(error: HeadraceError) -> bytes:
        return encode(shapes.error(error.message, error.code, error.status, None))


def _event(kind: str, **more: Any) -> bytes:
    return frame(encode({"type": kind, **more}), event=kind)


def _comes_whole(event: PartStarted) -> bool:
    """Encrypted reasoning has no text: its block is what its end brings."""
    return event.kind == "reasoning" and event.form == "encrypted"


def _empty_block(event: PartStarted, side: dict[str, object] | None) -> Object:
    match event.kind:
        case "reasoning" if _comes_whole(event):
            return {"type": "redacted_thinking", "data": sides.redacted(side)}
        case "reasoning":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case "tool_call":
            return {"type": "tool_use", "id": event.id or "", "name": event.name or "", "input": {}}
    return {"type": "text", "text": ""}
