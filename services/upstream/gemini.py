"""Google's Gemini: streamGenerateContent. Sans-IO: bytes in, events out.

The end is a finishReason, or the blockReason of a prompt that was refused, and then the end of the connection: there is no last
frame that says so, and `[DONE]`, which some proxies add, does not stand for a reason. A server that does not know `alt=sse`
sends one JSON array instead; it is read when it is complete. Of several candidates the first one is read.
"""

from typing import Any, ClassVar
from urllib.parse import quote

from services.errors import UpstreamError
from services.messages import Turn
from services.models import Model
from services.upstream import gemini_chunks, gemini_turns, loose, refusals, words
from services.upstream.body import unwrapped
from services.upstream.frames import FrameReader
from services.upstream.gemini_calls import Calls
from services.upstream.gemini_chunks import FAILURES, REASONS, Candidate, Chunk, Counts
from services.upstream.reader import Request
from services.upstream.story import Prose
from services.wire.sse import MAX_EVENT, Frame

_decode = gemini_chunks.decode


class GeminiReader(FrameReader):
    models_path: ClassVar[str] = "/v1beta/models?pageSize=1000"  # the most of one page; 50 is what is given unasked

    def __init__(self, limit: int = MAX_EVENT) -> None:
        super().__init__(limit)
        self._calls = Calls(self._story)
        self._heard = False
        self._foreign = b""  # JSON, but no chunk
        self._counts: Counts | None = None
        self._ending: str | None = None
        self._blocked = False
        self._explained = ""
        self._cited: set[str] = set()

    @staticmethod
    def headers(api_key: str | None) -> dict[str, str]:
        return {"x-goog-api-key": api_key} if api_key else {}

    @staticmethod
    def models(body: bytes) -> list[Model]:
        return gemini_chunks.models(body)

    def request(self, turn: Turn) -> Request:
        self._story.seed(len(turn.messages))
        return Request(f"/v1beta/{_resource(turn.model)}:streamGenerateContent?alt=sse", gemini_turns.body(turn))

    def _read(self, frames: list[Frame]) -> None:
        for event, data, _ in frames:
            try:
                chunk = _decode(data)
            except loose.UNREADABLE:
                self._read_odd(event, data)
            else:
                if chunk.candidates and not chunk.error and chunk.promptFeedback is None and event != "error":
                    self._apply(chunk, data)
                else:
                    self._read_odd(event, data)
            if self._story.ended:
                return

    def _apply(self, chunk: Chunk, data: bytes) -> None:
        """A chunk that is nothing but prose, as nearly all of them are."""
        for candidate in chunk.candidates or ():
            if candidate.groundingMetadata is not None or candidate.citationMetadata is not None:
                self._read_odd("", data)
                return
        self._heard = True
        if chunk.usageMetadata is not None:
            self._counts = chunk.usageMetadata
        for candidate in chunk.candidates or ():
            if not candidate.index:
                self._say(candidate)

    def _say(self, candidate: Candidate) -> None:
        if candidate.content is not None:
            for part in candidate.content.parts or ():
                self._story.say("reasoning" if part.thought else "text", part.text)
        if candidate.finishReason is not None:
            self._finished(candidate.finishReason, candidate.finishMessage)

    def _read_odd(self, event: str, data: bytes) -> None:
        """What is more than prose: calls, images, sources, `[DONE]`, a keep-alive, an error, or nothing of use."""
        data = unwrapped(data)
        if event == "error":
            self._fail(refusals.reported(words.of_body(data)))
        elif data == b"[DONE]":
            self._close()
        elif data:
            for value in self._story.objects(data):
                self._read_object(value, data)

    def _read_document(self, body: bytes) -> None:
        """What is no stream: an error, the whole answer in one document, or a stream as one array."""
        found = gemini_chunks.documents(body)
        for value in found:
            self._read_object(value, body)
        if not found:
            self._fail(refusals.cut_off())

    def _read_object(self, value: object, data: bytes) -> None:
        if said := words.of_object(value):
            self._fail(refusals.reported(said))
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    self._read_object(item, data)
        elif isinstance(value, dict) and any(name in value for name in ("candidates", "promptFeedback", "usageMetadata")):
            self._heard = True
            self._read_chunk(value)
        elif value:  # {} keeps a line alive
            self._foreign = data

    def _read_chunk(self, given: dict[str, Any]) -> None:
        if isinstance(counts := given.get("usageMetadata"), dict):
            self._counts = loose.shaped(loose.clean(counts), Counts)
        feedback = loose.inner(given, "promptFeedback")
        if isinstance(reason := feedback.get("blockReason"), str):
            self._blocked = True
            self._finished(reason, feedback.get("blockReasonMessage"))
        candidates = given.get("candidates")
        for candidate in candidates if isinstance(candidates, list) else ():
            if isinstance(candidate, dict) and not candidate.get("index"):
                self._read_candidate(candidate)

    def _read_candidate(self, candidate: dict[str, Any]) -> None:
        parts = loose.inner(candidate, "content").get("parts")
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                self._part(part)
        for source in gemini_chunks.sources(candidate):
            if source["url"] not in self._cited:
                self._cited.add(source["url"])
                self._story.thing("source", source)
        self._finished(candidate.get("finishReason"), candidate.get("finishMessage"))

    def _part(self, part: dict[str, Any]) -> None:
        signature = part.get("thoughtSignature") if isinstance(part.get("thoughtSignature"), str) else ""
        match part:
            case {"functionCall": dict(call)}:
                self._story.pause()
                self._calls.add(call, signature or "")
            case {"inlineData": dict(given)} if blob := gemini_chunks.blob(given):
                self._story.pause()
                self._blob(blob, signature or "")
            case {"text": str(text)}:
                kind: Prose = "reasoning" if part.get("thought") is True else "text"
                self._story.say(kind, text)
                self._sign(kind, bool(text), signature or "")
            case _ if part.keys() - {"thought", "thoughtSignature", "text"}:
                self._story.pause()
                self._story.thing("opaque", part)
            case _:
                self._sign("text", False, signature or "")

    def _sign(self, kind: Prose, spoken: bool, signature: str) -> None:
        """A signature belongs to the prose before it. Where there is none it needs a place of its own, or it would be lost."""
        if not signature or self._story.ended:
            return
        if self._story.saying == kind or (self._story.saying is not None and not spoken):
            self._story.keep(self._story.prose, "thought_signature", signature)
            self._story.pause()  # prose that is signed cannot go on: the next piece may have a signature as well
        else:
            self._story.pause()
            part = self._story.start("reasoning", form="encrypted")
            self._story.keep(part, "thought_signature", signature)
            self._story.close(part)

    def _blob(self, blob: dict[str, Any], signature: str) -> None:
        part = self._story.start("image" if blob["media_type"].startswith("image/") else "file")
        if signature:
            self._story.keep(part, "thought_signature", signature)
        self._story.close(part, blob)

    def _finished(self, reason: object, message: object) -> None:
        if isinstance(reason, str) and reason and reason != "FINISH_REASON_UNSPECIFIED":
            self._ending = reason
            self._explained = message if isinstance(message, str) else ""

    def _close(self) -> None:
        self._calls.finish()
        reason = self._ending
        if reason is None:
            self._fail(refusals.cut_off() if self._heard else refusals.no_answer(self._foreign))
            return
        if reason in FAILURES and not self._blocked:
            self._fail(refusals.reported(words.Words(words.redacted(self._explained), code=reason)))
            return
        meant = "content_filter" if self._blocked else REASONS.get(reason, "stop")
        if meant == "content_filter":
            self._story.say("refusal", self._explained)
        self._count()
        self._story.finish(meant, reason)

    def _fail(self, error: UpstreamError) -> None:
        self._count()
        self._story.fail(error)

    def _count(self) -> None:
        if self._counts is not None:
            self._story.usage(gemini_chunks.usage(self._counts))


def _resource(model: str) -> str:
    """The model's place in the path; whatever is in its name stays in its segment."""
    family, slash, name = model.partition("/")
    if not slash or family not in ("models", "tunedModels"):
        family, name = "models", model
    return f"{family}/{quote(name, safe='', errors='replace')}"
