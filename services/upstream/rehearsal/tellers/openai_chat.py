"""OpenAI's Chat Completions, as a correct server tells them. It may not know any model or route.

The order of a stream (OpenAI's API reference, "chat completion chunk object"): a frame with the role, one per token, one
with the finish reason, with include_usage one with `choices: []` and the usage, then [DONE]. Reasoning is in
`reasoning_content`, as DeepSeek, llama.cpp and vLLM have it: OpenAI itself shows none here.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.script import Arguments, Call, Called, Delta, Fault, Say, Think, joined, parts
from services.upstream.rehearsal.tellers.teller import CREATED, Asked, Object, Wanted, decoded, digest
from services.wire.sse import frame, one_line

STOPS = 4  # OpenAI's own limit

Count = Annotated[int, msgspec.Meta(ge=1)]
Stop = str | Annotated[list[str], msgspec.Meta(max_length=STOPS)] | None


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


class ChatRequest(msgspec.Struct):
    """The body of a request, as far as a rehearsal honours it; everything else is ignored."""

    model: str
    messages: Annotated[list[Said], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: Stop = None
    reasoning_effort: Any = None

    @property
    def asked(self) -> Asked:
        users = [at for at, said in enumerate(self.messages) if said.role == "user"]
        begun = self.messages[-1].text if self.messages[-1].role == "assistant" else ""
        return Asked(
            self.model,
            self.messages[users[-1]].text if users else "",
            tuple(said.text for said in self.messages[users[-1] + 1 if users else 0 :] if said.role == "tool"),
            digest(self.model, self.messages[:-1] if begun else self.messages),
            self.max_completion_tokens or self.max_tokens,
            stops(self.stop),
            bool(self.stream),
            self.reasoning_effort != "none",
            begun,
        )


class ChatTeller:
    def __init__(self, request: ChatRequest, asked: Asked, limited: Limited) -> None:
        self.id = f"chatcmpl-{asked.digest.hex()[:24]}"
        self._request = request
        self._limited = limited
        self._calls = 0
        # What all frames have in common is encoded once: a rehearsal also feeds load tests.
        head = msgspec.json.encode(self._object("chat.completion.chunk", [])).removesuffix(b"]}")
        self._head = b"data: " + one_line(head) + b'{"index":0,"delta":'
        self._tail = b"}]" + (b',"usage":null' if usage_wanted(request.stream_options) else b"") + b"}\n\n"

    def begin(self) -> bytes:
        return self._frame({"role": "assistant", "content": ""})

    def tell(self, delta: Delta) -> bytes:
        match delta:
            case Say(text):
                return self._frame({"content": text})
            case Think(text):
                return self._frame({"reasoning_content": text})
            case Call(id, name):
                self._calls += 1
                return self._frame({"tool_calls": [{"index": self._calls - 1, **_call(id, name, "")}]})
            case Arguments(text):
                return self._frame({"tool_calls": [{"index": self._calls - 1, "function": {"arguments": text}}]})

    def end(self) -> bytes:
        ending = [self._frame({}, str(self._limited.end))]
        if usage_wanted(self._request.stream_options):
            ending.append(frame(msgspec.json.encode(self._object("chat.completion.chunk", []) | {"usage": self._usage()})))
        return b"".join([*ending, frame(b"[DONE]")])

    def fail(self, fault: Fault) -> bytes:
        return frame(msgspec.json.encode({"error": error(fault)}))

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        text = joined(deltas, Say)
        calls = [_call(*part) for part in parts(deltas) if isinstance(part, Called)]
        message: Object = {"role": "assistant", "content": None if calls and not text else text, "refusal": None}
        if thoughts := joined(deltas, Think):
            message["reasoning_content"] = thoughts
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._limited.end}
        return msgspec.json.encode(self._object("chat.completion", [choice]) | {"usage": self._usage()})

    def _frame(self, delta: Object, reason: str | None = None) -> bytes:
        said = one_line(msgspec.json.encode(delta))
        return b'%b%b,"logprobs":null,"finish_reason":%b%b' % (self._head, said, msgspec.json.encode(reason), self._tail)

    def _object(self, kind: str, choices: list[Object]) -> Object:
        return {"id": self.id, "object": kind, "created": CREATED, "model": self._request.model, "choices": choices}

    def _usage(self) -> Object:
        return usage(sum(size(said.text) for said in self._request.messages), self._limited)


def read(body: bytes) -> Wanted:
    request = decoded(body, ChatRequest, "a chat completion request")
    asked = request.asked
    return Wanted(asked, headers(asked), lambda limited, gap: ChatTeller(request, asked, limited), "openai_chat")


def headers(asked: Asked) -> dict[str, str]:
    kind = "text/event-stream; charset=utf-8" if asked.stream else "application/json"
    return {"x-request-id": f"req_{asked.digest.hex()[:32]}", "content-type": kind}


def stops(stop: Stop) -> tuple[str, ...]:
    return tuple(each for each in ([stop] if isinstance(stop, str) else stop or []) if each)


def usage_wanted(options: StreamOptions | None) -> bool:
    return bool(options and options.include_usage)


def usage(counted: int, limited: Limited) -> Object:
    asked = limited.asked(counted)
    return {
        "prompt_tokens": asked,
        "completion_tokens": limited.tokens,
        "total_tokens": asked + limited.tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": limited.thoughts},
    }


def error(fault: Fault) -> Object:
    kind = "server_error" if fault.status >= 500 else "requests" if fault.status == 429 else "invalid_request_error"
    return {"message": fault.message, "type": kind, "param": None, "code": fault.code}


def _call(id: str, name: str, arguments: str) -> Object:
    return {"id": f"call_{id}", "type": "function", "function": {"name": name, "arguments": arguments}}
