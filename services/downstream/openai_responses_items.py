"""The output items of a response: what a part of a reply is on the wire, from its first event to its last. No I/O.

    text, refusal    a message with one content; the sources that follow a text are its annotations
    reasoning        a summary, because that is the form that every SDK reads; what has to come back is sealed in it
    tool_call        a function_call
    image            an image_generation_call, if the image itself came

An item is done when its part is, except a text's: that one waits for what comes next, which may be its sources.
"""

from abc import ABC, abstractmethod
from typing import Any, Literal

import msgspec

from services.downstream import openai_sides as sides
from services.downstream.openai_answers import citation
from services.events import PartFinished, PartStarted
from services.wire.sse import one_line

Told = tuple[str, dict[str, Any]]  # an event's type, and its fields besides type and sequence_number
ItemStatus = Literal["in_progress", "completed", "incomplete"]

CITATIONS = {"url_citation", "file_citation", "container_file_citation", "file_path"}

encode = msgspec.json.encode


class Item(ABC):
    """`template` of the event of a delta wants a sequence_number and a JSON text."""

    prefix = ""
    delta = ""
    field = ""  # the place within the item

    def __init__(self, generation: str, index: int, start: PartStarted) -> None:
        self.id = f"{self.prefix}_{generation}_{index}"
        self.texts: list[str] = []
        self.start = start
        self._more: dict[str, Any] = {"logprobs": []} if self.delta == "response.output_text.delta" else {}
        self._where: dict[str, Any] = {"output_index": index}
        self._inner: dict[str, Any] = {"item_id": self.id, "output_index": index, **({self.field: 0} if self.field else {})}
        place = one_line(encode(self._inner))[1:-1]
        named = f'event: {self.delta}\ndata: {{"type":"{self.delta}","sequence_number":%d,'.encode()
        more = b"".join(b",%b:%b" % (encode(name), encode(value)) for name, value in self._more.items())
        self.template = b'%b%b,"delta":%%b%b}\n\n' % (named, place, more)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def more(self, text: str) -> Told:
        """What `template` makes, as an object."""
        self.texts.append(text)
        return self.delta, {**self._inner, "delta": text, **self._more}

    @abstractmethod
    def begin(self) -> list[Told]: ...

    @abstractmethod
    def end(self, finished: PartFinished | None, status: ItemStatus) -> list[Told]:
        """The last event holds the item as a whole."""

    def _added(self, item: dict[str, Any]) -> Told:
        return "response.output_item.added", {**self._where, "item": item}

    def _done(self, item: dict[str, Any]) -> Told:
        return "response.output_item.done", {**self._where, "item": item}


class MessageItem(Item):
    prefix = "msg"
    field = "content_index"

    @abstractmethod
    def _content(self, text: str) -> dict[str, Any]: ...

    @abstractmethod
    def _said(self, text: str) -> Told: ...

    def begin(self) -> list[Told]:
        return [
            self._added(self._item("in_progress", [])),
            ("response.content_part.added", {**self._inner, "part": self._content("")}),
        ]

    def end(self, finished: PartFinished | None, status: ItemStatus) -> list[Told]:
        content = self._content(self.text)
        item = self._item(status, [content]) | sides.extra(finished.side if finished else None)
        if finished and finished.side and isinstance(phase := finished.side.get("phase"), str):
            item["phase"] = phase
        return [self._said(self.text), ("response.content_part.done", {**self._inner, "part": content}), self._done(item)]

    def _item(self, status: ItemStatus, content: list[Any]) -> dict[str, Any]:
        return {"id": self.id, "type": "message", "status": status, "role": "assistant", "content": content}


