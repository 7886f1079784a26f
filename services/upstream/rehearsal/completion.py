"""A script told in OpenAI's Chat Completions dialect, correctly, streamed or whole. It may not know any model or route.

The order of a stream (OpenAI's API reference, "chat completion chunk object"): a frame with the role, one per token, one
with the finish reason, with include_usage one with `choices: []` and the usage, then [DONE].
"""

from collections.abc import AsyncGenerator, Iterable
from hashlib import sha256
from itertools import islice
from typing import Annotated

import msgspec

from services.upstream.rehearsal.clock import Pace
from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.script import Delta
from services.wire.sse import frame

CREATED = 1_767_225_600  # 2026-01-01: fixed, because the same request gets the same bytes
STOPS = 4  # OpenAI's own limit

Count = Annotated[int, msgspec.Meta(ge=1)]


class Content(msgspec.Struct):
    type: str = "text"
    text: str | None = None


class Said(msgspec.Struct):
    role: str
    content: str | list[Content] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or ""


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class Asked(msgspec.Struct):
    """The body of a request, as far as a rehearsal honours it; everything else is ignored."""

    model: str
    messages: Annotated[list[Said], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: str | Annotated[list[str], msgspec.Meta(max_length=STOPS)] | None = None

    @property
    def digest(self) -> bytes:
        """The same for the same model and messages."""
        return sha256(msgspec.json.encode((self.model, self.messages))).digest()

    @property
    def question(self) -> str:
        """The last message of the user."""
        return next((said.text for said in reversed(self.messages) if said.role == "user"), "")

    @property
    def most(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def stops(self) -> tuple[str, ...]:
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(stop for stop in stops if stop)

    @property
    def usage_wanted(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


class Completion:
    """One answer. Use one of `stream` and `whole`, once."""

    def __init__(self, asked: Asked, limited: Limited, pace: Pace) -> None:
        self.id = f"chatcmpl-{asked.digest.hex()[:24]}"
        self._asked = asked
        self._limited = limited
        self._deltas = iter(limited)
        self._pace = pace

    async def stream(self) -> AsyncGenerator[bytes, None]:
        yield self._frame({"role": "assistant", "content": ""})
        while batch := await self._due():
            yield b"".join([self._frame(delta) for delta in batch])
        yield b"".join(self._ending())

    async def whole(self) -> AsyncGenerator[bytes, None]:
        """The same answer in one JSON text, after the same time."""
        deltas: list[Delta] = []
        while batch := await self._due():
            deltas += batch
        message: dict[str, object] = {"role": "assistant", "content": _joined(deltas, "content"), "refusal": None}
        if thoughts := _joined(deltas, "reasoning_content"):
            message["reasoning_content"] = thoughts
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._limited.reason}
        yield msgspec.json.encode(self._object("chat.completion", [choice]) | {"usage": self._usage()})

    async def _due(self) -> list[Delta]:
        """The deltas that are due next; none when the script has ended. Its end is due like one more token."""
        return list(islice(self._deltas, await self._pace.due()))

    def _ending(self) -> Iterable[bytes]:
        yield self._frame({}, self._limited.reason)
        if self._asked.usage_wanted:
            yield frame(msgspec.json.encode(self._object("chat.completion.chunk", []) | {"usage": self._usage()}))
        yield frame(b"[DONE]")

    def _frame(self, delta: Delta, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        chunk = self._object("chat.completion.chunk", [choice])
        if self._asked.usage_wanted:
            chunk["usage"] = None
        return frame(msgspec.json.encode(chunk))

    def _object(self, kind: str, choices: list[dict[str, object]]) -> dict[str, object]:
        return {"id": self.id, "object": kind, "created": CREATED, "model": self._asked.model, "choices": choices}

    def _usage(self) -> dict[str, object]:
        asked = sum(size(said.text) for said in self._asked.messages)
        told = self._limited.tokens
        return {
            "prompt_tokens": asked,
            "completion_tokens": told,
            "total_tokens": asked + told,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": self._limited.thoughts},
        }


def _joined(deltas: Iterable[Delta], name: str) -> str:
    return "".join(str(delta[name]) for delta in deltas if name in delta)
