"""Headrace's own surface: POST /chat, and everything about the generation that it starts."""

import math
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from services.api.errors import json_response
from services.api.policies import mine
from services.api.reading import json_object, position, wants_events
from services.api.replies import Replies
from services.downstream import WRITERS
from services.downstream.native import snapshot
from services.downstream.writer import Writer
from services.errors import BadRequest
from services.events import Entry
from services.models import full_names

NATIVE = ("events", "messages", "text", "ollama")
ASKED_ONCE = math.inf  # seconds: the servers are asked at the start, and when somebody wants it


class Native:
    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def post_turn(self, request: Request) -> ASGIApp:
        """`POST /chat?model=M&format=F`: starts a generation, answers with its stream at once."""
        body = await json_object(request)
        if unknown := sorted(set(request.query_params) - {"model", "format"}):
            raise BadRequest(f"Unknown in the URL: {', '.join(unknown)[:100]}. Known: format, model.")
        body = {**body, **({"model": request.query_params["model"]} if "model" in request.query_params else {})}
        writer = _writer(request.query_params.get("format") or body.get("format") or "events")
        return await self._replies.answer(request, writer, body, at_once=True)

    async def follow(self, request: Request) -> ASGIApp:
        """`GET /chat/{id}`: replay after a position, then live; or a snapshot for who asks for JSON."""
        id, chat = request.path_params["id"], mine(request)
        await chat.recall(id)
        started = chat.started(id)
        writer = _writer(request.query_params.get("format", "events"))
        if not wants_events(request):
            reply = chat.reply(id)
            return json_response(writer.whole(reply, {}) if "format" in request.query_params else msgspec.json.encode(snapshot(reply)))
        after = position(request)
        reply = chat.reply(id)
        if after > reply.seq:
            raise BadRequest(f"There is no entry {after} yet: the last one is {reply.seq}. GET /chat/{id} as JSON has it all.")
        if after == reply.seq and reply.state not in ("waiting", "streaming"):
            return Response(status_code=204)  # the one answer that makes an EventSource stop reconnecting
        return self._replies.stream(request, writer, Tail(writer(started, {}), after), started)

    async def stop(self, request: Request) -> ASGIApp:
        """`DELETE /chat/{id}`: stop; answers with the reply as it then stands. As often as one likes."""
        return json_response(msgspec.json.encode(snapshot(await mine(request).stop(request.path_params["id"]))))

    async def generations(self, request: Request) -> ASGIApp:
        return json_response(msgspec.json.encode({"generations": mine(request).generations()}))

    async def models(self, request: Request) -> ASGIApp:
        again = "refresh" in request.query_params
        chat = mine(request)
        listings = await chat.refresh_models(0 if again else ASKED_ONCE, patient=again)
        return json_response(msgspec.json.encode({"default": chat.default_model, "upstreams": listings, "models": full_names(listings)}))

    async def health(self, request: Request) -> ASGIApp:
        return json_response(b'{"status":"ok"}')


class Tail:
    """A writer whose client has everything up to a position: what comes before it is read, not sent."""

    def __init__(self, writer: Writer, after: int) -> None:
        self._writer = writer
        self._after = after
        self._reached = False
        self.heartbeat = writer.heartbeat

    def write(self, entries: Sequence[Entry]) -> bytes:
        if self._reached or entries[0].seq > self._after:
            return self._writer.write(entries)
        self._reached = entries[-1].seq >= self._after
        known = self._after - entries[0].seq + 1
        self._writer.write(entries[:known])
        return self._writer.write(entries[known:])


def _writer(format: object) -> type[Writer]:
    if format not in NATIVE:
        raise BadRequest(f"There is no format {str(format)[:40]!r}: {', '.join(NATIVE)}.")
    return WRITERS[str(format)]