class TextItem(MessageItem):
    delta = "response.output_text.delta"

    def __init__(self, generation: str, index: int, start: PartStarted) -> None:
        super().__init__(generation, index, start)
        self._annotations: list[dict[str, Any]] = []

    def cite(self, source: object) -> list[Told]:
        found = annotation(source)
        if found is None:
            return []
        self._annotations.append(found)
        told = {**self._inner, "annotation_index": len(self._annotations) - 1, "annotation": found}
        return [("response.output_text.annotation.added", told)]

    def _content(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": list(self._annotations), "logprobs": []}

    def _said(self, text: str) -> Told:
        return "response.output_text.done", {**self._inner, "text": text, "logprobs": []}


class RefusalItem(MessageItem):
    delta = "response.refusal.delta"

    def _content(self, text: str) -> dict[str, Any]:
        return {"type": "refusal", "refusal": text}

    def _said(self, text: str) -> Told:
        return "response.refusal.done", {**self._inner, "refusal": text}


class ReasoningItem(Item):
    prefix = "rs"
    delta = "response.reasoning_summary_text.delta"
    field = "summary_index"

    def begin(self) -> list[Told]:
        return [self._added(self._item([]))]

    def begin_text(self) -> list[Told]:
        """Before its first words. An item may have none, and hold something to be sent back only."""
        return [("response.reasoning_summary_part.added", {**self._inner, "part": {"type": "summary_text", "text": ""}})]

    def end(self, finished: PartFinished | None, status: ItemStatus) -> list[Told]:
        summary = [{"type": "summary_text", "text": self.text}] if self.texts else []
        item = self._item(summary)
        form, side = self.start.form or "plain", finished.side if finished else None
        if encrypted := sides.sealed(form, side):
            item["encrypted_content"] = encrypted
        said: list[Told] = [
            told
            for part in summary
            for told in (
                ("response.reasoning_summary_text.done", {**self._inner, "text": self.text}),
                ("response.reasoning_summary_part.done", {**self._inner, "part": part}),
            )
        ]
        return [*said, self._done(item)]

    def _item(self, summary: list[Any]) -> dict[str, Any]:
        return {"id": self.id, "type": "reasoning", "summary": summary}


class CallItem(Item):
    prefix = "fc"
    delta = "response.function_call_arguments.delta"

    def begin(self) -> list[Told]:
        return [self._added(self._item("in_progress", ""))]

    def end(self, finished: PartFinished | None, status: ItemStatus) -> list[Told]:
        """Arguments that are not JSON broke off."""
        whole = finished is not None and finished.value is not None
        arguments = self.text or ("{}" if whole else "")
        item = self._item("completed" if whole else status if status != "completed" else "incomplete", arguments)
        done = {**self._inner, "name": self.start.name or "", "arguments": arguments}
        return [("response.function_call_arguments.done", done), self._done(item | sides.extra(finished.side if finished else None))]

    def _item(self, status: ItemStatus, arguments: str) -> dict[str, Any]:
        name, call_id = self.start.name or "", self.start.id or ""
        return {"id": self.id, "type": "function_call", "status": status, "call_id": call_id, "name": name, "arguments": arguments}


class ImageItem(Item):
    prefix = "ig"

    def begin(self) -> list[Told]:
        return [self._added({"id": self.id, "type": "image_generation_call", "status": "in_progress", "result": None})]

    def end(self, finished: PartFinished | None, status: ItemStatus) -> list[Told]:
        result = image_data(finished.value) if finished else None
        return [self._done({"id": self.id, "type": "image_generation_call", "status": "completed", "result": result})]


ITEMS: dict[str, type[Item]] = {"text": TextItem, "refusal": RefusalItem, "reasoning": ReasoningItem, "tool_call": CallItem}


def image_data(value: object) -> str | None:
    """The base64 of an image that came as such; None for one that is only an address."""
    url = value.get("url") if isinstance(value, dict) else None
    if isinstance(url, str) and url.startswith("data:") and ";base64," in url[:200]:
        return url.partition(";base64,")[2]
    return None


def annotation(source: object) -> dict[str, Any] | None:
    """A source as OpenAI has it; None for one that is neither of its kinds nor has an address."""
    if isinstance(source, dict) and source.get("type") in CITATIONS - {"url_citation"}:
        return source
    told = citation(source)
    return {"type": "url_citation", **told} if told else None
