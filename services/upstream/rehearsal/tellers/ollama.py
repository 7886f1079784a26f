"""Ollama's own dialect, as a correct server tells it: /api/chat and /api/generate in lines of JSON, the last with `done: true`.

A tool call comes whole and the reason stays `stop`; /api/generate has no tools, so there calls are not made. Names may end
with `:latest`. Times and durations follow from the pace, not from a clock, so that the same request gets the same bytes.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.script import Arguments, Call, Called, Delta, Fault, Say, Think, joined, parts
from services.upstream.rehearsal.tellers.teller import CREATED, Asked, Object, Wanted, Wrong, decoded, digest, not_allowed, nothing_at
from services.wire.sse import one_line

VERSION = "0.31.0"  # of Ollama, whose answers these are
LATEST = ":latest"
SECOND = 1_000_000_000  # Ollama counts nanoseconds
CONTEXT = 131_072


class Said(msgspec.Struct):
    role: str
    content: str | None = None


class Sampling(msgspec.Struct):
    num_predict: int | None = None  # -1: no limit
    stop: list[str] | None = None


class ChatRequest(msgspec.Struct):
    """The body of a request, as far as a rehearsal honours it; everything else is ignored."""

    model: str
    messages: list[Said] = []
    stream: bool | None = None
    options: Sampling | None = None
    think: Any = None

    @property
    def asked(self) -> Asked:
        users = [at for at, said in enumerate(self.messages) if said.role == "user"]
        question = (self.messages[users[-1]].content or "") if users else ""
        results = tuple(said.content or "" for said in self.messages[users[-1] + 1 if users else 0 :] if said.role == "tool")
        begun = self.messages[-1].content or "" if self.messages and self.messages[-1].role == "assistant" else ""
        return _asked(self, question, results, digest(self.model, self.messages[:-1] if begun else self.messages))._replace(begun=begun)

    @property
    def tokens(self) -> int:
        return sum(size(said.content or "") for said in self.messages)


class GenerateRequest(msgspec.Struct):
    """The same of /api/generate."""

    model: str
    prompt: str | None = None
    system: str | None = None
    stream: bool | None = None
    options: Sampling | None = None
    think: Any = None

    @property
    def asked(self) -> Asked:
        return _asked(self, self.prompt or "", (), digest(self.model, self.system, self.prompt))

    @property
    def tokens(self) -> int:
        return size(self.prompt or "") + size(self.system or "")


class ShowRequest(msgspec.Struct):
    model: str | None = None
    name: str | None = None  # as older clients say


class OllamaTeller:
    def __init__(self, request: ChatRequest | GenerateRequest, limited: Limited, gap: float) -> None:
        self._request = request
        self._chat = isinstance(request, ChatRequest)
        self._limited = limited
        self._gap = gap
        self._tokens = 0
        self._calls = 0
        self._call: Call | None = None
        self._arguments: list[str] = []

    def begin(self) -> bytes:
        return b""

    def tell(self, delta: Delta) -> bytes:
        before = b"" if isinstance(delta, Arguments) else self._called()
        self._tokens += 1
        match delta:
            case Say(text):
                return before + self._line({"content": text})
            case Think(text):
                return before + self._line({"content": "", "thinking": text})
            case Call():
                self._call = delta
            case Arguments(text):
                self._arguments.append(text)
        return before

    def end(self) -> bytes:
        calls = b"" if self._limited.end == "length" else self._called()  # else the last one may be half
        return calls + self._line({"content": ""}, **self._ending())

    def fail(self, fault: Fault) -> bytes:
        return _line({"error": fault.message})

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        said: Object = {"content": joined(deltas, Say)}
        if thoughts := joined(deltas, Think):
            said["thinking"] = thoughts
        told = parts(deltas)
        if told and isinstance(told[-1], Called) and self._limited.end == "length":
            told.pop()
        if calls := [self._function(part) for part in told if isinstance(part, Called)]:
            said["tool_calls"] = calls
        self._tokens = len(deltas)
        return msgspec.json.encode(self._object(said, **self._ending()))

    def _called(self) -> bytes:
        if self._call is None:
            return b""
        call = Called(*self._call, "".join(self._arguments))
        self._call = None
        self._arguments.clear()
        return self._line({"content": "", "tool_calls": [self._function(call)]}) if self._chat else b""

    def _function(self, call: Called) -> Object:
        self._calls += 1
        function = {"index": self._calls - 1, "name": call.name, "arguments": msgspec.json.decode(call.arguments or "{}")}
        return {"id": f"call_{call.id}", "function": function}

    def _line(self, said: Object, **more: object) -> bytes:
        return _line(self._object(said, **more))

    def _object(self, said: Object, **more: object) -> Object:
        head = {"model": self._request.model, "created_at": _moment(self._tokens * self._gap)}
        if self._chat:
            told: Object = {"message": {"role": "assistant", **said}}
        else:
            thinking = {"thinking": said["thinking"]} if "thinking" in said else {}
            told = {"response": said["content"], **thinking}
        return {**head, **told, "done": False, **more}

    def _ending(self) -> Object:
        """Counts, and durations in nanoseconds; what would be 0 is left out, as Ollama leaves it out."""
        asked, told = self._limited.asked(self._request.tokens), self._limited.tokens
        spent = round(told * self._gap * SECOND)
        counts = {
            "total_duration": spent,
            "prompt_eval_count": asked,
            "eval_count": told,
            "eval_duration": spent,
        }
        reason = "length" if self._limited.end == "length" else "stop"
        return {"done": True, "done_reason": reason, **{name: count for name, count in counts.items() if count}}


class Ollama:
    def read(self, method: str, path: str, query: str, body: bytes, names: Collection[str]) -> Wanted | Object:
        match method, path:
            case "POST", "/api/chat":
                return _wanted(decoded(body, ChatRequest, "a chat request"), names)
            case "POST", "/api/generate":
                return _wanted(decoded(body, GenerateRequest, "a request to generate"), names)
            case "POST", "/api/show":
                return _show(decoded(body, ShowRequest, "a request to show a model"), names)
            case "GET", "/api/tags":
                return {"models": [_model(name) for name in names]}
            case "GET", "/api/ps":
                return {"models": []}
            case "GET", "/api/version":
                return {"version": VERSION}
            case _, "/api/chat" | "/api/generate" | "/api/show" | "/api/tags" | "/api/ps" | "/api/version":
                raise not_allowed(method, path)
        raise nothing_at(method, path)

    def refusal(self, fault: Fault, path: str) -> tuple[int, dict[str, str], Object]:
        return fault.status, {}, {"error": fault.message}


def _wanted(request: ChatRequest | GenerateRequest, names: Collection[str]) -> Wanted | Object:
    asked = request.asked
    if asked.model in names and not (request.messages if isinstance(request, ChatRequest) else request.prompt):
        said = {"message": {"role": "assistant", "content": ""}} if isinstance(request, ChatRequest) else {"response": ""}
        return {"model": request.model, "created_at": _moment(0), **said, "done": True, "done_reason": "load"}
    kind = "application/x-ndjson" if asked.stream else "application/json; charset=utf-8"
    return Wanted(
        asked,
        {"content-type": kind},
        lambda limited, gap: OllamaTeller(request, limited, gap),
        "ollama" if isinstance(request, ChatRequest) else "ollama_generate",
    )


def _asked(request: ChatRequest | GenerateRequest, question: str, results: tuple[str, ...], seed: bytes) -> Asked:
    options = request.options or Sampling()
    most = options.num_predict if options.num_predict and options.num_predict > 0 else None
    stops = tuple(stop for stop in options.stop or () if stop)
    return Asked(_name(request.model), question, results, seed, most, stops, request.stream is not False, request.think is not False)


def _show(request: ShowRequest, names: Collection[str]) -> Object:
    name = _name(request.model or request.name or "")
    if name not in names:
        raise Wrong(404, f"model '{name[:200]}' not found")
    found = _model(name)
    info = {"general.architecture": "rehearsal", "rehearsal.context_length": CONTEXT}
    return {"template": "", "details": found["details"], "model_info": info, **{key: found[key] for key in ("capabilities", "modified_at")}}


def _model(name: str) -> Object:
    return {
        "name": name + LATEST,
        "model": name + LATEST,
        "modified_at": _moment(0),
        "size": 0,
        "digest": digest(name).hex(),
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "rehearsal",
            "families": ["rehearsal"],
            "parameter_size": "0",
            "quantization_level": "F16",
            "context_length": CONTEXT,
        },
        "capabilities": ["completion", "tools", "thinking"],
    }


def _name(model: str) -> str:
    return model.removesuffix(LATEST)


def _moment(seconds: float) -> str:
    """So many seconds after the moment that all of this is dated, with nanoseconds."""
    whole, rest = divmod(round(seconds * SECOND), SECOND)
    return f"{datetime.fromtimestamp(CREATED + whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _line(value: Object) -> bytes:
    return one_line(msgspec.json.encode(value)) + b"\n"
