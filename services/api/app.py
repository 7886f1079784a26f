"""Which request goes where: one ASGI app that puts the gate in front and parts the API from the pages.

API paths never enter the page framework's app: its middleware costs a stream two to three times as much CPU per chunk.
"""

import asyncio
from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.gate import Gate
from services.api.routes import API, PATHS
from services.chat import Chat

EXPOSED = ("headrace-generation", "location", "retry-after")


def build(
    chat: Chat,
    pages: ASGIApp,
    *,
    hosts: Sequence[str] = (),
    cors_origins: Sequence[str] = (),
    max_body: int = 20_000_000,
    idle: float = 15.0,
    write_timeout: float = 30.0,
) -> ASGIApp:
    """The whole of Headrace as one ASGI app."""
    api: ASGIApp = API(chat, idle=idle, write_timeout=write_timeout).router()
    if cors_origins:
        methods = ("GET", "POST", "DELETE")
        api = CORSMiddleware(api, cors_origins, allow_methods=methods, allow_headers=("*",), expose_headers=EXPOSED, max_age=600)
    return Gate(_Switch(chat, api, pages), hosts=hosts, origins=cors_origins, max_body=max_body)


class _Switch:
    def __init__(self, chat: Chat, api: ASGIApp, pages: ASGIApp) -> None:
        self._chat = chat
        self._api = api
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._asking = asyncio.get_running_loop().create_task(self._chat.refresh_models())
            await self._pages(scope, receive, send)
        elif scope["type"] == "http" and _is_api(scope["path"]):
            await self._api(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def _is_api(path: str) -> bool:
    return any(path == prefix or path.startswith(prefix + "/") for prefix in PATHS)
