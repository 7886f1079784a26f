"""Anthropic's Messages, as a correct server tells them, with its models and its count of tokens.

The order of a stream (Anthropic's documentation, "Streaming Messages"): message_start; for each block content_block_start,
deltas, content_block_stop, with a ping after the first start and a signature at the end of thinking; message_delta with
the reason and the counts so far; message_stop. Thoughts are shown unless `thinking` is disabled.
"""

from base64 import b64encode
from collections.abc import Collection, Sequence
from typing import Annotated, Any

import msgspec

from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.script import Arguments, Call, Called, Delta, Fault, Say, Think, parts
from services.upstream.rehearsal.tellers.teller import Asked, Object, Wanted, Wrong, decoded, digest, not_allowed, nothing_at
from services.wire.content import text_of
from services.wire.sse import frame

BORN = "2026-01-01T00:00:00Z"
REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}
STATUSES = {503: 529}  # Anthropic's own for overloaded

Count = Annotated[int, msgspec.Meta(ge=1)]


class Block(msgspec.Struct):
    type: str
    text: str | None = None
    content: Any = None  # of a tool's result: text or blocks


class Said(msgspec.Struct):
    role: str
    content: str | list[Block]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(block.text or "" for block in self.content if block.type == "text")

    @property
    def results(self) -> tuple[str, ...]:
        blocks = self.content if isinstance(self.content, list) else []
        return tuple(text_of(block.content) for block in blocks if block.type == "tool_result")


class Counted(msgspec.Struct):
    """What a count of tokens needs."""

    model: str
    messages: Annotated[list[Said], msgspec.Meta(min_length=1)]
    system: str | list[Block] | None = None

    @property
    def tokens(self) -> int:
        texts = [text_of(msgspec.to_builtins(self.system)), *(text for said in self.messages for text in (said.text, *said.results))]
        return sum(map(size, texts))


class MessagesRequest(Counted, kw_only=True):
    """The body of a request, as far as a rehearsal honours it; everything else is ignored."""

    max_tokens: Count
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    thinking: Any = None

    @property
    def asked(self) -> Asked:
        """A message that only brings results of tools asks nothing new."""
        asking = [at for at, said in enumerate(self.messages) if said.role == "user" and (said.text or not said.results)]
        last = asking[-1] if asking else 0
        return Asked(
            self.model,
            self.messages[last].text if asking else "",
            tuple(result for said in self.messages[last:] for result in said.results),
            digest(self.model, self.system, self.messages),
            self.max_tokens,
            tuple(stop for stop in self.stop_sequences or () if stop),
            bool(self.stream),
            not (isinstance(self.thinking, dict) and self.thinking.get("type") == "disabled"),
        )


