"""The pages' websockets as a wire: from where they may be opened, and what is no message at all. Whose they are: ui/pages/asking.py.

Measured with NiceGUI 3.18: it takes a socket of any origin, and one that never says which page it is of; what it cannot read makes a
traceback in the log, which it also fills with what a browser asks it to.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from nicegui import Client, core

from ui.frames import ASGIApp, Message, Receive, Send

log = logging.getLogger(__name__)

HANDSHAKE = 10.0  # seconds


def harden() -> None:
    """Once, before the first page, after ui/pages/asking.py."""
    core.sio.eio.cors_allowed_origins = _own_origin
    core.sio.eio.logger.setLevel(logging.CRITICAL)  # its errors are a peer's doing: a traceback for each message that is none
    handlers = core.sio.handlers["/"]
    for event in ("event", "javascript_response", "ack"):
        handlers[event] = _whole(handlers[event])
    handlers["handshake"] = _complete(handlers["handshake"])
    handlers["log"] = _nothing
    core.sio.eio.handlers["message"] = _readable(core.sio.eio.handlers["message"])


def greeted(pages: ASGIApp) -> ASGIApp:
    """Closes a socket that is that of no page ten seconds after it was opened."""

    async def with_deadline(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await pages(scope, receive, send)
            return
        client_id = parse_qs(scope["query_string"].decode("latin-1")).get("client_id", [""])[0]
        now = asyncio.get_running_loop().time
        deadline = now() + HANDSHAKE
        known = False

        async def heard() -> Message:
            nonlocal known
            if not known and now() < deadline:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(deadline):
                        return await receive()
            known = known or _is_open(client_id)
            if known:
                return await receive()
            await send({"type": "websocket.close", "code": 1008})
            return {"type": "websocket.disconnect", "code": 1008}

        try:
            await pages(scope, heard, send)
        except Exception as exc:  # from here comes what is no frame of theirs at all; the connection is closed with it
            log.debug("a websocket failed: %r", exc)
            with suppress(Exception):
                await send({"type": "websocket.close", "code": 1002})

    return with_deadline


def _is_open(client_id: str) -> bool:
    client = Client.instances.get(client_id)
    return client is not None and client.has_socket_connection


def _own_origin(origin: str | None, environ: dict[str, Any]) -> bool:
    """The gate has seen to the Host; whether a proxy speaks TLS in front of us, we need not know."""
    return (origin or "").lower() in {f"{scheme}://{environ.get('HTTP_HOST', '').lower()}" for scheme in ("http", "https")}


def _whole(handle: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    """Every message of a page is an object that says which page it is of; whether it is the socket's own, ui/pages/asking.py knows."""

    def handle_whole(sid: str, message: Any = None, *_: object) -> None:
        if isinstance(message, dict) and isinstance(message.get("client_id"), str):
            handle(sid, message)

    return handle_whole


def _complete(handshake: Callable[[str, Any], Awaitable[bool]]) -> Callable[[str, Any], Awaitable[bool]]:
    async def handle_complete(sid: str, message: Any = None, *_: object) -> bool:
        told = message if isinstance(message, dict) else {}
        return all(isinstance(told.get(key), str) for key in ("client_id", "tab_id", "document_id")) and await handshake(sid, told)

    return handle_complete


def _readable(hear: Callable[[str, Any], Awaitable[None]]) -> Callable[[str, Any], Awaitable[None]]:
    """Who sends what cannot be read is hung up on, without a word in the log that anybody could fill so."""

    async def hear_readable(sid: str, data: Any) -> None:
        try:
            await hear(sid, data)
        except Exception as exc:
            log.debug("a websocket sent what cannot be read: %r", exc)
            await core.sio.eio.disconnect(sid)

    return hear_readable


def _nothing(*_: object) -> None:
    pass
