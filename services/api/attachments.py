"""Attached files over HTTP: one is sent as it is, and kept; it is read again by its hash, in a way in which no browser runs it."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from services.api.errors import HEADERS, ClientGone, json_response
from services.api.policies import mine
from services.chat import Chat
from services.downstream.native import native_refusal
from services.errors import BadRequest, HeadraceError

# Whatever is in it: no scripts, nothing loaded, no other page's business; and it never changes, as its name is its content's.
SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, max-age=31536000, immutable",
}
LINES = "application/x-ndjson"


class Attachments:
    async def post(self, request: Request) -> ASGIApp:
        """`POST /attachments?name=N`: the body is the file. Who accepts lines of JSON is told how far it is read, then what it is."""
        name = request.query_params.get("name", "")
        if not name:
            raise BadRequest("Give the file a name: POST /attachments?name=notes.txt, with the file as the body.")
        try:
            body = await request.body()
        except ClientDisconnect as exc:
            raise ClientGone from exc
        if LINES in request.headers.get("accept", ""):
            return StreamingResponse(self._told(mine(request), name, body), media_type=LINES, headers=HEADERS)
        file = await mine(request).attach(name, body)
        return json_response(msgspec.json.encode(file), 201, {"location": f"/attachments/{file.hash}"})

    async def _told(self, chat: Chat, name: str, body: bytes) -> AsyncIterator[bytes]:
        """`{"read": 3, "pages": 12}` as it is read, then the file, or `{"error": {...}}`. Who leaves ends the reading."""
        lines: asyncio.Queue[bytes] = asyncio.Queue()
        reading = asyncio.get_running_loop().create_task(self._attach(chat, name, body, lines))
        try:
            while line := await lines.get():
                yield line
        finally:
            reading.cancel()

    async def _attach(self, chat: Chat, name: str, body: bytes, lines: "asyncio.Queue[bytes]") -> None:
        try:
            file = await chat.attach(name, body, lambda read, pages: lines.put_nowait(b'{"read":%d,"pages":%d}\n' % (read, pages)))
            lines.put_nowait(msgspec.json.encode(file) + b"\n")
        except HeadraceError as exc:
            lines.put_nowait(native_refusal(exc) + b"\n")
        finally:
            lines.put_nowait(b"")

    async def get(self, request: Request) -> ASGIApp:
        """`GET /attachments/{hash}`: a picture to look at, anything else to save."""
        media, body = await mine(request).attachment(request.path_params["hash"])
        shown = "inline" if media.startswith("image/") else "attachment"
        return Response(body, headers={**SAFE, "content-disposition": shown}, media_type=media)
