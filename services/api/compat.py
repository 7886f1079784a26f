"""The surfaces of other people's clients: each path answers like the vendor's own server, errors included."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp

from services.api.errors import Endpoint, Methods, Refusal, json_response
from services.api.native import ASKED_ONCE
from services.api.reading import json_object
from services.api.replies import Replies
from services.chat import Chat
from services.downstream import WRITERS
from services.errors import NotFound
from services.models import full_names


class Compat:
    def __init__(self, chat: Chat, replies: Replies) -> None:
        self._chat = chat
        self._replies = replies

    def posts(self, dialect: str) -> Methods:
        """`POST` of a turn in this dialect."""
        writer = WRITERS[dialect]

        async def post(request: Request) -> ASGIApp:
            return await self._replies.answer(request, writer, await json_object(request))

        return Methods(writer.refusal, POST=Endpoint(post, writer.refusal))

    async def openai_models(self, request: Request) -> ASGIApp:
        models = [_openai_model(name) for name in full_names(await self._chat.refresh_models(ASKED_ONCE))]
        return json_response(msgspec.json.encode({"object": "list", "data": models}))

    async def openai_model(self, request: Request) -> ASGIApp:
        id = request.path_params["id"]
        if id not in full_names(await self._chat.refresh_models(ASKED_ONCE)):
            raise NotFound(f"No model is called {id[:200]!r}. GET /v1/models lists them.")
        return json_response(msgspec.json.encode(_openai_model(id)))


def refusal_at(path: str) -> Refusal:
    """The shape of errors that clients of this path understand."""
    return WRITERS["openai_chat" if path.startswith("/v1/") else "ai_sdk" if path.startswith("/ai/") else "events"].refusal


def _openai_model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}
