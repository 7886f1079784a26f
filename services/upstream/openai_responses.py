"""OpenAI's Responses, from OpenAI and from the servers that copy it. Sans-IO: bytes in, events out.

The end is an event that brings the whole response: `response.completed`, or `response.incomplete` with a reason. Nothing else
is one: not `[DONE]`, which some servers add, not the end of the connection. The type in the JSON counts; the `event:` line is
looked at only where the JSON has none. Events of unknown types are passed over.
"""

from typing import Any, ClassVar

import msgspec

from services.messages import Turn
from services.models import Model
from services.upstream import loose, openai_models, openai_responses_events, openai_responses_turns, refusals, words
from services.upstream.body import unwrapped
from services.upstream.frames import FrameReader
from services.upstream.openai_responses_events import ENDS, PIECES, STATUSES, TEXT, WHOLES, Fragment
from services.upstream.openai_responses_items import Items
from services.upstream.reader import Request
from services.wire.sse import MAX_EVENT, Frame

_decode = openai_responses_events.decode


class OpenAIResponsesReader(FrameReader):
    models_path: ClassVar[str] = "/models"

    def __init__(self, limit: int = MAX_EVENT) -> None:
        super().__init__(limit)
        self._items = Items(self._story)
        self._heard = False
        self._foreign = b""  # JSON, but no event
        # The last frame was text of this content of this item, and its next piece belongs to the same part.
        self._speaking = False
        self._item: str | None = None
        self._index: int | None = None
        self._content: int | None = None

    @staticmethod
    def headers(api_key: str | None) -> dict[str, str]:
        return {"authorization": f"Bearer {api_key}"} if api_key else {}

    @staticmethod
    def models(body: bytes) -> list[Model]:
        return openai_models.models(body)

    def request(self, turn: Turn) -> Request:
        self._story.seed(len(turn.messages))
        return Request("/responses", openai_responses_turns.body(turn))

    def _read(self, frames: list[Frame]) -> None:
        for event, data, _ in frames:
            try:
                said = _decode(data)
            except loose.UNREADABLE:
                self._speaking = False
                self._read_odd(event, data)
            else:
                self._read_event(event, data, said)
            if self._story.ended:
                return

    def _read_event(self, event: str, data: bytes, said: Fragment) -> None:
        if (
            self._speaking
            and said.type == TEXT
            and said.delta
            and said.item_id == self._item
            and said.output_index == self._index
            and said.content_index == self._content
            and not said.logprobs
        ):
            self._story.say("text", said.delta)
        elif said.type in PIECES:
            self._read_piece(said)
        else:
            self._speaking = False
            self._read_odd(event, data)

    def _read_piece(self, said: Fragment) -> None:
        self._heard = True
        kind, field = PIECES[said.type]
        inner = said.content_index or said.summary_index or 0
        self._items.more(kind, field, said.item_id or "", said.output_index, inner, said.delta or "", said.logprobs)
        self._item, self._index, self._content = said.item_id, said.output_index, said.content_index
        self._speaking = said.type == TEXT and bool(said.delta) and self._story.saying == "text"

    def _read_odd(self, event: str, data: bytes) -> None:
        """What is no piece: the other events, `[DONE]`, a keep-alive, an error, or nothing of use."""
        data = unwrapped(data)
        if data == b"[DONE]":
            self._close()
        elif data:
            try:
                found = _objects(data)
            except ValueError:
                if event == "error":
                    self._story.fail(refusals.reported(words.of_body(data)))
                else:
                    self._story.stumble(data)
                return
            for value in found:
                self._read_object(event, value, data)

    def _read_object(self, event: str, value: object, data: bytes) -> None:
        given = value if isinstance(value, dict) else {}
        kind = _string(given.get("type")) or event
        if kind in ("error", "response.error") or event == "error":
            self._story.fail(refusals.reported(openai_responses_events.failure(given)))
        elif kind.startswith("response."):
            self._heard = True
            self._apply(kind, given)
        elif given.get("object") == "response" or isinstance(given.get("output"), list):
            self._heard = True
            if (status := _string(given.get("status")) or "completed") in STATUSES:
                self._end(given, status)
        elif said := words.of_object(value):
            self._story.fail(refusals.reported(said))
        else:
            self._foreign = data

    def _apply(self, kind: str, event: dict[str, Any]) -> None:
        item, part, id = loose.inner(event, "item"), loose.inner(event, "part"), _string(event.get("item_id"))
        index, inner = loose.count(event.get("output_index")), _inner(event)
        match kind:
            case "response.output_item.added":
                self._items.add(item, index)
            case "response.output_item.done":
                self._items.finish(item, index)
            case "response.content_part.done":
                self._items.content(id, index, inner, part)
            case "response.reasoning_summary_part.done":
                self._items.whole("reasoning", "summary", id, index, inner, _string(part.get("text")))
            case "response.output_text.annotation.added":
                self._items.cite(id, index, event.get("annotation"))
            case _ if kind in ENDS:
                self._end(loose.inner(event, "response"), ENDS[kind])
            case _ if kind in WHOLES:
                of, field = WHOLES[kind]
                text = _string(event.get(field)) or _string(event.get("text"))
                self._items.whole(of, field, id, index, inner, text, event.get("logprobs"))
            case _ if kind in PIECES:  # its shape was not quite right, or its type stood in the `event:` line
                of, field = PIECES[kind]
                self._items.more(of, field, id, index, inner, _string(event.get("delta")), event.get("logprobs"))

    def _end(self, response: dict[str, Any], ending: str) -> None:
        """The response as it is at the end: what of it was not told yet is told now."""
        said, output, used = _string(response.get("status")), response.get("output"), loose.inner(response, "usage")
        status = said if said in STATUSES else ending
        self._items.finish_all(output if isinstance(output, list) else [])
        self._items.end()
        if used:
            self._story.usage(openai_responses_events.usage(used))
        if status in ("failed", "cancelled") or response.get("error"):
            self._story.fail(refusals.reported(openai_responses_events.failure(response)))
        else:
            self._story.finish(*openai_responses_events.reason(status, response))

    def _close(self) -> None:
        self._items.end()
        self._story.fail(refusals.cut_off() if self._heard else refusals.no_answer(self._foreign))

    def _read_document(self, body: bytes) -> None:
        """The whole response in one document, whoever asked for a stream, or an error."""
        try:
            found = loose.objects(body)
        except ValueError:
            self._story.fail(refusals.cut_off())
            return
        for value in found:
            self._read_object("", value, body)


def _objects(data: bytes) -> list[Any]:
    try:
        return [msgspec.json.decode(data)]
    except loose.UNREADABLE:
        return loose.objects(data)


def _inner(event: dict[str, Any]) -> int:
    """Which content, or which part of a summary."""
    return loose.count(event.get("content_index")) or loose.count(event.get("summary_index")) or 0


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
