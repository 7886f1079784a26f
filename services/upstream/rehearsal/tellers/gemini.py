"""Google's Gemini, as a correct server tells it: frames of server-sent events with CRLF, or one JSON array, and no other end.

Every frame has the counts so far, in which thoughts are no candidates' tokens. A function call comes whole, without an id,
and ends with STOP; the signature of thoughts is on the first call, else on the last frame. With `alt=sse` an error before
the stream is an object, without it an array of one. Thoughts are shown unless `thinkingConfig` says not to.
"""

from base64 import b64encode
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.script import Arguments, Call, Called, Delta, Fault, Say, Think, parts
from services.upstream.rehearsal.tellers.openai_chat import Count
from services.upstream.rehearsal.tellers.teller import Asked, Object, Wanted, Wrong, decoded, digest, nothing_at
from services.wire.sse import one_line

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
METHODS = ("generateContent", "streamGenerateContent", "countTokens")
STOPS = 5  # Google's own limit


class FunctionResponse(msgspec.Struct):
    name: str
    response: dict[str, Any] = {}


class Piece(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    function_response: FunctionResponse | None = None


class Content(msgspec.Struct):
    parts: list[Piece] = []
    role: str | None = None

    @property
    def text(self) -> str:
        return "".join(piece.text or "" for piece in self.parts if not piece.thought)

    @property
    def results(self) -> tuple[str, ...]:
        return tuple(_result(piece.function_response.response) for piece in self.parts if piece.function_response)


class Thinking(msgspec.Struct, rename="camel"):
    include_thoughts: bool | None = None
    thinking_budget: int | None = None


class Config(msgspec.Struct, rename="camel"):
    max_output_tokens: Count | None = None
    stop_sequences: list[str] | None = None
    thinking_config: Thinking | None = None


class GenerateRequest(msgspec.Struct, rename="camel"):
    """The body of a request, as far as a rehearsal honours it; everything else is ignored."""

    contents: list[Content]
    system_instruction: Content | None = None
    generation_config: Config | None = None

    @property
    def tokens(self) -> int:
        said = [self.system_instruction, *self.contents] if self.system_instruction else self.contents
        return sum(size(text) for content in said for text in (content.text, *content.results))

    def asked(self, model: str, *, stream: bool) -> Asked:
        """A message that only brings results of functions asks nothing new."""
        asking = [
            at for at, said in enumerate(self.contents) if said.role in (None, "user") and (said.text or not said.results) and said.parts
        ]
        last = asking[-1] if asking else 0
        config = self.generation_config or Config()
        thinking = config.thinking_config or Thinking()
        return Asked(
            model,
            self.contents[last].text if asking else "",
            tuple(result for said in self.contents[last:] for result in said.results),
            digest(model, self.system_instruction, self.contents),
            config.max_output_tokens,
            tuple(stop for stop in config.stop_sequences or () if stop),
            stream,
            thinking.include_thoughts is not False and thinking.thinking_budget != 0,
        )


class GeminiTeller:
    def __init__(self, request: GenerateRequest, asked: Asked, limited: Limited, *, sse: bool) -> None:
        self._asked = asked
        self._tokens = limited.asked(request.tokens)
        self._limited = limited
        self._sse = sse
        self._signature: str | None = None  # owed since there were thoughts
        self._said = self._thought = self._frames = 0
        self._call: Call | None = None
        self._arguments: list[str] = []

    def begin(self) -> bytes:
        return b"" if self._sse else b"["

    def tell(self, delta: Delta) -> bytes:
        before = b"" if isinstance(delta, Arguments) else self._called()
        self._count(delta)
        match delta:
            case Say(text):
                return before + self._frame(self._reply([{"text": text}]))
            case Think(text):
                return before + self._frame(self._reply([{"text": text, "thought": True}]))
            case Call():
                self._call = delta
            case Arguments(text):
                self._arguments.append(text)
        return before

    def end(self) -> bytes:
        calls = b"" if self._limited.end == "length" else self._called()  # else the last one may be half
        last = self._reply([self._signed({"text": ""})], self._reason)
        return calls + self._frame(last) + (b"" if self._sse else b"]\n")

    def fail(self, fault: Fault) -> bytes:
        return self._frame({"error": _error(fault)}) + (b"" if self._sse else b"]\n")

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        for delta in deltas:
            self._count(delta)
        told = parts(deltas)
        if told and isinstance(told[-1], Called) and self._limited.end == "length":
            told.pop()
        content = [_part(part) for part in told]
        if self._signature and content:
            signed = next((part for part in content if "functionCall" in part), content[-1])
            signed |= {"thoughtSignature": self._signature}
        return msgspec.json.encode(self._reply(content, self._reason))

    @property
    def _reason(self) -> str:
        return "MAX_TOKENS" if self._limited.end == "length" else "STOP"

    def _count(self, delta: Delta) -> None:
        if isinstance(delta, Think):
            self._thought += 1
            self._signature = b64encode(self._asked.digest).decode()
        else:
            self._said += 1

    def _called(self) -> bytes:
        if self._call is None:
            return b""
        part = _part(Called(*self._call, "".join(self._arguments)))
        self._call = None
        self._arguments.clear()
        return self._frame(self._reply([self._signed(part)]))

    def _signed(self, part: Object) -> Object:
        signature, self._signature = self._signature, None
        return part | ({"thoughtSignature": signature} if signature else {})

    def _reply(self, content: list[Object], reason: str | None = None) -> Object:
        candidate: Object = {"content": {"parts": content, "role": "model"}, "index": 0}
        if reason:
            candidate["finishReason"] = reason
            self._thought, self._said = self._limited.thoughts, self._limited.tokens - self._limited.thoughts
        usage: Object = {
            "promptTokenCount": self._tokens,
            "totalTokenCount": self._tokens + self._said + self._thought,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": self._tokens}],
        }
        if self._said:
            usage["candidatesTokenCount"] = self._said
        if self._thought:
            usage["thoughtsTokenCount"] = self._thought
        id = self._asked.digest.hex()[:16]
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": self._asked.model, "responseId": id}

    def _frame(self, value: Object) -> bytes:
        if self._sse:
            return b"data: " + one_line(msgspec.json.encode(value)) + b"\r\n\r\n"
        self._frames += 1
        return (b",\n" if self._frames > 1 else b"") + msgspec.json.format(msgspec.json.encode(value)) + b"\n"


class Gemini:
    def read(self, method: str, path: str, query: str, body: bytes, names: Collection[str]) -> Wanted | Object:
        for version in ("/v1beta", "/v1"):
            if path.startswith(f"{version}/models"):
                return self._models(method, path.removeprefix(f"{version}/models"), query, body, names)
        raise nothing_at(method, path)

    def refusal(self, fault: Fault, path: str) -> tuple[int, dict[str, str], Object | list[Object]]:
        said = {"error": _error(fault)}
        place, _, query = path.partition("?")
        return fault.status, {}, [said] if place.endswith(":streamGenerateContent") and not _sse(query) else said

    def _models(self, method: str, place: str, query: str, body: bytes, names: Collection[str]) -> Wanted | Object:
        name, _, asked = place.removeprefix("/").rpartition(":") if method == "POST" else (place.removeprefix("/"), "", "")
        match method, asked:
            case "GET", "" if not name:
                return {"models": [_model(each) for each in names]}
            case "GET", "" if name in names:
                return _model(name)
            case "POST", "countTokens":
                counted = decoded(body, GenerateRequest, "a request to count tokens")
                return {"totalTokens": counted.tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": counted.tokens}]}
            case "POST", "generateContent" | "streamGenerateContent":
                request = decoded(body, GenerateRequest, "a request for content")
                return _wanted(request, request.asked(name, stream=asked != "generateContent"), sse=_sse(query))
        raise Wrong(404, f"models/{name[:200]} is not found, or is not supported for {asked[:80] or 'this'}. There are {', '.join(names)}.")


def _wanted(request: GenerateRequest, asked: Asked, *, sse: bool) -> Wanted:
    if not request.contents:
        raise Wrong(400, "* GenerateContentRequest.contents: contents is not specified")
    kind = "text/event-stream" if sse and asked.stream else "application/json; charset=UTF-8"
    return Wanted(asked, {"content-type": kind}, lambda limited, gap: GeminiTeller(request, asked, limited, sse=sse), "gemini")


def _sse(query: str) -> bool:
    return parse_qs(query).get("alt") == ["sse"]


def _part(part: Say | Think | Called) -> Object:
    match part:
        case Say(text):
            return {"text": text}
        case Think(text):
            return {"text": text, "thought": True}
        case Called(_, name, arguments):
            return {"functionCall": {"name": name, "args": msgspec.json.decode(arguments or "{}")}}


def _result(response: dict[str, Any]) -> str:
    """What Google's SDKs put under `result` or `output`, else all of it."""
    told = response.get("result", response.get("output", response))
    return told if isinstance(told, str) else msgspec.json.encode(told).decode()


def _error(fault: Fault) -> Object:
    status = STATUSES.get(fault.status, "INTERNAL" if fault.status >= 500 else "INVALID_ARGUMENT")
    return {"code": fault.status, "message": fault.message, "status": status}


def _model(name: str) -> Object:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.capitalize(),
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 200_000,
        "supportedGenerationMethods": list(METHODS),
    }
