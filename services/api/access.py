"""Outermost: each request gets an id, and each call of the API a line in the log. It knows paths and headers, never what people wrote.

The id is the client's own `X-Request-Id`, if that is a short plain word, or a new one. It is a header of the answer, part of every
error's body, and part of each line of the log that the request was the cause of.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import logs

log = logging.getLogger("headrace.access")

KEY = "headrace.call"  # where the scope has the Call
ID = b"x-request-id"
STREAMS = (b"text/event-stream", b"application/x-ndjson")


class Call:
    """What is known of a request by its end. `route` is the pattern, as docs/api.md has it; nothing for a page."""

    __slots__ = ("began", "generation", "id", "is_stream", "method", "model", "route", "status", "stream_end", "streamed")

    def __init__(self, id: str, method: str) -> None:
        self.id = id
        self.method = method
        self.route = ""
        self.model: str | None = None
        self.generation: str | None = None
        self.status = 0  # as long as nothing was answered
        self.is_stream = False
        self.stream_end = "complete"
        self.streamed = 0  # bytes
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def routed(scope: Scope, pattern: str) -> None:
    """The router has found who answers."""
    if call := scope.get(KEY):
        call.route = pattern


def generates(scope: Scope, model: str) -> None:
    """The request has started, or joined, a generation of this model."""
    if call := scope.get(KEY):
        call.model = model


def streamed(scope: Scope, size: int, end: str) -> None:
    """A stream is over, after so many bytes: it is complete, or its client has left, or was too slow."""
    if call := scope.get(KEY):
        call.streamed, call.stream_end = size, end


class Hearing(Protocol):
    def began(self, call: Call) -> None:
        """The head of its answer is being sent."""

    def ended(self, call: Call) -> None: ...


class Access:
    """`hearing` is told of each call of the API; `is_api` says of a path whether it is one."""

    def __init__(self, app: ASGIApp, is_api: Callable[[str], bool], hearing: Hearing) -> None:
        self._app = app
        self._is_api = is_api
        self._hearing = hearing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        call = Call(logs.request_id(Headers(scope=scope).get("x-request-id")), scope.get("method", "WEBSOCKET"))
        logs.request.set(call.id)
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[KEY] = call
        is_api = self._is_api(scope["path"])
        try:
            await self._app(scope, receive, Beginning(send, call, self._hearing.began if is_api else lambda _: None))
        finally:
            if is_api:
                self._hearing.ended(call)
                fields = logs.told(model=call.model, generation=call.generation, ms=round(1000 * call.seconds, 1))
                where = call.route or str(scope["path"])[:200]
                log.info("%s %s %s", call.method, where, call.status or "left", extra=fields)


class Beginning:
    """A `send` that looks at the head of an answer only. Who sends much does so by `rest`, which costs nothing."""

    __slots__ = ("_began", "_call", "rest")

    def __init__(self, send: Send, call: Call, began: Callable[[Call], object]) -> None:
        self.rest = send
        self._call = call
        self._began = began

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            call, headers = self._call, list(message.get("headers", ()))
            call.status = message["status"]
            call.generation = next((value.decode("ascii", "replace") for name, value in headers if name == b"headrace-generation"), None)
            call.is_stream = any(name == b"content-type" and value.startswith(STREAMS) for name, value in headers)
            self._began(call)
            if not any(name == ID for name, _ in headers):  # the rehearsal's vendors have ids of their own
                message = {**message, "headers": [*headers, (ID, call.id.encode())]}
        return self.rest(message)


def rest(send: Any) -> Send:
    """What sends the body once the head is sent."""
    found: Send = getattr(send, "rest", send)
    return found
