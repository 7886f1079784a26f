"""What is said: a Turn goes up, a Reply comes back. Pure values; `fold` turns the story of a generation into a Reply.

Turn -> Message* -> Part*            what somebody asks
[Entry] --fold--> Reply -> Part*     what a model answered, as far as it has come
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from services.events import (
    Entry,
    Failed,
    Finished,
    PartDelta,
    PartFinished,
    PartStarted,
    Reason,
    Retrying,
    Started,
    Status,
    Usage,
)
from services.persons import LOCAL

Role = Literal["system", "user", "assistant", "tool"]


class Text(msgspec.Struct, frozen=True, omit_defaults=True, tag="text"):
    text: str
    side: dict[str, object] | None = None


class Reasoning(msgspec.Struct, frozen=True, omit_defaults=True, tag="reasoning"):
    """`ms` is how long it took, where anybody saw it grow."""

    text: str
    form: Literal["plain", "summary", "encrypted"] = "plain"
    side: dict[str, object] | None = None
    ms: float | None = None


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_call"):
    """`arguments` is the JSON text as it came; `input` the object it means, None when it is not JSON."""

    id: str
    name: str
    arguments: str
    input: object = None
    side: dict[str, object] | None = None


class ToolResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_result"):
    id: str
    text: str
    name: str | None = None
    failed: bool = False


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True, tag="refusal"):
    text: str


class Image(msgspec.Struct, frozen=True, omit_defaults=True, tag="image"):
    """`url` is a data: URL, or an http(s) URL that only the upstream may fetch."""

    url: str
    detail: str | None = None


class File(msgspec.Struct, frozen=True, omit_defaults=True, tag="file"):
    """A file that a person attached, which is kept elsewhere, under the SHA-256 of its bytes.

    A conversation has it, a model never: what is asked has an Image or a Text in its place. `media` and all numbers were read from
    the bytes: image/png, image/jpeg, image/webp, image/gif, application/pdf, text/plain. `size` in bytes, `characters` of its text.
    """

    hash: str
    name: str
    media: str
    size: int
    width: int = 0
    height: int = 0
    pages: int = 0
    characters: int = 0
    note: str = ""  # latin-1: it was not UTF-8, and read as that

    @property
    def is_image(self) -> bool:
        return self.media.startswith("image/")


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True, tag="attachment"):
    """An image, file, source or opaque part of a reply, as its reader described it."""

    kind: Literal["image", "file", "source", "opaque"]
    value: object = None
    side: dict[str, object] | None = None


Part = Text | Reasoning | ToolCall | ToolResult | Refusal | Image | File | Attachment


class Message(msgspec.Struct, frozen=True):
    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text | Refusal))


class Tool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A function the model may call; `parameters` is a JSON Schema."""

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None


class JSONFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer shall be JSON, of this JSON Schema if there is one."""

    schema: dict[str, object] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class Vendor(msgspec.Struct, frozen=True):
    """Fields of one dialect that mean nothing in any other: sent as they are to its servers, refused by name for all others.

    `hints` are sent likewise, and other servers lose nothing without them: how a model is held in memory.
    """

    dialect: str
    fields: dict[str, object]
    hints: dict[str, object] = {}


class Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """Sampling and the like. None means: leave it to the upstream's default."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repeat_penalty: float | None = None
    reasoning_effort: str | None = None  # none, minimal, low, medium, high, xhigh, max, or a server's own word
    reasoning_budget: int | None = None  # tokens the model may think; 0: not at all
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None  # auto, none, required, or `function:<name>`
    parallel_tool_calls: bool | None = None
    format: JSONFormat | None = None
    vendor: Vendor | None = None


class Key(msgspec.Struct, frozen=True):
    """An Idempotency-Key and the request it came with, as digests."""

    key: str
    asked: str


class Turn(msgspec.Struct, frozen=True):
    """One request to a model. `model` is the name as the client wrote it until the door resolves it."""

    model: str
    messages: tuple[Message, ...]
    options: Options = Options()
    conversation: str | None = None
    on_disconnect: Literal["stop", "keep"] = "keep"
    client: str = "page"  # who asks, for the list of running generations: page, chat, openai_chat, ...
    tries: int = 3  # at most so many requests to the upstream, before its first word; 1 where the client itself asks again
    within: float | None = None  # seconds from the start, after which the client no longer wants the answer
    thread: str | None = None  # the client's own name of the conversation, by which it may ask for its running reply
    key: Key | None = None  # by which the same request, sent again, is known
    repeated: dict[str, object] | None = None  # of the request, where a dialect's answers have to repeat it
    owner: str = LOCAL  # the person who asks
    by: str = ""  # the id of the API key it came with, if with any
    fault: str = ""  # that breaks the answer of the built-in model, on purpose


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a reply failed, as its Failed event said it."""

    code: str
    message: str
    retryable: bool = False
    status: int | None = None
    upstream: str | None = None
    retry_after: float | None = None


class Stop(msgspec.Struct, frozen=True):
    """The proof of a stop: `ms` from the wish to the moment when the upstream's socket was closed, `events` that came in between."""

    ms: float
    events: int