class MessagesTeller:
    def __init__(self, request: MessagesRequest, asked: Asked, limited: Limited) -> None:
        self._request = request
        self._id = asked.digest.hex()
        self._limited = limited
        self._signature = b64encode(asked.digest).decode()
        self._blocks = 0
        self._kind: type[Delta] | None = None  # of the block that is open

    def begin(self) -> bytes:
        usage = {**self._input(), "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}}
        usage |= {"output_tokens": 1, "service_tier": "standard"}
        return _event("message_start", message=self._message([], None, usage))

    def tell(self, delta: Delta) -> bytes:
        match delta:
            case Say(text):
                return self._opened(Say, {"type": "text", "text": ""}) + self._delta({"type": "text_delta", "text": text})
            case Think(text):
                start = {"type": "thinking", "thinking": "", "signature": ""}
                return self._opened(Think, start) + self._delta({"type": "thinking_delta", "thinking": text})
            case Call(id, name):
                block = {"type": "tool_use", "id": f"toolu_{id}", "name": name, "input": {}}
                return self._closed() + self._opened(Call, block) + self._delta({"type": "input_json_delta", "partial_json": ""})
            case Arguments(text):
                return self._delta({"type": "input_json_delta", "partial_json": text})

    def end(self) -> bytes:
        reason, stop = self._reason()
        usage = {**self._input(), "output_tokens": self._limited.tokens}
        last = _event("message_delta", delta={"stop_reason": reason, "stop_sequence": stop}, usage=usage)
        return self._closed() + last + _event("message_stop")

    def fail(self, fault: Fault) -> bytes:
        return frame(msgspec.json.encode(_error(fault, self._id)), event="error")

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        usage = {**self._input(), "output_tokens": self._limited.tokens, "service_tier": "standard"}
        return msgspec.json.encode(self._message([self._block(part) for part in parts(deltas)], self._reason(), usage))

    def _block(self, part: Say | Think | Called) -> Object:
        match part:
            case Say(text):
                return {"type": "text", "text": text}
            case Think(text):
                return {"type": "thinking", "thinking": text, "signature": self._signature}
            case Called(id, name, arguments):
                return {"type": "tool_use", "id": f"toolu_{id}", "name": name, "input": _object(arguments)}

    def _message(self, content: list[Object], ended: tuple[str, str | None] | None, usage: Object) -> Object:
        reason, stop = ended or (None, None)
        head = {"model": self._request.model, "id": f"msg_{self._id[:24]}", "type": "message", "role": "assistant"}
        return {**head, "content": content, "stop_reason": reason, "stop_sequence": stop, "usage": usage}

    def _reason(self) -> tuple[str, str | None]:
        if self._limited.stop is not None:
            return "stop_sequence", self._limited.stop
        return REASONS[str(self._limited.end)], None

    def _input(self) -> Object:
        return {"input_tokens": self._limited.asked(self._request.tokens), "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}

    def _opened(self, kind: type[Delta], block: Object) -> bytes:
        """The start of a block, unless one of its kind is open."""
        if self._kind is kind:
            return b""
        closed = self._closed()
        self._kind = kind
        ping = b"" if self._blocks else _event("ping")
        return closed + _event("content_block_start", index=self._blocks, content_block=block) + ping

    def _closed(self) -> bytes:
        if self._kind is None:
            return b""
        signed = self._delta({"type": "signature_delta", "signature": self._signature}) if self._kind is Think else b""
        stop = _event("content_block_stop", index=self._blocks)
        self._kind = None
        self._blocks += 1
        return signed + stop

    def _delta(self, delta: Object) -> bytes:
        return _event("content_block_delta", index=self._blocks, delta=delta)


class Anthropic:
    def read(self, method: str, path: str, query: str, body: bytes, names: Collection[str]) -> Wanted | Object:
        match method, path:
            case "POST", "/v1/messages":
                return _wanted(decoded(body, MessagesRequest, "a request for a message"))
            case "POST", "/v1/messages/count_tokens":
                return {"input_tokens": decoded(body, Counted, "a request to count tokens").tokens}
            case "GET", "/v1/models":
                listed = [_model(name) for name in names]
                return {"data": listed, "has_more": False, "first_id": listed[0]["id"], "last_id": listed[-1]["id"]}
            case "GET", _ if (name := path.removeprefix("/v1/models/")) in names:
                return _model(name)
            case "GET", _ if path.startswith("/v1/models/"):
                raise Wrong(404, f"model: {path.removeprefix('/v1/models/')[:200]}")
            case _, "/v1/messages" | "/v1/messages/count_tokens" | "/v1/models":
                raise not_allowed(method, path)
        raise nothing_at(method, path)

    def refusal(self, fault: Fault, path: str) -> tuple[int, dict[str, str], Object]:
        id = digest(fault).hex()
        return STATUSES.get(fault.status, fault.status), {"request-id": _request_id(id)}, _error(fault, id)


def _wanted(request: MessagesRequest) -> Wanted:
    asked = request.asked
    kind = "text/event-stream; charset=utf-8" if asked.stream else "application/json"
    headers = {"request-id": _request_id(asked.digest.hex()), "content-type": kind}
    return Wanted(asked, headers, lambda limited, gap: MessagesTeller(request, asked, limited), "anthropic")


def _event(type: str, **fields: object) -> bytes:
    return frame(msgspec.json.encode({"type": type, **fields}), event=type)


def _error(fault: Fault, id: str) -> Object:
    kind = TYPES.get(fault.status, "api_error" if fault.status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"details": None, "type": kind, "message": fault.message}, "request_id": _request_id(id)}


def _request_id(id: str) -> str:
    return f"req_{id[:24]}"


def _model(name: str) -> Object:
    return {"type": "model", "id": name, "display_name": name.capitalize(), "created_at": BORN}


def _object(arguments: str) -> object:
    """What fragments came to; nothing when max_tokens cut them off."""
    try:
        return msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return {}
