"""OpenAI's Responses, as a correct server tells them: every lifecycle event, numbered from 0, no [DONE].

An item is added, filled and done before the next one begins; the last event holds the whole response. An error in the
middle is an `error` event and then `response.failed`, as the live API has been seen to do. Reasoning is told as a summary,
asked for or not; `encrypted_content` comes when `include` asks. Nothing is stored, so a `previous_response_id` is unknown.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.script import Arguments, Call, Called, Delta, Fault, Say, Think, parts
from services.upstream.rehearsal.tellers.openai_chat import Count, headers
from services.upstream.rehearsal.tellers.teller import CREATED, Asked, Object, Wanted, Wrong, decoded, digest
from services.wire.content import text_of
from services.wire.sse import frame

ENCRYPTED = "reasoning.encrypted_content"


class ResponseRequest(msgspec.Struct):
    """The body of a request: what a rehearsal honours, and what a response repeats; everything else is ignored."""

    model: str
    input: str | list[Any] | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Count | None = None
    include: list[str] | None = None
    reasoning: Any = None
    previous_response_id: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    text: Any = None
    metadata: dict[str, Any] | None = None
    user: str | None = None

    @property
    def items(self) -> list[Any]:
        return [{"role": "user", "content": self.input}] if isinstance(self.input, str) else self.input or []

    @property
    def asked(self) -> Asked:
        users = [at for at, item in enumerate(self.items) if isinstance(item, dict) and item.get("role") == "user"]
        since = self.items[users[-1] + 1 if users else 0 :]
        return Asked(
            self.model,
            text_of(self.items[users[-1]]["content"] if users and "content" in self.items[users[-1]] else ""),
            tuple(text_of(item.get("output")) for item in since if isinstance(item, dict) and item.get("type") == "function_call_output"),
            digest(self.model, self.instructions, self.input),
            self.max_output_tokens,
            (),
            bool(self.stream),
            not (isinstance(self.reasoning, dict) and self.reasoning.get("effort") == "none"),
        )

    @property
    def tokens(self) -> int:
        found = [item for item in self.items if isinstance(item, dict)]
        said = [text_of(item.get("content")) + text_of(item.get("output")) for item in found]
        return size(self.instructions or "") + sum(map(size, said))


class ResponseTeller:
    def __init__(self, request: ResponseRequest, asked: Asked, limited: Limited) -> None:
        self._request = request
        self._id = asked.digest.hex()
        self._blob = b64encode(asked.digest).decode() if ENCRYPTED in (request.include or ()) else None
        self._limited = limited
        self._number = 0
        self._done: list[Object] = []  # the items
        self._open: Say | Think | Called | None = None  # what the item that is open has got so far
        self._texts: list[str] = []

    def begin(self) -> bytes:
        return self._event("response.created", response=self._response("in_progress")) + self._event(
            "response.in_progress", response=self._response("in_progress")
        )

    def tell(self, delta: Delta) -> bytes:
        match delta:
            case Say(text):
                told = self._opened(Say("")) + self._at("response.output_text.delta", content_index=0, delta=text, logprobs=[])
            case Think(text):
                told = self._opened(Think("")) + self._at("response.reasoning_summary_text.delta", summary_index=0, delta=text)
            case Call(id, name):
                text, told = "", self._closed("completed") + self._opened(Called(id, name, ""))
            case Arguments(text):
                told = self._at("response.function_call_arguments.delta", delta=text)
        self._texts.append(text)
        return told

    def end(self) -> bytes:
        status = "incomplete" if self._limited.end == "length" else "completed"
        return self._closed(status) + self._event(f"response.{status}", response=self._ended(status, self._done))

    def fail(self, fault: Fault) -> bytes:
        said = {"code": fault.code or "server_error", "message": fault.message}
        response = self._response("failed", error=said)
        return self._event("error", error={"type": "server_error", **said, "param": None}) + self._event(
            "response.failed", response=response
        )

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        status = "incomplete" if self._limited.end == "length" else "completed"
        told = parts(deltas)
        items = [self._item(part, at, status if at == len(told) - 1 else "completed") for at, part in enumerate(told)]
        return msgspec.json.encode(self._ended(status, items))

    # Items

    def _opened(self, part: Say | Think | Called) -> bytes:
        """The start of an item, unless one of its kind is open."""
        if type(part) is type(self._open):
            return b""
        closed = self._closed("completed")
        self._open = part
        started = self._event("response.output_item.added", output_index=len(self._done), item=self._item(part, len(self._done), None))
        match part:
            case Say():
                started += self._at("response.content_part.added", content_index=0, part=_output_text(""))
            case Think():
                started += self._at("response.reasoning_summary_part.added", summary_index=0, part=_summary(""))
        return closed + started

    def _closed(self, status: str) -> bytes:
        if self._open is None:
            return b""
        text = "".join(self._texts)
        match self._open:
            case Say():
                part: Say | Think | Called = Say(text)
                told = self._at("response.output_text.done", content_index=0, text=text, logprobs=[])
                told += self._at("response.content_part.done", content_index=0, part=_output_text(text))
            case Think():
                part = Think(text)
                told = self._at("response.reasoning_summary_text.done", summary_index=0, text=text)
                told += self._at("response.reasoning_summary_part.done", summary_index=0, part=_summary(text))
            case Called(id, name):
                part = Called(id, name, text)
                told = self._at("response.function_call_arguments.done", arguments=text)
        item = self._item(part, len(self._done), status)
        told += self._event("response.output_item.done", output_index=len(self._done), item=item)
        self._done.append(item)
        self._open = None
        self._texts.clear()
        return told

    def _item(self, part: Say | Think | Called, place: int, status: str | None) -> Object:
        """An item that is complete, or begins when there is no status."""
        id = _item_id(part, self._id, place)
        match part:
            case Say(text):
                content = [_output_text(text)] if status else []
                return {"id": id, "type": "message", "status": status or "in_progress", "content": content, "role": "assistant"}
            case Think(text):
                secret = {"encrypted_content": self._blob} if self._blob and status else {}
                return {"id": id, "type": "reasoning", "summary": [_summary(text)] if status else [], **secret}
            case Called(call, name, arguments):
                head = {"id": id, "type": "function_call", "status": status or "in_progress"}
                return {**head, "arguments": arguments, "call_id": f"call_{call}", "name": name}

    # Events

    def _event(self, type: str, **fields: object) -> bytes:
        numbered = {"type": type, "sequence_number": self._number, **fields}
        self._number += 1
        return frame(msgspec.json.encode(numbered), event=type)

    def _at(self, type: str, **fields: object) -> bytes:
        """An event about the item that is open."""
        assert self._open is not None
        place = len(self._done)
        return self._event(type, item_id=_item_id(self._open, self._id, place), output_index=place, **fields)

    # The response

    def _ended(self, status: str, output: list[Object]) -> Object:
        asked, told = self._limited.asked(self._request.tokens), self._limited
        usage = {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": told.tokens,
            "output_tokens_details": {"reasoning_tokens": told.thoughts},
            "total_tokens": asked + told.tokens,
        }
        return self._response(status, output, usage=usage)

    def _response(self, status: str, output: Sequence[Object] = (), *, usage: Object | None = None, error: Object | None = None) -> Object:
        given = self._request
        reasoning = given.reasoning if isinstance(given.reasoning, dict) else {}
        return {
            "id": f"resp_{self._id[:32]}",
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "background": False,
            "completed_at": CREATED if status == "completed" else None,
            "error": error,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": given.instructions,
            "max_output_tokens": given.max_output_tokens,
            "max_tool_calls": None,
            "model": given.model,
            "output": list(output),
            "parallel_tool_calls": given.parallel_tool_calls is not False,
            "previous_response_id": None,
            "prompt_cache_key": None,
            "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
            "safety_identifier": None,
            "service_tier": "default",
            "store": False,
            "temperature": 1.0 if given.temperature is None else given.temperature,
            "text": given.text or {"format": {"type": "text"}, "verbosity": "medium"},
            "tool_choice": given.tool_choice or "auto",
            "tools": given.tools or [],
            "top_logprobs": 0,
            "top_p": 1.0 if given.top_p is None else given.top_p,
            "truncation": "disabled",
            "usage": usage,
            "user": given.user,
            "metadata": given.metadata or {},
        }


def read(body: bytes) -> Wanted:
    request = decoded(body, ResponseRequest, "a request for a response")
    if request.previous_response_id:
        id = request.previous_response_id[:200]
        raise Wrong(400, f"Previous response with id '{id}' not found: a rehearsal stores none.", "previous_response_not_found")
    if not request.input:
        raise Wrong(400, "Missing required parameter: 'input'.", "missing_required_parameter")
    asked = request.asked
    return Wanted(asked, headers(asked), lambda limited, gap: ResponseTeller(request, asked, limited), "openai_responses")


def _item_id(part: Say | Think | Called, seed: str, place: int) -> str:
    prefix = "msg" if isinstance(part, Say) else "rs" if isinstance(part, Think) else "fc"
    return f"{prefix}_{seed[:24]}{place:02d}"


def _output_text(text: str) -> Object:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _summary(text: str) -> Object:
    return {"type": "summary_text", "text": text}