ReplyState = Literal["waiting", "streaming", "finished", "stopped", "failed", "interrupted"]


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A generation as far as its log has come. `seq` is the last entry it includes: follow(after=seq) continues it."""

    generation: str
    model: str
    created: int
    state: ReplyState
    seq: int
    parts: tuple[Part, ...] = ()
    usage: Usage | None = None
    reason: Reason | None = None
    raw_reason: str | None = None
    problem: Problem | None = None
    ttft_ms: float | None = None
    ms: float | None = None
    stop: Stop | None = None

    @property
    def message(self) -> Message:
        return Message("assistant", self.parts)


class _Draft:
    """A part while it grows: fragments are joined once, at the end."""

    __slots__ = ("began", "ended", "finished", "start", "texts")

    def __init__(self, start: PartStarted, began: float) -> None:
        self.start = start
        self.began = began
        self.ended: float | None = None
        self.texts: list[str] = []
        self.finished: PartFinished | None = None

    def part(self) -> Part | None:
        text = "".join(self.texts)
        value = self.finished.value if self.finished else None
        side = self.finished.side if self.finished else None
        match self.start.kind:
            case "text":
                return Text(text, side) if text else None
            case "reasoning":
                ms = round(self.ended - self.began, 1) or None if self.ended is not None else None  # 0: it came as one piece
                return Reasoning(text, self.start.form or "plain", side, ms) if text or side else None
            case "refusal":
                return Refusal(text) if text else None
            case "tool_call":
                return ToolCall(self.start.id or "", self.start.name or "", text, value, side)
            case kind:
                return Attachment(kind, value, side)


def fold(entries: Iterable[Entry]) -> Reply:
    """The reply that a prefix of a log tells. The first entry must be Started.

    Raises ValueError when the entries do not start a story: a caller mixed up a log and a tail of one.
    """
    first: Started | None = None
    drafts: dict[int, _Draft] = {}
    usage: Usage | None = None
    end: Finished | Failed | None = None
    seq = 0
    stopping: Entry | None = None
    stop: Stop | None = None
    for entry in entries:
        seq = entry.seq
        match entry.event:
            case PartDelta(number, text):
                drafts[number].texts.append(text)
            case PartStarted(number):
                drafts[number] = _Draft(entry.event, entry.at)
            case PartFinished(number):
                drafts[number].finished, drafts[number].ended = entry.event, entry.at
            case Usage():
                usage = entry.event
            case Started():
                first = entry.event
            case Finished() | Failed():
                end = entry.event
                stop = stop_proof(stopping, entry)
            case Status("stopping"):
                stopping = stopping or entry
            case Status() | Retrying():
                pass
    if first is None:
        raise ValueError("a story begins with Started; these entries do not")
    parts = tuple(part for draft in drafts.values() if (part := draft.part()) is not None)
    return Reply(
        generation=first.generation,
        model=first.model,
        created=first.created,
        state=state(bool(drafts), end),
        seq=seq,
        parts=parts,
        usage=usage,
        reason=end.reason if isinstance(end, Finished) else None,
        raw_reason=end.raw_reason if isinstance(end, Finished) else None,
        problem=problem(end) if isinstance(end, Failed) else None,
        ttft_ms=end.ttft_ms if end else None,
        ms=end.ms if end else None,
        stop=stop,
    )


def stop_proof(asked: Entry | None, end: Entry) -> Stop | None:
    """How a stop went, from the entry that says it was asked for to the terminal one. None: nobody asked, or it came too late."""
    if asked is None or not (isinstance(end.event, Finished) and end.event.reason == "stopped"):
        return None
    return Stop(round(end.at - asked.at, 1), end.seq - asked.seq - 1)


def problem(end: Failed) -> Problem:
    return Problem(end.code, end.message, end.retryable, end.status, end.upstream, end.retry_after)


def state(content: bool, end: Finished | Failed | None) -> ReplyState:
    """The state of a reply whose content has begun or not, and whose log has ended like this or not at all."""
    match end:
        case None:
            return "streaming" if content else "waiting"
        case Finished(reason):
            return "stopped" if reason == "stopped" else "finished"
        case Failed(code):
            return "interrupted" if code == "interrupted" else "failed"
