"""The barest stream: frames of plain text, then `DONE`. For clients that append what comes and look at nothing else.

Reasoning, tools and usage are not told. A reply that fails ends with a `failed` event and without `DONE`.
"""

import msgspec

from services.downstream.native import NativeWriter, failed_dict
from services.downstream.writer import Body
from services.events import Entry, Failed, Finished, PartDelta, PartStarted, Started
from services.messages import Reply
from services.wire.sse import frame, text_frame


class TextWriter(NativeWriter):
    def __init__(self, started: Started, body: Body) -> None:
        self._told: set[int] = set()  # parts whose text is the answer

    def _frame(self, entry: Entry) -> bytes:
        match entry.event:
            case PartDelta(part, text) if part in self._told:
                return text_frame(text, id=entry.seq)
            case PartStarted(part, "text" | "refusal"):
                self._told.add(part)
            case Finished():
                return text_frame("DONE", id=entry.seq)
            case Failed():
                return frame(msgspec.json.encode({"type": "failed", **failed_dict(entry.event)}), event="failed", id=entry.seq)
        return b""

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        return msgspec.json.encode({"text": reply.message.text})
