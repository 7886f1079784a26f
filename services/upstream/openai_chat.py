"""OpenAI's Chat Completions, as all kinds of servers stream them. Sans-IO: bytes in, events out.

The end is `[DONE]`, or the end of the connection after a finish_reason; usage may come between the two, text as well.
`[DONE]` alone, or without any text before it, is no answer: a server that fails says it too (vLLM, SGLang, LocalAI).
Of several choices the first one is read.
"""

from typing import Any, ClassVar

from services.events import Event
from services.messages import Turn
from services.models import Model
from services.upstream import loose, openai_chunks, openai_models, openai_turns, refusals, words
from services.upstream.body import unwrapped
from services.upstream.calls import Calls
from services.upstream.frames import FrameReader
from services.upstream.openai_chunks import Choice, Chunk, Delta, detail_text, only_text
from services.upstream.reader import Request
from services.upstream.story import Form
from services.upstream.think import Piece, Think
from services.wire.sse import MAX_EVENT, Frame

_decode = openai_chunks.decode

FORMS: dict[object, Form] = {"reasoning.summary": "summary", "reasoning.encrypted": "encrypted"}


class OpenAIChatReader(FrameReader):
    models_path: ClassVar[str] = "/models"

    def __init__(self, limit: int = MAX_EVENT) -> None:
        super().__init__(limit)
        self._flowing = False  # in the middle of a text
        self._calls = Calls(self._story)
        self._think = Think()
        self._heard = False
        self._foreign = b""  # JSON, but no chunk
        self._ending: str | None = None
        self._counted = False
        self._cited: set[str] = set()

    @staticmethod
    def headers(api_key: str | None) -> dict[str, str]:
        return {"authorization": f"Bearer {api_key}"} if api_key else {}

    @staticmethod
    def models(body: bytes) -> list[Model]:
        return openai_models.models(body)

    def request(self, turn: Turn) -> Request:
        self._story.seed(len(turn.messages))
        return Request("/chat/completions", openai_turns.body(turn))

    def feed(self, data: bytes) -> list[Event]:
        if self._flowing and (text := only_text(self._body.lone_data(data))):
            return self._story.flow(text)
        events = super().feed(data)
        self._flowing = self._think.settled and self._story.saying == "text" and not self.done
        return events

    def _close(self) -> None:
        self._end(said_done=False)

    def _read(self, frames: list[Frame]) -> None:
        for event, data, _ in frames:
            if event == "error":
                self._story.fail(refusals.reported(words.of_body(data)))
            else:
                self._read_data(data)
            if self._story.ended:
                return

    def _read_data(self, data: bytes) -> None:
        try:
            chunk = _decode(data)
        except loose.UNREADABLE:
            self._read_odd(data)
            return
        if chunk.choices is None or chunk.error:
            self._read_odd(data)
        else:
            self._apply(chunk)

    def _read_odd(self, data: bytes) -> None:
        """What is no chunk at first sight: the end, a keep-alive, an error, a chunk in another shape, or nothing of use."""
        data = unwrapped(data)
        if data == b"[DONE]":
            self._end(said_done=True)
        elif data:
            for value in self._story.objects(data):
                self._foreign = data
                self._read_object(value)

    def _read_object(self, value: object) -> None:
        if said := words.of_object(value):
            self._story.fail(refusals.reported(said))
        else:
            self._apply(openai_chunks.salvaged(value))

    def _apply(self, chunk: Chunk) -> None:
        for choice in chunk.choices or ():
            if not choice.index:
                self._heard = True
                self._apply_choice(choice)
        if chunk.usage:
            self._counted = True
            self._story.usage(openai_chunks.usage(chunk.usage))
        elif chunk.timings and not self._counted:
            self._story.usage(openai_chunks.usage_of_timings(chunk.timings))
        if chunk.citations:
            self._cite(chunk.citations)

    def _apply_choice(self, choice: Choice) -> None:
        delta = choice.delta or choice.message
        if delta is not None:
            self._apply_delta(delta)
        elif choice.text:
            self._text(choice.text)
        if choice.finish_reason:  # SGLang says "" for none
            self._ending = choice.finish_reason
        if choice.usage:
            self._counted = True
            self._story.usage(openai_chunks.usage(choice.usage))
        if choice.logprobs and self._story.saying == "text" and (told := openai_chunks.logprobs(choice.logprobs)):
            self._story.side("text", "logprobs").extend(told)

    def _apply_delta(self, delta: Delta) -> None:
        reasoning = delta.reasoning_content or delta.reasoning
        if delta.reasoning_details:
            self._detail(delta.reasoning_details, spoken=bool(reasoning))
        if reasoning:
            self._reason(reasoning)
        content = delta.content
        if content:
            if isinstance(content, str):
                self._text(content)
            else:
                self._list(content)
        if delta.refusal:
            self._tell(self._think.finish())
            self._story.say("refusal", delta.refusal)
        if delta.tool_calls or delta.function_call:
            self._call(delta)
        if delta.images or delta.annotations:
            self._attach(delta)

    def _reason(self, text: str) -> None:
        self._tell(self._think.finish())
        self._story.say("reasoning", text)

    def _text(self, text: str) -> None:
        if self._think.settled:
            self._story.say("text", text)
        else:
            self._tell(self._think.feed(text))

    def _tell(self, pieces: list[Piece]) -> None:
        for kind, text in pieces:
            self._story.say(kind, text)

    def _list(self, content: list[Any]) -> None:
        """Content as typed parts: Mistral's reasoning, some proxies' everything."""
        for part in content:
            match part:
                case str(text) | {"type": "text", "text": str(text)}:
                    self._text(text)
                case {"type": "thinking", "thinking": list(thoughts)}:
                    for thought in thoughts:
                        self._reason(detail_text(thought) if isinstance(thought, dict) else "")
                case {"type": "thinking", "thinking": str(text)}:
                    self._reason(text)
                case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
                    self._image(url)
                case _:
                    self._story.pause()
                    self._story.thing("opaque", part)

    def _detail(self, details: list[Any], *, spoken: bool) -> None:
        self._tell(self._think.finish())
        for detail in details:
            if isinstance(detail, dict):
                self._story.side("reasoning", "reasoning_details", FORMS.get(detail.get("type")), openai_chunks.joined).append(detail)
                if not spoken:
                    self._story.say("reasoning", detail_text(detail))

    def _call(self, delta: Delta) -> None:
        self._tell(self._think.finish())
        if delta.function_call:
            self._calls.add(0, "", _string(delta.function_call.get("name")), delta.function_call.get("arguments"))
        for item in delta.tool_calls or ():
            if isinstance(item, dict):
                self._fragment(item)

    def _fragment(self, item: dict[str, Any]) -> None:
        index, called, arguments = item.get("index"), item.get("function"), "arguments"
        side: dict[str, object] = {}
        if isinstance(item.get("custom"), dict):
            called, arguments, side = item["custom"], "input", {"type": "custom"}
        if item.get("extra_content"):  # Gemini's thought signature has to come back
            side["extra_content"] = item["extra_content"]
        if isinstance(called, dict):
            number = index if isinstance(index, int) else None
            self._calls.add(number, _string(item.get("id")), _string(called.get("name")), called.get(arguments), side)

    def _attach(self, delta: Delta) -> None:
        for image in delta.images or ():
            match image:
                case {"image_url": {"url": str(url)} | str(url)}:
                    self._image(url)
        for annotation in delta.annotations or ():
            match annotation:
                case {"url_citation": {"url": str()} as citation}:
                    self._story.thing("source", citation)
                case _:
                    self._story.thing("opaque", annotation)

    def _image(self, url: str) -> None:
        self._story.pause()
        self._story.thing("image", {"url": url})

    def _cite(self, urls: list[Any]) -> None:
        for url in urls:
            if isinstance(url, str) and url not in self._cited:
                self._cited.add(url)
                self._story.thing("source", {"url": url})

    def _end(self, *, said_done: bool) -> None:
        self._tell(self._think.finish())
        self._calls.finish()
        reason = self._ending
        if reason is not None and reason.lower() in openai_chunks.FAILURES:
            self._story.fail(refusals.reported(words.Words("", code=reason)))
        elif reason is not None:
            self._story.finish(openai_chunks.REASONS.get(reason.lower(), "stop"), reason)
        elif said_done and self._story.told:
            self._story.finish("stop", None)
        elif said_done or not self._heard:
            self._story.fail(refusals.no_answer(self._foreign))
        else:
            self._story.fail(refusals.cut_off())

    def _read_document(self, body: bytes) -> None:
        """The whole answer in one document, whoever asked for a stream, or an error."""
        try:
            found = loose.objects(body)
        except ValueError:
            self._story.fail(refusals.cut_off())
            return
        for value in found:
            self._read_object(value)
        if not self._heard:
            self._foreign = body
        elif any(map(openai_chunks.whole, found)):
            self._end(said_done=True)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
