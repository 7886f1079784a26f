"""Anthropic's Messages, from Anthropic and from the servers that copy it. Sans-IO: bytes in, events out.

The end is `message_stop`, or the end of the connection after a stop_reason. `[DONE]`, which some proxies add, is none. The type
in the JSON counts; the `event:` line is looked at only where the JSON has none. Events of unknown types are passed over.
"""

from typing import Any, ClassVar

from services.errors import UpstreamError
from services.messages import Turn
from services.models import Model
from services.upstream import anthropic_events, anthropic_turns, loose, refusals, words
from services.upstream.anthropic_blocks import Blocks
from services.upstream.anthropic_events import REASONS
from services.upstream.body import unwrapped
from services.upstream.frames import FrameReader
from services.upstream.reader import Request
from services.wire.sse import MAX_EVENT, Frame

_decode = anthropic_events.decode

# The last version whose requests may hold temperature, top_p and top_k.
VERSION = "2023-06-01"


class AnthropicReader(FrameReader):
    models_path: ClassVar[str] = "/v1/models?limit=1000"  # the most of one page; 20 is what is given unasked

    def __init__(self, limit: int = MAX_EVENT) -> None:
        super().__init__(limit)
        self._blocks = Blocks(self._story)
        self._heard = False
        self._foreign = b""  # JSON, but no event
        self._message: object = ""  # the id of the one that is being read
        self._ending: str | None = None
        self._explained = ""

    @staticmethod
    def headers(api_key: str | None) -> dict[str, str]:
        return {"anthropic-version": VERSION, **({"x-api-key": api_key} if api_key else {})}

    @staticmethod
    def models(body: bytes) -> list[Model]:
        return anthropic_events.models(body)

    def request(self, turn: Turn) -> Request:
        self._story.seed(len(turn.messages))
        return Request("/v1/messages", anthropic_turns.body(turn))

    def _close(self) -> None:
        self._end(said_stop=False)

    def _read(self, frames: list[Frame]) -> None:
        for event, data, _ in frames:
            try:
                said = _decode(data)
            except loose.UNREADABLE:
                self._read_odd(event, data)
            else:
                piece = said.delta
                if piece is None or said.type != "content_block_delta" or event == "error":
                    self._read_odd(event, data)
                elif piece.text and self._story.saying == "text":
                    self._story.say("text", piece.text)
                elif piece.thinking and self._story.saying == "reasoning":
                    self._story.say("reasoning", piece.thinking)
                elif piece.partial_json and said.index is not None:
                    self._heard = True
                    self._blocks.arguments(said.index, piece.partial_json)
                else:
                    self._read_odd(event, data)
            if self._story.ended:
                return

    def _read_odd(self, event: str, data: bytes) -> None:
        """What is no piece: the other events, `[DONE]`, a keep-alive, an error, or nothing of use."""
        data = unwrapped(data)
        if event == "error":
            self._fail(refusals.reported(words.of_body(data)))
        elif data == b"[DONE]":
            self._end(said_stop=False)
        elif data:
            for value in self._story.objects(data):
                self._read_object(event, value, data)

    def _read_document(self, body: bytes) -> None:
        """What is no stream: an error, or the whole answer in one document, whoever asked for a stream."""
        try:
            found = loose.objects(body)
        except ValueError:
            self._fail(refusals.cut_off())
            return
        for value in found:
            self._read_object("", value, body)

    def _read_object(self, event: str, value: object, data: bytes) -> None:
        if said := words.of_object(value):
            self._fail(refusals.reported(said))
            return
        given: dict[str, Any] = value if isinstance(value, dict) else {}
        kind, index = given.get("type") or event, given.get("index")
        if kind in ("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"):
            self._heard = True
        match kind:
            case "message_start":
                self._begin(loose.inner(given, "message"))
            case "content_block_start":
                self._blocks.start(index, loose.inner(given, "content_block"))
            case "content_block_delta":
                self._blocks.more(index, loose.inner(given, "delta"))
            case "content_block_stop":
                self._blocks.stop(index)
            case "message_delta":
                self._note(loose.inner(given, "delta"))
                self._story.usage(anthropic_events.usage(loose.inner(given, "usage")))
            case "message_stop":
                self._end(said_stop=True)
            case "error":
                self._fail(refusals.reported(words.of_object({"error": given}) or words.Words("")))
            case "ping":
                pass
            case _ if given.get("role") == "assistant" and isinstance(given.get("content"), list):
                self._heard = True
                self._begin(given)
                self._end(said_stop=True)
            case _:
                self._foreign = data

    def _begin(self, message: dict[str, Any]) -> None:
        """A message starts. Proxies say it twice; one that joins two messages starts the second one before the first has ended."""
        self._story.usage(anthropic_events.usage(loose.inner(message, "usage")))
        if message.get("id") == self._message:
            return
        self._message = message.get("id")
        self._blocks.finish()
        self._ending, self._explained = None, ""
        if isinstance(content := message.get("content"), list):
            self._blocks.whole(content)
        self._note(message)

    def _note(self, delta: dict[str, Any]) -> None:
        match delta.get("stop_reason"):
            case str(reason) if reason:
                self._ending = reason
        match delta.get("stop_details"):
            case {"explanation": str(explanation)}:
                self._explained = explanation

    def _end(self, *, said_stop: bool) -> None:
        self._blocks.finish()
        if self._ending is not None:
            if self._ending == "refusal":
                self._story.say("refusal", self._explained)
            self._story.finish(REASONS.get(self._ending, "stop"), self._ending)
        elif said_stop and self._story.told:
            self._story.finish("stop", None)
        elif said_stop or not self._heard:
            self._fail(refusals.no_answer(self._foreign))
        else:
            self._fail(refusals.cut_off())

    def _fail(self, error: UpstreamError) -> None:
        self._blocks.finish()
        self._story.fail(error)
