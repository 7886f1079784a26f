"""What draws diagrams: a library that the framework brings along, served to frames that have no origin. Nothing here runs on a page."""

from collections.abc import Awaitable, Callable, MutableMapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nicegui import app

PATH = "/diagrams"
OWN = Path(__file__).parent / "static" / "diagrams"

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
    """A module is only given to a frame without an origin if everybody may read it; these files are public."""

    async def with_header(scope: Message, receive: Receive, send: Send) -> None:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"access-control-allow-origin", b"*")]
            await send(message)

        public = scope["type"] == "http" and scope["path"].startswith(f"{PATH}/")
        await pages(scope, receive, tell if public else send)

    return with_header
