"""OpenAI Responses, as its official SDKs read them: named events that count themselves, each item told from `added` to `done`.

`sequence_number` is what a client resumes by, so there are no `id:` lines; the same log gives the same events, whenever it is
read. An answer without streaming is the `response` of the last event: both are made by the same steps.

What SDKs need, found by running them: `response.created` first, one `response.id` throughout, a summary part before the first
piece of a summary, items at their end and in the last response alike, usage as integers. `response.failed` raises in none of
them, an `error` event with the error inside it does in all, so both are sent. A stop is `incomplete` with the status
`cancelled`: there is no event of its own for that.

Left out are files, opaque parts, images and sources that are neither here nor have an address.
"""

from collections.abc import Iterator
from typing import Any, assert_never

import msgspec

from services.downstream import openai_answers as answers
from services.downstream import openai_responses_turns as asked
from services.downstream.openai_responses_items import (
    ITEMS,
    ImageItem,
    Item,
    ItemStatus,
    ReasoningItem,
    TextItem,
    Told,
    annotation,
    image_data,
)
from services.downstream.writer import Body, Writer, output_tokens
from services.errors import HeadraceError
from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Started, Usage
from services.messages import Attachment, File, Image, Part, Reasoning, Refusal, Reply, Text, ToolCall, ToolResult, Turn
from services.wire.sse import frame, one_line

CODES = {"rate_limited": "rate_limit_exceeded", "too_long": "context_length_exceeded", "quota": "insufficient_quota"}
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
NOTHING = -1  # the sequence_number of who has nothing yet
EVERYTHING = 1 << 62

encode = msgspec.json.encode


class OpenAIResponsesWriter(Writer):
    def __init__(self, started: Started, body: Body, starting_after: int = NOTHING) -> None:
        """The frames up to `starting_after`, a sequence_number, are not written: the client has them."""
        self._after = starting_after
        self.next = 0  # the sequence_number of the next event
        self._generation = started.generation
        self._response = _response(started, body)
        self._items: dict[int, Item] = {}  # by part, while they can grow
        self._starts: dict[int, PartStarted] = {}
        self._indexes = 0
        self._newest: Item | None = None
        self._waiting: tuple[Item, PartFinished] | None = None  # a text that is finished, but may get sources
        self._sources: list[object] = []  # that came before any text
        self._output: dict[str, dict[str, Any]] = {}  # by item id, in their order
        self._usage: Usage | None = None

    @staticmethod
    def turn(body: Body) -> Turn:
        return asked.turn(body)

    def _frame(self, entry: Entry) -> bytes:
        event = entry.event
        if type(event) is PartDelta:  # 99 of 100 entries
            item = self._items.get(event.part)
            if item is not None and item.texts:
                item.texts.append(event.text)
                self.next += 1
                if self.next - 1 <= self._after:
                    return b""
                return item.template % (self.next - 1, one_line(encode(event.text)))
        return b"".join([self._write(told) for told in self._tell(event)])

    def _write(self, told: Told) -> bytes:
        kind, fields = told
        self.next += 1
        if self.next - 1 <= self._after:
            return b""
        return frame(encode({"type": kind, "sequence_number": self.next - 1, **fields}), event=kind)

    def _tell(self, event: Event) -> Iterator[Told]:
        match event:
            case PartDelta(part, text):
                yield from self._begin_text(part, text)
            case PartStarted(part):
                self._starts[part] = event
                if event.kind == "tool_call":
                    yield from self._begin(ITEMS["tool_call"], event)
            case PartFinished():
                yield from self._part_finished(event)
            case Usage():
                self._usage = event
            case Started():
                yield "response.created", {"response": self.response("in_progress")}
                yield "response.in_progress", {"response": self.response("in_progress")}
            case Finished(reason):
                detail = INCOMPLETE.get(reason)
                whole = detail is None and reason != "stopped"
                yield from self._settle("completed" if whole else "incomplete")
                response = self.response("cancelled" if reason == "stopped" else "completed" if whole else "incomplete", detail=detail)
                yield "response.completed" if whole else "response.incomplete", {"response": response}
            case Failed(code, message):
                yield from self._settle("incomplete")
                yield "response.failed", {"response": self.response("failed", error=_error(event))}
                inner = answers.error(message, code, event.status)["error"]
                yield "error", {"code": code, "message": message, "param": None, "error": inner}

    def _begin_text(self, part: int, text: str) -> Iterator[Told]:
        """The first piece. A part that says nothing is no item."""
        kind = self._starts[part].kind
        item = self._items.get(part)
        if item is None:
            if kind not in ITEMS:
                return
            yield from self._begin(ITEMS[kind], self._starts[part])
            item = self._items[part]
        if isinstance(item, ReasoningItem):
            yield from item.begin_text()
        yield item.more(text)

    def _begin(self, kind: type[Item], start: PartStarted) -> Iterator[Told]:
        yield from self._settle_text("completed")
        item = self._items[start.part] = self._newest = kind(self._generation, self._indexes, start)
        self._indexes += 1
        self._output[item.id] = {}
        yield from item.begin()
        if isinstance(item, TextItem):
            for source in self._sources:
                yield from item.cite(source)
            self._sources.clear()

    def _part_finished(self, event: PartFinished) -> Iterator[Told]:
        start, item = self._starts[event.part], self._items.get(event.part)
        if item is None and start.kind == "reasoning" and event.side:
            yield from self._begin(ReasoningItem, start)
        elif start.kind == "image" and image_data(event.value) is not None:
            yield from self._begin(ImageItem, start)
        elif start.kind == "source":
            if isinstance(self._newest, TextItem):
                yield from self._newest.cite(event.value)
            else:
                self._sources.append(event.value)
        item = self._items.get(event.part)
        if item is not None and item is self._newest and isinstance(item, TextItem):
            self._waiting = (item, event)
        elif item is not None:
            yield from self._end(item, event, "completed")

    def _end(self, item: Item, event: PartFinished, status: ItemStatus) -> Iterator[Told]:
        told = item.end(event, status)
        self._items.pop(event.part, None)
        self._output[item.id] = told[-1][1]["item"]
        yield from told

    def _settle_text(self, status: ItemStatus) -> Iterator[Told]:
        if self._waiting is not None:
            (item, event), self._waiting = self._waiting, None
            yield from self._end(item, event, status)

    def _settle(self, status: ItemStatus) -> Iterator[Told]:
        """The end: what waited does so no longer, and sources without a text get an empty one."""
        yield from self._settle_text(status)
        if any(annotation(source) for source in self._sources):
            none = -1  # no part has this number
            yield from self._begin(TextItem, PartStarted(none, "text"))
            yield from self._end(self._items[none], PartFinished(none), status)

    def response(self, status: str, *, detail: str | None = None, error: dict[str, Any] | None = None) -> dict[str, Any]:
        """The response as far as it has been told."""
        running = status == "in_progress"
        return {
            **self._response,
            "status": status,
            "error": error,
            "incomplete_details": {"reason": detail} if detail else None,
            "output": [item for item in self._output.values() if item],
            "usage": None if running else _usage(self._usage or Usage()),
        }

    @staticmethod
    def whole(reply: Reply, body: Body) -> bytes:
        return encode(snapshot(reply, body))

    @staticmethod
    def refusal(error: HeadraceError) -> bytes:
        return answers.refusal(error)


