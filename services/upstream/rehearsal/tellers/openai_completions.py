"""OpenAI's older Completions, as a correct server tells them: a prompt, and the text that goes on from there.

The dialect knows neither reasoning nor tools: thoughts are counted and not shown, calls are not made, and what ends with
calls ends with `stop` here.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.script import Delta, Fault, Say, joined
from services.upstream.rehearsal.tellers.openai_chat import Count, Stop, StreamOptions, error, headers, stops, usage, usage_wanted
from services.upstream.rehearsal.tellers.teller import CREATED, Asked, Object, Wanted, Wrong, decoded, digest
from services.wire.sse import frame


class CompletionRequest(msgspec.Struct):
    """The body of a request, as far as a rehearsal honours it; everything else is ignored. A prompt of token numbers has no text."""

    model: str
    prompt: str | list[Any] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    stop: Stop = None

    @property
    def text(self) -> str:
        match self.prompt:
            case str(text) | [str(text)]:
                return text
            case [str() | list(), _, *_]:
                raise Wrong(400, "One prompt at a time: a rehearsal gives one answer.")
        return ""


class CompletionTeller:
    def __init__(self, request: CompletionRequest, asked: Asked, limited: Limited) -> None:
        self._request = request
        self._asked = asked
        self._limited = limited

    def begin(self) -> bytes:
        return b""

    def tell(self, delta: Delta) -> bytes:
        return self._frame([_choice(delta.text)]) if isinstance(delta, Say) else b""

    def end(self) -> bytes:
        ending = [self._frame([_choice("", self._reason)])]
        if usage_wanted(self._request.stream_options):
            ending.append(self._frame([], self._usage()))
        return b"".join([*ending, frame(b"[DONE]")])

    def fail(self, fault: Fault) -> bytes:
        return frame(msgspec.json.encode({"error": error(fault)}))

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        return msgspec.json.encode(self._object([_choice(joined(deltas, Say), self._reason)]) | {"usage": self._usage()})

    @property
    def _reason(self) -> str:
        return "length" if self._limited.end == "length" else "stop"

    def _frame(self, choices: list[Object], counted: Object | None = None) -> bytes:
        said = {"usage": counted} if usage_wanted(self._request.stream_options) else {}
        return frame(msgspec.json.encode(self._object(choices) | said))

    def _object(self, choices: list[Object]) -> Object:
        id = f"cmpl-{self._asked.digest.hex()[:24]}"
        return {"id": id, "object": "text_completion", "created": CREATED, "choices": choices, "model": self._request.model}

    def _usage(self) -> Object:
        return usage(size(self._asked.question), self._limited)


def read(body: bytes) -> Wanted:
    request = decoded(body, CompletionRequest, "a completion request")
    seed = digest(request.model, request.prompt)
    asked = Asked(request.model, request.text, (), seed, request.max_tokens, stops(request.stop), bool(request.stream))
    return Wanted(asked, headers(asked), lambda limited, gap: CompletionTeller(request, asked, limited), "openai_completions")


def _choice(text: str, reason: str | None = None) -> Object:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}
