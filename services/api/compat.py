"""The surfaces of other people's clients: each path answers like the vendor's own server, errors included."""

from starlette.requests import Request
from starlette.types import ASGIApp

from services.api.errors import Endpoint, Methods, Refusal
from services.api.reading import json_object
from services.api.replies import Replies
from services.downstream import WRITERS

SURFACES = {"/v1/messages/": "anthropic", "/v1/": "openai_chat", "/api/": "ollama_chat", "/ai/": "ai_sdk"}


class Compat:
    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    def posts(self, dialect: str) -> Methods:
        """`POST` of a turn in this dialect."""
        writer = WRITERS[dialect]

        async def post(request: Request) -> ASGIApp:
            return await self._replies.answer(request, writer, await json_object(request))

        return Methods(writer.refusal, POST=Endpoint("chat", post, writer.refusal))


def refusal_at(path: str) -> Refusal:
    """The shape of errors that clients of this path understand."""
    dialect = next((dialect for prefix, dialect in SURFACES.items() if f"{path}/".startswith(prefix)), "events")
    return WRITERS[dialect].refusal
