"""Ollama's /api/chat: one JSON object a line, the last one with `done: true`. Sans-IO: bytes in, events out.

The same objects re-framed as server-sent events are read too; there `[DONE]` is an end as well. So are the lines of
/api/generate, whose text is not in a message: ollama_generate.py is this reader with another request.
https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion
"""

from typing import Any, ClassVar

import msgspec

from services.errors import ProtocolError
from services.events import Event, Reason, Usage
from services.messages import Turn
from services.models import Model
from services.upstream import loose, ollama_turns, refusals, words
from services.upstream.calls import argument_text
from services.upstream.opening import Kind, Opening
from services.upstream.reader import Request
from services.upstream.story import Story
from services.upstream.think import Piece, Think
from services.wire.ndjson import NDJSONDecoder
from services.wire.sse import MAX_EVENT, Frame, SSEDecoder


class Said(msgspec.Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Any] | None = None


class Line(msgspec.Struct, gc=False):
    message: Said | None = None
    response: str | None = None  # of /api/generate, as is `thinking`
    thinking: str | None = None
    done: bool | None = None
    done_reason: str | None = None
    error: Any = None
    prompt_eval_count: int | None = None  # left out when the prompt was cached
    eval_count: int | None = None


_decode = msgspec.json.Decoder(Line).decode

# load and unload answer an empty question: the model was put into memory, or taken out. They are good ends.
REASONS: dict[str, Reason] = {"length": "length"}


class OllamaReader:
    models_path: ClassVar[str] = "/api/tags"

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.done = False
        self._story = Story()
        self._think = Think()
        self._opening = Opening()
        self._kind: Kind | None = None
        self._lines = NDJSONDecoder(limit)
        self._sse = SSEDecoder(max_line=limit, max_event=limit)
        self._page = b""
        self._heard = False
        self._foreign = b""  # JSON, but no line of a chat

    @staticmethod
    def headers(api_key: str | None) -> dict[str, str]:
        return {"authorization": f"Bearer {api_key}"} if api_key else {}

    @staticmethod
    def models(body: bytes) -> list[Model]:
        return _models(body)

    @staticmethod
    def ask(model: str) -> Request:
        """https://github.com/ollama/ollama/blob/main/docs/api.md#show-model-information"""
        return Request("/api/show", msgspec.json.encode({"model": model}))

    @staticmethod
    def tell(known: Model, body: bytes) -> Model:
        return _told(known, body)

    def request(self, turn: Turn) -> Request:
        self._story.seed(len(turn.messages))
        return Request("/api/chat", ollama_turns.body(turn))

    def feed(self, data: bytes) -> list[Event]:
        if self.done:
            return []
        if self._kind is None:
            self._kind, data = self._opening.feed(data)
        match self._kind:
            case "json":
                self._read(self._lines.feed(data))
            case "stream":
                self._read_frames(self._sse.feed(data))
            case "page":
                self._page += data
                if len(self._page) >= refusals.PAGE:
                    self._story.fail(refusals.web_page(self._page))
        return self._take()

    def finish(self) -> list[Event]:
        if self.done:
            return []
        match self._kind:
            case "json":
                self._read(self._lines.finish())
            case "stream":
                self._read_frames(self._sse.finish())
            case "page":
                self._story.fail(refusals.web_page(self._page))
        self._end_early(said_done=False)
        return self._take()

    def _take(self) -> list[Event]:
        self.done = self._story.ended
        return self._story.take()

    def _read_frames(self, frames: list[Frame]) -> None:
        for event, data, _ in frames:
            if event == "error":
                self._story.fail(refusals.reported(words.of_body(data)))
            else:
                self._read([data])

    def _read(self, lines: list[bytes]) -> None:
        for data in lines:
            if self._story.ended:
                return
            try:
                line = _decode(data)
            except loose.UNREADABLE:
                self._read_odd(data)
                continue
            if line.error or (_said(line) is None and not line.done):
                self._read_odd(data)
            else:
                self._apply(line)

    def _read_odd(self, data: bytes) -> None:
        """What is no line at first sight: `[DONE]`, an error, several objects, one in another shape, or nothing of use."""
        data = data.strip()
        if data == b"[DONE]":
            self._end_early(said_done=True)
        elif data:
            for value in self._story.objects(data):
                self._foreign = data
                self._read_object(value)

    def _read_object(self, value: object) -> None:
        if said := words.of_object(value):
            self._story.fail(refusals.reported(said))
            return
        line = loose.shaped(value, Line)
        if isinstance(value, dict) and isinstance(value.get("message"), dict):
            line.message = loose.shaped(value["message"], Said)
        self._apply(line)

    def _apply(self, line: Line) -> None:
        said = _said(line)
        if said is not None:
            self._heard = True
            self._apply_message(said)
        if line.done:
            self._tell(self._think.finish())
            self._story.usage(Usage(input_tokens=line.prompt_eval_count, output_tokens=line.eval_count))
            self._story.finish(REASONS.get(line.done_reason or "", "stop"), line.done_reason)

    def _apply_message(self, said: Said) -> None:
        if said.thinking:
            self._tell(self._think.finish())
            self._story.say("reasoning", said.thinking)
        if said.content:
            if self._think.settled:
                self._story.say("text", said.content)
            else:
                self._tell(self._think.feed(said.content))
        for call in said.tool_calls or ():
            self._call(call)

    def _tell(self, pieces: list[Piece]) -> None:
        for kind, text in pieces:
            self._story.say(kind, text)

    def _call(self, call: object) -> None:
        """A call comes whole, its arguments as an object; older servers gave it no id."""
        self._tell(self._think.finish())
        match call:
            case {"function": {"name": str(name)} as function, **rest}:
                id = rest.get("id")
                part = self._story.call(id if isinstance(id, str) else None, name)
                self._story.more(part, argument_text(function.get("arguments")))
                self._story.close(part)

    def _end_early(self, *, said_done: bool) -> None:
        self._tell(self._think.finish())
        if said_done and self._story.told:
            self._story.finish("stop", None)
        elif said_done or not self._heard:
            self._story.fail(refusals.no_answer(self._foreign))
        else:
            self._story.fail(refusals.cut_off())


