"""The AI SDK's surface: what useChat's transport posts, and the reply it comes back for after a reload."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from services.api.errors import json_response
from services.api.policies import mine
from services.api.reading import json_object
from services.api.replies import Replies
from services.downstream import WRITERS
from services.downstream.native import snapshot
from services.errors import BadRequest, NotFound
from services.events import Started

WRITER = WRITERS["ai_sdk"]


class AI:
    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def post_turn(self, request: Request) -> ASGIApp:
        """`POST /ai/chat?model=M`: a chat so far, answered with the UI message stream of what comes next."""
        body = await json_object(request)
        if unknown := sorted(set(request.query_params) - {"model"}):
            raise BadRequest(f"Unknown in the URL: {', '.join(unknown)[:100]}. Known: model.")
        return await self._replies.answer(request, WRITER, {**body, **request.query_params})

    async def resume(self, request: Request) -> ASGIApp:
        """`GET /ai/chat/{id}/stream`: the chat's running reply from its start; 204, which the SDK takes for null, when none runs."""
        started = self._running(request)
        if started is None:
            return Response(status_code=204)
        return self._replies.stream(request, WRITER, WRITER(started, {}), started)

    async def stop(self, request: Request) -> ASGIApp:
        """`DELETE /ai/chat/{id}/stream`: stop that reply; answers with its snapshot."""
        started = self._running(request)
        if started is None:
            raise NotFound("No reply is running in this chat.")
        return json_response(msgspec.json.encode(snapshot(await mine(request).stop(started.generation))))

    def _running(self, request: Request) -> Started | None:
        latest = mine(request).latest("ai_sdk", request.path_params["id"])
        return mine(request).started(latest.id) if latest and latest.state in ("waiting", "streaming") else None
