"""OpenAI's legacy Completions: one prompt in, its continuation out. Sans-IO: bytes in, events out.

Its chunks are those of Chat Completions with `text` in place of a delta, and servers end them, count in them and fail in
them the same ways, so the reader of that dialect reads both; only the question is another one.
https://platform.openai.com/docs/api-reference/completions
"""

from typing import ClassVar

from services.events import Event
from services.messages import Turn
from services.models import Model
from services.upstream import openai_completions_turns, openai_models
from services.upstream.openai_chat import OpenAIChatReader
from services.upstream.reader import Request
from services.wire.sse import MAX_EVENT


class OpenAICompletionsReader:
    models_path: ClassVar[str] = "/models"

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.done = False
        self._chunks = OpenAIChatReader(limit)

    @staticmethod
    def headers(api_key: str | None) -> dict[str, str]:
        return OpenAIChatReader.headers(api_key)

    @staticmethod
    def models(body: bytes) -> list[Model]:
        return openai_models.models(body)

    def request(self, turn: Turn) -> Request:
        return Request("/completions", openai_completions_turns.body(turn))

    def feed(self, data: bytes) -> list[Event]:
        events = self._chunks.feed(data)
        self.done = self._chunks.done
        return events

    def finish(self) -> list[Event]:
        events = self._chunks.finish()
        self.done = self._chunks.done
        return events