def snapshot(reply: Reply, body: Body) -> dict[str, Any]:
    """The response as an object. Of a reply that still runs it is `in_progress`, and so is its last item."""
    started = Started(reply.generation, reply.model, reply.created)
    writer = OpenAIResponsesWriter(started, body, EVERYTHING)
    response: dict[str, Any] = {}
    for event in [started, *_story(reply), *_end(reply)]:
        for _, fields in writer._tell(event):
            response = fields.get("response", response)
    if reply.state in ("waiting", "streaming"):
        list(writer._settle_text("in_progress"))
        response = writer.response("in_progress")
        if response["output"] and response["output"][-1].get("status") == "incomplete":
            response["output"][-1]["status"] = "in_progress"
    return response


def _story(reply: Reply) -> Iterator[Event]:
    """A reply told again, each part in one piece."""
    for number, part in enumerate(reply.parts):
        start, text, value, side = _told(number, part)
        yield start
        if text:
            yield PartDelta(number, text)
        yield PartFinished(number, value, side)
    if reply.usage:
        yield reply.usage


def _told(number: int, part: Part) -> tuple[PartStarted, str, object, dict[str, object] | None]:
    match part:
        case Text(text, side):
            return PartStarted(number, "text"), text, None, side
        case Reasoning(text, form, side):
            return PartStarted(number, "reasoning", form=form), text, None, side
        case Refusal(text):
            return PartStarted(number, "refusal"), text, None, None
        case ToolCall(id, name, arguments, value, side):
            return PartStarted(number, "tool_call", id, name), arguments, value, side
        case Attachment(kind, value, side):
            return PartStarted(number, kind), "", value, side
        case ToolResult() | Image() | File():
            return PartStarted(number, "opaque"), "", None, None  # no part of a reply
    assert_never(part)


def _end(reply: Reply) -> Iterator[Event]:
    if reply.problem:
        problem = reply.problem
        yield Failed(problem.code, problem.message, problem.retryable, status=problem.status)
    elif reply.reason:
        yield Finished(reply.reason)


def _response(started: Started, body: Body) -> dict[str, Any]:
    return {
        "id": f"{asked.PREFIX}{started.generation}",
        "object": "response",
        "created_at": started.created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": started.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
        **{name: body[name] for name in asked.REPEATED if body.get(name) is not None},
    }


def _usage(usage: Usage) -> dict[str, Any]:
    into, out = usage.input_tokens or 0, output_tokens(usage) or 0
    return {
        "input_tokens": into,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0, "cache_write_tokens": usage.cache_write_tokens or 0},
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens or into + out,
    }


def _error(failed: Failed) -> dict[str, str]:
    """OpenAI has few codes; the `error` event that follows has ours."""
    return {"code": CODES.get(failed.code, "server_error"), "message": failed.message}
