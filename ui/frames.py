"""What is shown in frames that have no origin: diagrams, and pictures from elsewhere. Nothing here runs on a page.

A frame is one of two documents in ui/static/frames; ui/static/apart.js makes it and sends it what to show. Each has a policy
that lets it load its own scripts and, where it is for pictures, the one picture that somebody asked for: the page itself never may.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nicegui import app

PATH = "/frames"
OWN = Path(__file__).parent / "static" / "frames"
POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src {images}; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
IMAGES = {f"{PATH}/diagram.html": "data:", f"{PATH}/picture.html": "http: https:"}

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]


def serve() -> None:
    """Once, before the first page. Loads nothing: the files are found, and read when a browser asks."""
    if spec := find_spec("nicegui"):
        app.add_static_files(f"{PATH}/mermaid", Path(spec.origin or "").parent / "elements" / "mermaid" / "dist")
    app.add_static_files(PATH, OWN)


def opened(pages: ASGIApp) -> ASGIApp:
    """A script is only given to a frame without an origin if everybody may read it; these files are public."""

    async def with_headers(scope: Message, receive: Receive, send: Send) -> None:
        headers = [(b"access-control-allow-origin", b"*"), (b"cross-origin-resource-policy", b"cross-origin")]
        if images := IMAGES.get(scope.get("path", "")):
            headers.append((b"content-security-policy", POLICY.format(images=images).encode()))

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        public = scope["type"] == "http" and scope["path"].startswith(f"{PATH}/")
        await pages(scope, receive, tell if public else send)

    return with_headers
