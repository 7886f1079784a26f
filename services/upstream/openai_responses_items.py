"""The output items of a Responses reply, told to a Story: fragments as they come, and whole what came without fragments.

    message            its contents are parts of text, or a refusal, with their sources
    reasoning          one part for its summary, one for its own words, or one that is only encrypted; `side` is what goes back
    function_call, custom_tool_call
    everything else    what the server did by itself: told when it is done, as an image or as it is

An item is known by its id, else by its index, else it is the last of its kind that is not done: llama.cpp gives no index,
others give an id that changes from event to event. Everything is told once, whether it comes as deltas, at the `done` of its
content, at the `done` of its item, or only in the response at the end; the first to come counts.
"""

from itertools import chain
from typing import Any

from services.errors import UpstreamError
from services.upstream import loose
from services.upstream.calls import argument_text
from services.upstream.story import Form, Story
from services.upstream.think import Piece, Think

Object = dict[str, Any]

CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_FORMS: dict[str, Form] = {"summary": "summary", "content": "plain"}
_BETWEEN = "\n\n"  # the parts of a summary are paragraphs
_CITATIONS = {"url_citation", "file_citation", "container_file_citation", "file_path"}

MAX_ITEMS = 1024  # looking for one costs as many steps at worst


class _Item:
    __slots__ = ("cited", "done", "field", "held", "id", "index", "inner", "kind", "met", "part", "phase", "told")

    def __init__(self, kind: str, index: int | None) -> None:
        self.kind = kind
        self.id = ""  # its own, not what an event calls it
        self.index = index
        self.phase = ""
        self.done = False
        self.met = False  # in the response at the end
        self.part: int | None = None  # of reasoning and of a call, once it is told
        self.field = ""  # of reasoning: what that part is of
        self.inner: tuple[str, int] | None = None  # the content, or the part of a summary, that was told last
        self.told: set[tuple[str, int]] = set()
        self.held: list[str] = []  # arguments of a call that has no name yet
        self.cited: set[str] = set()


