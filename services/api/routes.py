"""The HTTP surface: one table of paths, one handler each. What a dialect means is its writer's business."""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.errors import ClientGone, Endpoint, Refusal, UpstreamFailure, error_response, json_response
from services.api.stream import EventStream, Presence
from services.chat import Chat, Listing
from services.downstream import WRITERS
from services.downstream.native import native_refusal, snapshot
from services.downstream.turns import wants_stream
from services.downstream.writer import Writer
from services.errors import BadRequest, MethodNotAllowed, NotFound, UnsupportedMedia
from services.events import Entry, Failed, Retrying, Started, Status

NATIVE = ("events", "messages", "text", "ollama")
ASKED_ONCE = math.inf  # seconds: the servers are asked at the start, and when somebody wants it
PATHS = ("/chat", "/models", "/healthz", "/v1")


class API:
    """`idle` and `write_timeout` in seconds, as settings have them."""

    def __init__(self, chat: Chat, *, idle: float = 15.0, write_timeout: float = 30.0) -> None:
        self._chat = chat
        self._idle = idle
        self._write_timeout = write_timeout

    def router(self) -> Router:
        openai = WRITERS["openai_chat"].refusal
        return Router(
            [
                Route("/chat", Methods(POST=Endpoint(self.post_turn), GET=Endpoint(self.generations))),
                Route("/chat/{id}", Methods(GET=Endpoint(self.follow), DELETE=Endpoint(self.stop))),
                Route("/models", Methods(GET=Endpoint(self.models))),
                Route("/healthz", Methods(GET=Endpoint(self.health))),
                Route("/v1/chat/completions", Methods(openai, POST=Endpoint(self.post_chat_completion, openai))),
                Route("/v1/models", Methods(openai, GET=Endpoint(self.openai_models, openai))),
                Route("/v1/models/{id:path}", Methods(openai, GET=Endpoint(self.openai_model, openai))),
            ],
            default=Endpoint(self.nothing_here),
        )

    # The native surface

    async def post_turn(self, request: Request) -> ASGIApp:
        """`POST /chat?model=M&format=F`: starts a generation, answers with its stream at once."""
        body = await _json_object(request)
        if unknown := sorted(set(request.query_params) - {"model", "format"}):
            raise BadRequest(f"Unknown in the URL: {', '.join(unknown)[:100]}. Known: format, model.")
        body = {**body, **({"model": request.query_params["model"]} if "model" in request.query_params else {})}
        writer = _native(request.query_params.get("format") or body.get("format") or "events")
        streams = wants_stream(body, default=True)
        started = self._chat.start(writer.turn(body))
        if not streams:
            return await self._whole(request, writer, started, body)
        return self._stream(writer(started, body), started)

    async def follow(self, request: Request) -> ASGIApp:
        """`GET /chat/{id}`: replay after a position, then live; or a snapshot for who asks for JSON."""
        id = request.path_params["id"]
        started = self._chat.started(id)
        writer = _native(request.query_params.get("format", "events"))
        if not _wants_events(request):
            reply = self._chat.reply(id)
            return json_response(writer.whole(reply, {}) if "format" in request.query_params else msgspec.json.encode(snapshot(reply)))
        after = _position(request)
        reply = self._chat.reply(id)
        if after > reply.seq:
            raise BadRequest(f"There is no entry {after} yet: the last one is {reply.seq}. GET /chat/{id} as JSON has it all.")
        if after == reply.seq and reply.state not in ("waiting", "streaming"):
            return Response(status_code=204)  # the one answer that makes an EventSource stop reconnecting
        return self._stream(_Tail(writer(started, {}), after), started)

    async def stop(self, request: Request) -> ASGIApp:
        """`DELETE /chat/{id}`: stop; answers with the reply as it then stands. As often as one likes."""
        return json_response(msgspec.json.encode(snapshot(await self._chat.stop(request.path_params["id"]))))

    async def generations(self, request: Request) -> ASGIApp:
        return json_response(msgspec.json.encode({"generations": self._chat.generations()}))

    async def models(self, request: Request) -> ASGIApp:
        listings = await self._chat.refresh_models(0 if "refresh" in request.query_params else ASKED_ONCE)
        return json_response(msgspec.json.encode({"default": self._chat.default_model, "upstreams": listings, "models": _names(listings)}))

    async def health(self, request: Request) -> ASGIApp:
        return json_response(b'{"status":"ok"}')

    async def nothing_here(self, request: Request) -> ASGIApp:
        refusal = WRITERS["openai_chat"].refusal if request.url.path.startswith("/v1/") else native_refusal
        return error_response(NotFound(f"There is nothing at {request.scope['path'][:200]}. docs/api.md lists what there is."), refusal)

    # OpenAI's surface

    async def post_chat_completion(self, request: Request) -> ASGIApp:
        """`POST /v1/chat/completions`. Waits for the upstream's first word, so that a refusal keeps its status."""
        body = await _json_object(request)
        writer = WRITERS["openai_chat"]
        streams = wants_stream(body, default=False)
        started = self._chat.start(writer.turn(body))
        if not streams:
            return await self._whole(request, writer, started, body)
        batches = self._chat.follow(started.generation)
        try:
            async with Presence(request.receive) as presence:
                first = await _first_word(batches)
        except UpstreamFailure:
            await batches.aclose()
            raise
        if presence.gone:
            await batches.aclose()
            self._chat.left(started.generation)
            raise ClientGone
        return self._stream(writer(started, body), started, batches, first)

    async def openai_models(self, request: Request) -> ASGIApp:
        models = [_openai_model(name) for name in _names(await self._chat.refresh_models(ASKED_ONCE))]
        return json_response(msgspec.json.encode({"object": "list", "data": models}))

    async def openai_model(self, request: Request) -> ASGIApp:
        id = request.path_params["id"]
        if id not in _names(await self._chat.refresh_models(ASKED_ONCE)):
            raise NotFound(f"No model is called {id[:200]!r}. GET /v1/models lists them.")
        return json_response(msgspec.json.encode(_openai_model(id)))

    # What they share

    def _stream(
        self,
        writer: "Writer | _Tail",
        started: Started,
        batches: AsyncGenerator[list[Entry], None] | None = None,
        first: Sequence[Entry] = (),
    ) -> EventStream:
        """The rest of a generation as a stream; `first` are entries that were taken from `batches` already."""
        id = started.generation
        return EventStream(
            batches or self._chat.follow(id),
            writer.write,
            headers=[(b"headrace-generation", id.encode()), (b"location", b"/chat/" + id.encode())],
            first=first,
            heartbeat=writer.heartbeat,
            idle=self._idle,
            write_timeout=self._write_timeout,
            left=lambda: self._chat.left(id),
        )

    async def _whole(self, request: Request, writer: type[Writer], started: Started, body: dict[str, Any]) -> Response:
        async with aclosing(self._chat.follow(started.generation)) as batches, Presence(request.receive) as presence:
            async for _ in batches:
                pass
        if presence.gone:
            self._chat.left(started.generation)
            raise ClientGone
        reply = self._chat.reply(started.generation)
        if reply.problem:
            problem = reply.problem
            raise UpstreamFailure(problem.message, problem.code, problem.status, problem.retry_after)
        id = started.generation
        return json_response(writer.whole(reply, body), headers={"headrace-generation": id, "location": f"/chat/{id}"})


