"""What a reader tells while it reads: numbered parts, at most one Usage, exactly one terminal event. No dialect here.

A reader owns one Story, says things in the order they came, and takes the events of each batch:

    story.say("text", "Hel")                        prose: opens, continues or changes the part by itself
    call = story.start("tool_call", id=..., name=...)    a part that others may interleave with
    story.more(call, '{"city":')
    story.usage(Usage(...))                         last one wins, class by class; told before the end
    story.finish("stop", "eos") or story.fail(...)  closes what is open; whatever is said afterwards is not heard
    story.take()                                    the events since the last take

Every text is clean when it leaves: no NUL, no half characters, even where a server cut one in two.
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from services.errors import ProtocolError, UpstreamError
from services.events import Event, Finished, PartDelta, PartFinished, PartKind, PartStarted, Phase, Reason, Usage
from services.upstream import loose, words

Prose = Literal["text", "reasoning", "refusal"]
Form = Literal["plain", "summary", "encrypted"]
Join = Callable[[list[object]], list[object]]

MAX_CALLS = 128  # OpenAI's own limit of tools in a request
MAX_STUMBLES = 3


class _Open:
    """A part that has not ended: what will be known of it when it does."""

    __slots__ = ("arguments", "half", "lists", "side")

    def __init__(self, kind: PartKind) -> None:
        self.arguments: list[str] | None = [] if kind == "tool_call" else None
        self.half = ""
        self.side: dict[str, object] = {}
        self.lists: dict[str, tuple[Join, list[object]]] = {}


class Story:
    def __init__(self) -> None:
        self.ended = False
        self.calls = 0
        self._prefix = "call000"
        self._batch: list[Event] = []
        self._parts = 0
        self._open: dict[int, _Open] = {}
        self.saying: Prose | None = None
        self._prose = -1  # the part of what is being said
        self._usage: Usage | None = None
        self._stumbles = 0

    def __repr__(self) -> str:
        return f"<Story {self._parts} parts, {len(self._open)} open{', ended' if self.ended else ''}>"

    @property
    def told(self) -> bool:
        """Something has been said."""
        return self._parts > 0

    @property
    def phase(self) -> Phase:
        return "streaming" if self.told else "waiting"

    @property
    def prose(self) -> int:
        """The part of what is being said."""
        return self._prose

    def seed(self, messages: int) -> None:
        """Made-up ids of tool calls are unique in a conversation, since each turn of it has more messages."""
        self._prefix = f"call{messages:03}"

    def take(self) -> list[Event]:
        batch, self._batch = self._batch, []
        return batch

    def say(self, kind: Prose, text: str) -> None:
        if not text or self.ended:
            return
        if kind != self.saying:
            self._turn_to(kind, None)
        self.more(self._prose, text)

    def side(self, kind: Prose, key: str, form: Form | None = None, join: Join = list) -> list[object]:
        """The list of side data under this key of the prose of this kind; `form` is used when it has to be opened for it.

        `join` makes of the list, at the end of the part, what has to be sent back.
        """
        if self.ended:
            return []
        if kind != self.saying:
            self._turn_to(kind, form)
        return self._open[self._prose].lists.setdefault(key, (join, []))[1]

    def keep(self, part: int, key: str, value: object) -> None:
        """One thing of side data of a part that is open."""
        if not self.ended:
            self._open[part].side[key] = value

    def pause(self) -> None:
        """The prose so far is a part of its own: something else comes now."""
        if self.saying is not None:
            self.close(self._prose)

    def _turn_to(self, kind: Prose, form: Form | None) -> None:
        self.pause()
        self._prose = self.start(kind, form=form)
        self.saying = kind

    def start(self, kind: PartKind, *, id: str | None = None, name: str | None = None, form: Form | None = None) -> int:
        if self.ended:
            return -1
        part = self._parts
        self._parts += 1
        self._open[part] = _Open(kind)
        if kind == "reasoning" and form is None:
            form = "plain"
        self._batch.append(PartStarted(part, kind, id and loose.whole_characters(id), name and loose.whole_characters(name), form))
        return part

    def call(self, id: str | None, name: str) -> int:
        """A tool call begins. An id is made up where the server gave none: nine letters and digits, the form every server takes."""
        self.pause()
        self.calls += 1
        if self.calls > MAX_CALLS:
            self.fail(UpstreamError(f"The model called more than {MAX_CALLS} tools in one reply.", code="limit"))
            return -1
        return self.start("tool_call", id=id or f"{self._prefix}{self.calls - 1:02}", name=name)

    def more(self, part: int, text: str) -> None:
        if not text or self.ended:
            return
        opened = self._open[part]
        if opened.half or not text.isascii() or "\0" in text:
            text = _whole(opened, text)
            if not text:
                return
        self._batch.append(PartDelta(part, text))
        if opened.arguments is not None:
            opened.arguments.append(text)

    def flow(self, text: str) -> list[Event]:
        """`say` of the same kind as before, and `take`, in one: what happens 99 times of 100, at a third of the cost."""
        if not self._batch and text.isascii() and "\0" not in text and not self._open[self._prose].half:
            return [PartDelta(self._prose, text)]
        self.more(self._prose, text)
        return self.take()

    def close(self, part: int, value: object = None) -> None:
        """The part is complete. The value of a tool call is found in its arguments when it is not given."""
        if part not in self._open or self.ended:
            return
        ended = self._open.pop(part)
        if part == self._prose:
            self.saying = None
        if ended.half:
            self._batch.append(PartDelta(part, "\ufffd"))
        if ended.arguments is not None and value is None:
            value = loose.arguments("".join(ended.arguments))
        for key, (join, items) in ended.lists.items():
            ended.side[key] = join(items)
        self._batch.append(PartFinished(part, loose.clean(value), loose.clean(ended.side) or None))

    def thing(self, kind: PartKind, value: object) -> None:
        """A part that comes whole: a source, an image, a file."""
        if not self.ended:
            self.close(self.start(kind), value)

    def usage(self, usage: Usage) -> None:
        """Classes that this one does not say keep what an earlier one said."""
        given = {name: count for name, count in msgspec.structs.asdict(usage).items() if count is not None}
        self._usage = msgspec.structs.replace(self._usage or Usage(), **given) if given else self._usage

    def objects(self, frame: bytes) -> list[Any]:
        """The JSON texts in a frame; none, and a stumble, where it is no JSON."""
        try:
            return loose.objects(frame)
        except ValueError:
            self.stumble(frame)
            return []

    def stumble(self, frame: bytes) -> None:
        """A frame that is not JSON. Three of them are passed over; a fourth means that this is no such stream."""
        self._stumbles += 1
        if self._stumbles > MAX_STUMBLES:
            seen = words.redacted(frame[:200].decode("utf-8", "replace"))
            self.fail(ProtocolError("The server sends frames that are not JSON.", upstream=seen))

    def finish(self, reason: Reason, raw: str | None) -> None:
        """The end in the upstream's own words. A reply that calls tools ended for that, whatever word was used for it."""
        if self.calls and reason == "stop":
            reason = "tool_calls"
        elif not self.calls and reason == "tool_calls":
            reason = "stop"
        self._end(Finished(reason, raw and loose.whole_characters(raw)))

    def fail(self, error: UpstreamError) -> None:
        error.phase = self.phase
        self._end(error.event())

    def _end(self, terminal: Event) -> None:
        if self.ended:
            return
        for part in list(self._open):
            self.close(part)
        if self._usage is not None:
            self._batch.append(self._usage)
        self._batch.append(terminal)
        self.ended = True


def _whole(part: _Open, text: str) -> str:
    """Servers that cut at UTF-16 units (JavaScript) send one half of an emoji at the end of a delta, the other in the next."""
    text = part.half + text
    part.half = text[-1] if "\ud800" <= text[-1] < "\udc00" else ""
    return loose.whole_characters(text[:-1] if part.half else text)