def _said(line: Line) -> Said | None:
    if line.message is None and (line.response is not None or line.thinking is not None):
        return Said(line.response, line.thinking)
    return line.message


def _models(body: bytes) -> list[Model]:
    try:
        [found] = loose.objects(body)
        listed = found["models"]
        return [_model(entry) for entry in listed if isinstance(entry, dict)]
    except (ValueError, KeyError, TypeError) as exc:
        seen = words.of_body(body).message or None
        raise ProtocolError("The server did not answer with a list of models.", upstream=seen) from exc


def _model(entry: dict[str, Any]) -> Model:
    context = loose.count(loose.inner(entry, "details").get("context_length"))
    return _able(Model(loose.whole_characters(str(entry["name"])), context=context), entry)


def _able(known: Model, entry: dict[str, Any]) -> Model:
    can = entry.get("capabilities")  # of servers since 2025; older ones do not say
    if not isinstance(can, list):
        return known
    return msgspec.structs.replace(known, vision="vision" in can, tools="tools" in can, reasoning="thinking" in can)


def _told(known: Model, body: bytes) -> Model:
    """The context is what the model file says (`num_ctx`), else what the model was made for; a server may give it less by itself."""
    try:
        [entry] = loose.objects(body)
    except ValueError as exc:
        raise ProtocolError("The server did not answer with a model.", upstream=words.of_body(body).message or None) from exc
    info = loose.inner(entry, "model_info")
    made_for = next((value for key, value in info.items() if key.endswith(".context_length")), None)
    parameters = entry.get("parameters")
    lines = [line.split() for line in parameters.splitlines()] if isinstance(parameters, str) else []
    wanted = next((int(line[1]) for line in lines if len(line) == 2 and line[0] == "num_ctx" and line[1].isdecimal()), None)
    return _able(msgspec.structs.replace(known, context=loose.count(wanted) or loose.count(made_for) or known.context), entry)
