"""Who may ask: pure ASGI, outermost, in front of the API and the pages. It reads headers and counts bytes, nothing else.

"It only listens on loopback" protects nothing: any web page in the user's browser can reach loopback. So a Host we do not
serve (DNS rebinding) is 421, another origin's POST, DELETE or websocket is 403, and a body over the limit is 413.
"""

from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.body import Body, too_large
from services.api.compat import refusal_at
from services.api.errors import error_response
from services.api.proxies import Proxies
from services.errors import Forbidden, Misdirected, RequestError, TooSlow

LOCAL = ("127.0.0.1", "localhost", "[::1]")
SAFE = ("GET", "HEAD", "OPTIONS")


class Gate:
    """`hosts` are names, with or without a port, that may stand in the Host header besides those of loopback.

    `origins` may call paths of the API, and nothing else. `proxies` are addresses, see proxies.py.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_api: Callable[[str], bool],
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        proxies: Collection[str] = (),
        max_body: int = 20_000_000,
        body_time: float = 60.0,
    ) -> None:
        self._app = app
        self._is_api = is_api
        self._hosts = {host.lower() for host in (*LOCAL, *hosts)}
        self._origins = set(origins)
        self._proxies = Proxies(proxies)
        self._max_body = max_body
        self._body_time = body_time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        self._proxies.apply(scope)
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            self._check_origin(scope, headers)
            self._check_size(headers)
        except RequestError as exc:
            await self._refuse(exc, scope, receive, send)
            return
        if scope["type"] == "http" and scope["method"] not in SAFE:
            await Body(self._app, self._refuse, scope, receive, send, most=self._max_body, patience=self._body_time).run()
        else:
            await self._app(scope, receive, send)

    def _check_host(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not ({hosts[0].lower(), _name(hosts[0].lower())} & self._hosts):
            raise Misdirected("This host name is not served here. Add it to server.hosts in settings.toml if it should be.")

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        if scope["type"] == "http" and scope["method"] in SAFE and not scope["path"].startswith("/_nicegui_ws"):
            return
        origin = headers.get("origin")
        if origin is None:
            if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
                raise Forbidden("Another site may not do this.")
        elif origin.lower() not in _own(headers["host"].lower()) and not (origin in self._origins and self._is_api(scope["path"])):
            raise Forbidden(f"The origin {origin[:100]!r} may not do this. Add it to server.cors_origins in settings.toml if it should.")

    def _check_size(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:15]) > self._max_body:
            raise too_large(self._max_body)

    async def _refuse(self, error: RequestError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        else:
            close = {"connection": "close"} if isinstance(error, TooSlow) else {}
            await error_response(error, refusal_at(scope["path"]), close)(scope, receive, send)


def _own(host: str) -> tuple[str, str]:
    return f"http://{host}", f"https://{host}"


def _name(host: str) -> str:
    """`localhost:8080` -> `localhost`; `[::1]:8080` -> `[::1]`. Anything odd stays odd and matches nothing."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host
