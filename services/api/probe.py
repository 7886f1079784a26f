"""The doctor's probe: `/lab/probe/{ticket}` streams ticks, each with the moment when it was sent, to who has a ticket."""

import asyncio
import json
from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp

from services.api.errors import json_response
from services.doctor.findings import STEP, TICKS
from services.doctor.tickets import Tickets
from services.errors import NotFound

HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}


class Probe:
    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets

    async def stream(self, request: Request) -> ASGIApp:
        """`GET /lab/probe/{ticket}`: ticks, then the silence of a heartbeat, and one more; `?short`: without these."""
        ticket = self._checked(request)
        short = "short" in request.query_params
        media = "text/event-stream; charset=utf-8"
        return StreamingResponse(self._told(ticket, 0.0 if short else self._tickets.pause), headers=HEADERS, media_type=media)

    async def answer(self, request: Request) -> ASGIApp:
        """`POST /lab/probe/{ticket}`: whether a page of the origin that asks may."""
        return json_response(json.dumps({"ticket": self._checked(request)}).encode())

    async def _told(self, ticket: str, pause: float) -> AsyncGenerator[bytes, None]:
        now = asyncio.get_running_loop().time
        began = now()
        for wait in (0.0, *[STEP] * (TICKS - 1), *([pause] if pause else [])):
            await asyncio.sleep(wait)
            yield f"data: {json.dumps({'ticket': ticket, 'at': round(now() - began, 4)})}\n\n".encode()

    def _checked(self, request: Request) -> str:
        ticket: str = request.path_params["ticket"]
        if not self._tickets.use(ticket):
            raise NotFound("There is no such ticket, or it is over: the lab makes one for each examination.")
        return ticket
