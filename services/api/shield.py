"""The headers that tell browsers what an answer of ours may do. Outermost but for CORS, so that no answer is without them.

A page runs the scripts that carry its nonce, which is in `scope["csp_nonce"]`, and those of the page framework; it loads
nothing from elsewhere and is in nobody's frame. `'unsafe-eval'` stays, as the framework evaluates what it sends to its page.
Texts become markup by one of four policies only (Trusted Types): whatever else assigns `innerHTML` is cleaned, or refused.
An answer that has a policy of its own keeps it.
"""

import logging
import re
import secrets
from collections.abc import Awaitable, Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.access import rest
from services.api.compat import refusal_at
from services.api.errors import InternalError, error_response

log = logging.getLogger(__name__)

NONCE = "csp_nonce"

# "default": ui/static/trusted.js; "vue" and "dompurify" are those libraries' own; "prose": what ui/markdown has rendered
PAGE = """
default-src 'none';
script-src 'nonce-{nonce}' 'unsafe-eval' {framework};
script-src-attr 'none';
style-src 'self' 'unsafe-inline';
img-src 'self' data: blob:;
font-src 'self' data:;
media-src 'self' data: blob:;
connect-src 'self'{sockets};
frame-src {frames};
manifest-src 'self';
worker-src 'none';
object-src 'none';
base-uri 'none';
form-action 'self';
frame-ancestors 'none';
require-trusted-types-for 'script';
trusted-types default vue dompurify prose 'allow-duplicates'
""".replace("\n", " ").strip()
NO_PAGE = b"default-src 'none'; frame-ancestors 'none'"

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
FRAMEWORK, FRAMES = "/_nicegui/", "/frames/"  # what is below them is ours alone: scripts for pages, documents for frames
PLAIN_HOST = re.compile(r"[a-z0-9._-]+(:[0-9]{1,5})?")


class Shield:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[NONCE] = secrets.token_urlsafe(18)
        begun = False

        def shielded(message: Message) -> Awaitable[None]:  # no coroutine of its own, which each chunk of a stream would pay for
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = _with_policy(message.get("headers", ()), scope)
            return send(message)

        shielded.rest = rest(send)  # type: ignore[attr-defined]  # only the head concerns us
        try:
            await self._app(scope, receive, shielded)
        except Exception:
            if begun:
                raise
            log.exception("%s %r failed", scope["method"], scope["path"])
            error = InternalError("Headrace itself failed here; its log has the details.")
            await error_response(error, refusal_at(scope["path"]))(scope, receive, shielded)


def _with_policy(sent: Iterable[tuple[bytes, bytes]], scope: Scope) -> list[tuple[bytes, bytes]]:
    headers = list(sent)
    given = {name.lower(): value for name, value in headers}
    if b"content-security-policy" not in given:
        html = given.get(b"content-type", b"").startswith(b"text/html")
        headers += [(b"content-security-policy", _policy(scope).encode() if html else NO_PAGE), (b"x-frame-options", b"DENY")]
    return headers + [(name, value) for name, value in ALWAYS if name not in given]


def _policy(scope: Scope) -> str:
    """For the host that was asked for. A policy cannot name a folder of an IPv6 address: there, the whole origin has to do."""
    host = Headers(scope=scope).get("host", "").lower()
    if PLAIN_HOST.fullmatch(host):
        framework, frames, sockets = host + FRAMEWORK, host + FRAMES, f" ws://{host} wss://{host}"
    else:
        framework, frames, sockets = "'self'", "'self'", ""
    return PAGE.format(nonce=scope[NONCE], framework=framework, frames=frames, sockets=sockets)
