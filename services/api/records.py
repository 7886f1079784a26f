"""The record of a generation over HTTP: all of it as JSON, and what the upstream sent as it came."""

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from services.api.errors import json_response
from services.api.policies import mine
from services.chat import Record
from services.errors import BadRequest, NotFound
from services.record.told import ending, told

# Whatever a model server sent: it is saved, and no browser reads anything into it.
SAFE = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
}


class RecordRoutes:
    async def whole(self, request: Request) -> ASGIApp:
        """`GET /chat/{id}/record`: requests, reads and writes with their times, as far as they have come."""
        id = request.path_params["id"]
        record = await self._record(request)
        return json_response(await asyncio.to_thread(lambda: msgspec.json.encode({"id": id, **told(record)})))  # it may have megabytes

    async def upstream(self, request: Request) -> ASGIApp:
        """`GET /chat/{id}/upstream`: the body of the last answer of the model server, or of the one to request number `attempt`."""
        id = request.path_params["id"]
        record = await self._record(request)
        attempt = request.query_params.get("attempt", str(len(record.exchanges)))
        if not (attempt.isascii() and attempt.isdigit() and 1 <= int(attempt[:9]) <= len(record.exchanges)):
            raise BadRequest(f"There is no request {attempt[:40]!r} of this generation: {len(record.exchanges)} are on record.")
        exchange = record.exchanges[int(attempt) - 1]
        name = f"{id}.{ending(exchange)}"
        complete = str(not record.left_out).lower()
        headers = {**SAFE, "content-disposition": f'attachment; filename="{name}"', "headrace-complete": complete}
        return Response(exchange.reads.whole(), headers=headers, media_type=exchange.media or "application/octet-stream")

    async def _record(self, request: Request) -> Record:
        """Raises NotFound and Gone, too, as for the generation itself."""
        id, chat = request.path_params["id"], mine(request)
        await chat.recall(id)
        record = chat.record(id)
        if record is None:
            raise NotFound(
                "Nothing is on record of this generation: records end with the process, the oldest go first, or [record] is off."
            )
        return record
