"""What can happen during one generation. Values only: no I/O, no asyncio, no dialect.

Every story told by an upstream, kept in the log and drawn on a screen has this shape:

    story     = Started progress* terminal
    progress  = Status | Retrying | Usage | part
    part      = PartStarted PartDelta* PartFinished       parts may interleave; each keeps its own number
    terminal  = Finished | Failed                         exactly one, the last entry, all parts closed before it

Rule 1: nothing but these values crosses between upstream, log, downstream and screen.
Rule 2: a reader of a dialect never makes Started, Status or Retrying: those belong to the generation, which knows
        about attempts and clocks. A reader makes parts, Usage, and one terminal event.
"""

from typing import Literal

import msgspec

PartKind = Literal["text", "reasoning", "tool_call", "refusal", "image", "file", "source", "opaque"]
Reason = Literal["stop", "length", "tool_calls", "content_filter", "stopped"]
State = Literal["connecting", "waiting", "thinking", "stopping"]
Phase = Literal["before", "waiting", "streaming"]


class Value(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type"):
    """Root of all events: immutable, comparable, encodable by msgspec with the class name as its `type`.

    Values cannot form cycles, so the garbage collector need not visit the millions of them that logs keep.
    """


class Started(Value, frozen=True, gc=False):
    """The generation exists. Written before the upstream has been asked for anything."""

    generation: str
    model: str  # the full name, `upstream/model`
    created: int  # Unix seconds, for display only
    conversation: str | None = None


class Status(Value, frozen=True, gc=False):
    """What is going on while there is nothing to read.

    `stopping` is the moment somebody asked for a stop; the terminal event that follows is the moment the upstream's
    socket was closed, so their distance in the log is the proof of a stop.
    """

    state: State


class Retrying(Value, frozen=True, gc=False):
    """Attempt number `attempt` (2 is the first repetition) of at most `tries` begins in `wait_ms`, because of `code`."""

    attempt: int
    wait_ms: int
    code: str
    tries: int | None = None


class PartStarted(Value, frozen=True, gc=False):
    """A part begins. `id` and `name` belong to tool calls; `form` tells kinds of reasoning apart."""

    part: int
    kind: PartKind
    id: str | None = None
    name: str | None = None
    form: Literal["plain", "summary", "encrypted"] | None = None


class PartDelta(Value, frozen=True, gc=False):
    """More text of a part: prose, reasoning, refusal, or a fragment of a tool call's JSON arguments. Never empty."""

    part: int
    text: str


class PartFinished(Value, frozen=True, gc=False):
    """A part is complete.

    `value` is what the part means as an object: the parsed arguments of a tool call (None when they are not JSON), the
    description of an image, file or source. `side` is what must be sent back verbatim in a later turn: signatures,
    encrypted blobs, annotations, logprobs.
    """

    part: int
    value: object = None
    side: dict[str, object] | None = None


class Usage(Value, frozen=True, gc=False):
    """Token counts as the upstream gave them; the last one wins, they are never summed.

    None means the upstream did not say. Providers disagree about what contains what (OpenAI's input includes cached
    tokens, Anthropic's does not), so each class is kept apart and `total_tokens` is the upstream's own figure.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    total_tokens: int | None = None


class Finished(Value, frozen=True, gc=False):
    """The upstream said in its own words that this is the end, or a person stopped it (`reason="stopped"`).

    `raw_reason` is the upstream's word. The times are filled in by the generation: milliseconds from Started to the
    first delta of any part (None when there was none) and to the end.
    """

    reason: Reason
    raw_reason: str | None = None
    ttft_ms: float | None = None
    ms: float | None = None


class Failed(Value, frozen=True, gc=False):
    """The end, and not a good one. What was received before it stays valid.

    `code` is a machine's word (see errors.py), `message` a sentence for people, `upstream` the upstream's own words,
    redacted and at most 2 kB. `phase` says how far it came: before a connection, waiting for the first content, or
    streaming it. `retryable` says whether the same request may succeed later; `retry_after` is in seconds.
    """

    code: str
    message: str
    retryable: bool = False
    phase: Phase = "before"
    status: int | None = None
    upstream: str | None = None
    retry_after: float | None = None
    ttft_ms: float | None = None
    ms: float | None = None


Terminal = Finished | Failed
Event = Started | Status | Retrying | PartStarted | PartDelta | PartFinished | Usage | Finished | Failed


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One line of a log: its number (from 1, without gaps), milliseconds since Started, and what happened."""

    seq: int
    at: float
    event: Event