class Methods:
    """An ASGI app per method. Anything else is 405, in the dialect's shape."""

    def __init__(self, refusal: Refusal = native_refusal, **by_method: Endpoint) -> None:
        self._by_method = by_method
        self._refusal = refusal
        if "GET" in by_method:
            by_method["HEAD"] = by_method["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._by_method.get(scope["method"])
        if endpoint is None:
            allowed = ", ".join(self._by_method)
            error = MethodNotAllowed(f"{scope['method']} is not possible here: {allowed}.")
            await error_response(error, self._refusal, {"allow": allowed})(scope, receive, send)
        else:
            await endpoint(scope, receive, send)


class _Tail:
    """A writer whose client has everything up to a position: what comes before it is read, not sent."""

    def __init__(self, writer: Writer, after: int) -> None:
        self._writer = writer
        self._after = after
        self.heartbeat = writer.heartbeat

    def write(self, entries: Sequence[Entry]) -> bytes:
        if entries[0].seq > self._after:
            return self._writer.write(entries)
        known = self._after - entries[0].seq + 1
        self._writer.write(entries[:known])
        return self._writer.write(entries[known:])


async def _first_word(batches: AsyncGenerator[list[Entry], None]) -> list[Entry]:
    """Everything up to the first entry that comes from the upstream. Raises when that entry is a failure."""
    first: list[Entry] = []
    async for entries in batches:
        first += entries
        match next((entry.event for entry in entries if not isinstance(entry.event, Started | Status | Retrying)), None):
            case None:
                continue
            case Failed() as failed:
                raise UpstreamFailure(failed.message, failed.code, failed.status, failed.retry_after)
        break
    return first


async def _json_object(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or "content-encoding" in request.headers:
        raise UnsupportedMedia("Send JSON, uncompressed, with the header `Content-Type: application/json`.")
    try:
        body = msgspec.json.decode(await request.body())
    except ClientDisconnect as exc:
        raise ClientGone from exc
    except (msgspec.DecodeError, RecursionError, UnicodeError) as exc:
        raise BadRequest(f"The body is not JSON: {exc}.") from exc
    if not isinstance(body, dict):
        raise BadRequest('The body must be a JSON object, such as {"messages": [{"role": "user", "content": "Hello"}]}.')
    return body


def _native(format: object) -> type[Writer]:
    if format not in NATIVE:
        raise BadRequest(f"There is no format {str(format)[:40]!r}: {', '.join(NATIVE)}.")
    return WRITERS[str(format)]


def _wants_events(request: Request) -> bool:
    """EventSource always says so; curl and fetch say `*/*` and get the snapshot, unless they ask for a position."""
    query = request.query_params
    return "text/event-stream" in request.headers.get("accept", "") or "after" in query or "last-event-id" in request.headers


def _position(request: Request) -> int:
    """Where to go on: the header of a reconnecting EventSource wins over the URL it was opened with."""
    given = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise BadRequest(f"A position is the number of the last entry you have, 0 for none; got {given[:40]!r}.")
    return int(given)


def _names(listings: Sequence[Listing]) -> list[str]:
    return [f"{listing.name}/{model.name}" for listing in listings for model in listing.models]


def _openai_model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}
