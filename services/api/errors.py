"""The API's error handler: every error before the first byte has one shape per dialect and the right status."""

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services import logs
from services.api.access import routed
from services.api.policies import Policy, check
from services.downstream.native import native_refusal
from services.errors import HeadraceError, MethodNotAllowed

log = logging.getLogger(__name__)

Refusal = Callable[[HeadraceError], bytes]
Handler = Callable[[Request], Awaitable[ASGIApp]]

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


STATUSES = {"invalid": 422, "first_byte_timeout": 504, "gap_timeout": 504, "total_timeout": 504, "connect_timeout": 504, "interrupted": 503}


class InternalError(HeadraceError):
    code = "internal"


class ClientGone(HeadraceError):
    """The client left before it was answered. The answer goes nowhere; 499 is what nginx calls it."""

    code = "client_gone"
    status = 499


class UpstreamFailure(HeadraceError):
    """A generation that failed before anything was sent: the upstream's own status goes on, so that SDKs retry rightly."""

    def __init__(self, message: str, code: str, status: int | None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status if status is not None and 400 <= status <= 599 else STATUSES.get(code, 502)
        self.retry_after = retry_after


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None, media: str = "application/json") -> Response:
    return Response(body, status, {**HEADERS, **(headers or {})}, media_type=media)


def error_response(error: HeadraceError, refusal: Refusal = native_refusal, headers: dict[str, str] | None = None) -> Response:
    retry_after = getattr(error, "retry_after", None)
    more = {"retry-after": f"{retry_after:.0f}"} if retry_after is not None else {}
    body = _with_request_id(refusal(error))
    if error.status == 401:
        more["www-authenticate"] = "Bearer"
    media = "application/json" if body[:1] == b"{" else "text/plain"  # one dialect's clients show people the body as it is
    return json_response(body, error.status, {**more, **(headers or {})}, media)


def _with_request_id(body: bytes) -> bytes:
    """At the top, where Anthropic has it. A body that is a sentence for people stays as it is."""
    id = logs.request.get()
    if not id or body[:1] != b"{":
        return body
    return b'%b,"request_id":"%b"}' % (body.removesuffix(b"}").removesuffix(b',"request_id":null'), id.encode())


class Endpoint:
    """An ASGI app around a handler, for whom the policy allows: what the handler raises becomes an answer in the dialect's shape."""

    def __init__(self, policy: Policy, handler: Handler, refusal: Refusal = native_refusal) -> None:
        self.policy = policy
        self._handler = handler
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check(self.policy, scope)
            response = await self._handler(Request(scope, receive))
        except HeadraceError as exc:
            response = error_response(exc, self._refusal)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            response = error_response(InternalError("Headrace itself failed here; its log has the details."), self._refusal)
        await response(scope, receive, send)


class Methods:
    """An ASGI app per method, in `by_method`. Anything else is 405, in the dialect's shape."""

    pattern = ""  # the path it stands at, as the table of routes has it

    def __init__(self, refusal: Refusal = native_refusal, **by_method: Endpoint) -> None:
        self.by_method = by_method
        self._refusal = refusal
        if "GET" in by_method:
            by_method["HEAD"] = by_method["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        routed(scope, self.pattern)
        endpoint = self.by_method.get(scope["method"])
        if endpoint is None:
            allowed = ", ".join(self.by_method)
            error = MethodNotAllowed(f"{scope['method']} is not possible here: {allowed}.")
            await error_response(error, self._refusal, {"allow": allowed})(scope, receive, send)
        else:
            await endpoint(scope, receive, send)