class Items:
    def __init__(self, story: Story) -> None:
        self._story = story
        self._think = Think()
        self._all: list[_Item] = []
        self._by_id: dict[tuple[str, str], _Item] = {}
        self._by_index: dict[tuple[str, int | None], _Item] = {}
        self._speaker: _Item | None = None  # whose text is being said

    def add(self, item: Object, index: int | None) -> None:
        """An item begins. What it has already is not told yet: it comes again."""
        kind, id = _string(item.get("type")), _string(item.get("id"))
        found = self._known(kind, id, index) or self._new(kind, id, index)
        found.id = id
        if kind in CALLS and found.part is None:
            self._begin_call(found, item)
        found.phase = _string(item.get("phase")) or found.phase

    def more(self, kind: str, field: str, id: str, index: int | None, inner: int, text: str, tokens: object = None) -> None:
        """A fragment of `field`: a message's text or refusal, reasoning's summary or content, a call's arguments or input.

        `tokens` are its logprobs.
        """
        self._tell(self._find(kind, id, index), field, inner, text, tokens)

    def whole(self, kind: str, field: str, id: str, index: int | None, inner: int, text: str, tokens: object = None) -> None:
        """All of it, for servers that sent no fragments."""
        self._tell_once(self._find(kind, id, index), field, inner, text, tokens)

    def content(self, id: str, index: int | None, inner: int, content: Object) -> None:
        """One content of a message, or of reasoning, is complete."""
        if content.get("type") == "reasoning_text":
            self._tell_once(self._find("reasoning", id, index), "content", inner, _string(content.get("text")))
        else:
            self._content(self._find("message", id, index), inner, content)

    def cite(self, id: str, index: int | None, annotation: object) -> None:
        self._cite(self._find("message", id, index), [annotation])

    def finish(self, item: Object, index: int | None) -> None:
        """An item is complete. Whatever of it was not told is told now, then its parts are closed."""
        self._finish(self._find(_string(item.get("type")), _string(item.get("id")), index), item)

    def finish_all(self, output: list[Any]) -> None:
        """The response is complete. Its items have the ids they were told by, else the same index, else the same order."""
        for index, item in enumerate(output):
            if isinstance(item, dict) and not self._story.ended:
                found = self._meet(_string(item.get("type")), _string(item.get("id")), index)
                found.met = True
                self._finish(found, item)

    def end(self) -> None:
        """Nothing more comes: what was held back is told, calls that never had a name without one."""
        self._flush()
        for item in self._all:
            if item.kind in CALLS and item.part is None and item.held:
                self._begin_call(item, {}, named=True)

    # Which item

    def _known(self, kind: str, id: str, index: int | None) -> _Item | None:
        found = self._by_id.get((kind, id))
        if found is None or index is None or found.index in (None, index):
            return found or self._by_index.get((kind, index))
        return self._by_index.get((kind, index))  # an id that serves every item alike

    def _find(self, kind: str, id: str, index: int | None) -> _Item:
        alike = (item for item in reversed(self._all) if item.kind == kind and not item.done)
        last = (item for item in alike if index is None or item.index is None)
        return self._known(kind, id, index) or next(last, None) or self._new(kind, id, index)

    def _meet(self, kind: str, id: str, index: int) -> _Item:
        known = (self._by_id.get((kind, id)), self._by_index.get((kind, index)))
        rest = (item for item in self._all if item.kind == kind)
        return next((item for item in chain(known, rest) if item and not item.met), None) or self._new(kind, id, index)

    def _new(self, kind: str, id: str, index: int | None) -> _Item:
        item = _Item(kind, index)
        self._all.append(item)
        if len(self._all) > MAX_ITEMS:
            self._story.fail(UpstreamError(f"The model's reply has more than {MAX_ITEMS:,} items.", code="limit"))
        if id:
            self._by_id[kind, id] = item
        if index is not None:
            self._by_index[kind, index] = item
        return item

    # What it says

    def _tell(self, item: _Item, field: str, inner: int, text: str, tokens: object = None) -> None:
        if not text:
            return
        again = item.inner == (field, inner)
        item.inner = (field, inner)
        item.told.add(item.inner)
        match field:
            case "text":
                self._text(item, text, again=again)
                if isinstance(tokens, list) and tokens and self._story.saying == "text":
                    self._story.side("text", "logprobs").extend(tokens)
            case "refusal":
                self._flush()
                self._story.say("refusal", text)
            case "arguments" | "input":
                self._argue(item, text)
            case _:
                self._reason(item, field, text, again=again)

    def _tell_once(self, item: _Item, field: str, inner: int, text: str, tokens: object = None) -> None:
        if (field, inner) not in item.told:
            self._tell(item, field, inner, text, tokens)

    def _text(self, item: _Item, text: str, *, again: bool) -> None:
        if item is not self._speaker or not again:
            self._flush()
            self._story.pause()
            self._speaker = item
        if self._think.settled:
            self._story.say("text", text)
        else:
            self._tell_pieces(self._think.feed(text))
        self._keep_phase(item)

    def _flush(self) -> None:
        self._tell_pieces(self._think.finish())

    def _tell_pieces(self, pieces: list[Piece]) -> None:
        for kind, text in pieces:
            self._story.say(kind, text)

    def _keep_phase(self, item: _Item) -> None:
        """Whether this is a comment on the way or the answer: newer models want to be told so of their own words."""
        if item.phase and self._story.saying == "text":
            self._story.keep(self._story.prose, "phase", item.phase)

    def _reason(self, item: _Item, field: str, text: str, *, again: bool) -> None:
        if item.done:
            return
        if item.part is not None and item.field != field:
            self._story.close(item.part)
            item.part = None
        if item.part is None:
            item.part = self._begin_reasoning(item, _FORMS[field])
            item.field = field
        elif not again:
            self._story.more(item.part, _BETWEEN)
        self._story.more(item.part, text)

    def _begin_reasoning(self, item: _Item, form: Form) -> int:
        self._flush()
        self._story.pause()
        part = self._story.start("reasoning", form=form)
        if item.id:
            self._story.keep(part, "id", item.id)
        return part

    def _argue(self, item: _Item, text: str) -> None:
        if item.part is None:
            item.held.append(text)
        elif not item.done:
            self._story.more(item.part, text)

    def _begin_call(self, item: _Item, given: Object, *, named: bool = False) -> None:
        """The call is told once its name is known."""
        name = _string(given.get("name"))
        if not name and not named:
            return
        self._flush()
        item.part = self._story.call(_string(given.get("call_id")) or None, name)
        if item.kind == "custom_tool_call":
            self._story.keep(item.part, "type", "custom")
        self._story.more(item.part, "".join(item.held))

    # Its end

    def _finish(self, item: _Item, given: Object) -> None:
        if item.done or self._story.ended:
            return
        match item.kind:
            case "message":
                self._finish_message(item, given)
            case "reasoning":
                self._finish_reasoning(item, given)
            case "function_call" | "custom_tool_call":
                self._finish_call(item, given)
            case _:
                self._flush()
                self._story.pause()
                self._thing(given)
        item.done = True

    def _finish_message(self, item: _Item, given: Object) -> None:
        item.phase = _string(given.get("phase")) or item.phase
        for inner, content in enumerate(_objects(given.get("content"))):
            self._content(item, inner, content)
        if item is self._speaker:
            self._flush()
            self._keep_phase(item)
            self._story.pause()

    def _content(self, item: _Item, inner: int, content: Object) -> None:
        match content.get("type"):
            case "output_text" | "text":
                self._tell_once(item, "text", inner, _string(content.get("text")), content.get("logprobs"))
                self._cite(item, _objects(content.get("annotations")))
            case "refusal":
                self._tell_once(item, "refusal", inner, _string(content.get("refusal")))
            case str() if self._is_new(item, content):
                self._story.pause()
                self._story.thing("opaque", content)

    def _cite(self, item: _Item, annotations: list[Any]) -> None:
        for annotation in annotations:
            if isinstance(annotation, dict) and self._is_new(item, annotation):
                self._story.thing("source" if annotation.get("type") in _CITATIONS else "opaque", annotation)

    def _is_new(self, item: _Item, value: Object) -> bool:
        key = repr(loose.clean(value))
        new = key not in item.cited
        item.cited.add(key)
        return new

    def _finish_reasoning(self, item: _Item, given: Object) -> None:
        item.id = _string(given.get("id")) or item.id
        for field in ("summary", "content"):
            for inner, piece in enumerate(_objects(given.get(field))):
                self._tell_once(item, field, inner, _string(piece.get("text")))
        encrypted = _string(given.get("encrypted_content"))
        if item.part is None and encrypted:
            item.part = self._begin_reasoning(item, "encrypted")
        if item.part is not None:
            kept = {"id": item.id, "encrypted_content": encrypted}
            for key, value in kept.items():
                if value:
                    self._story.keep(item.part, key, value)
            self._story.close(item.part)

    def _finish_call(self, item: _Item, given: Object) -> None:
        field = CALLS[item.kind]
        if item.part is None:
            self._begin_call(item, given, named=True)
        if not item.told:
            self._tell(item, field, 0, argument_text(given.get(field)))
        if item.part is not None:
            self._story.close(item.part)

    def _thing(self, given: Object) -> None:
        match given:
            case {"type": "image_generation_call", "result": str(result)} if result:
                url = f"data:image/{_string(given.get('output_format')) or 'png'};base64,{result}"
                part = self._story.start("image")
                if id := _string(given.get("id")):
                    self._story.keep(part, "id", id)
                self._story.close(part, {"url": url})
            case {"type": str()}:
                self._story.thing("opaque", given)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: object) -> list[Object]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
