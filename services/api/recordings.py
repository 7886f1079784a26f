"""Recordings over HTTP: kept, brought, listed, downloaded, deleted; and the hand on those that are being played."""

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from services.api.errors import ClientGone, json_response
from services.api.policies import mine
from services.api.reading import json_object
from services.api.records import SAFE
from services.chat import Found
from services.errors import BadRequest

ACTS = ("step", "play", "pause")
MEDIA = "application/jsonl"


class RecordingRoutes:
    async def list(self, request: Request) -> ASGIApp:
        """`GET /recordings`"""
        return _json({"recordings": await mine(request).recorder.all()})

    async def look(self, request: Request) -> ASGIApp:
        """`POST /recordings`: what is in the body, and the dialects that it seems to be in. Nothing is kept."""
        found = await mine(request).recorder.find(await _body(request))
        return _json({"found": [_told(number, one) for number, one in enumerate(found)]})

    async def get(self, request: Request) -> ASGIApp:
        """`GET /recordings/{name}`: the file."""
        name = request.path_params["name"]
        headers = {**SAFE, "content-disposition": f'attachment; filename="{name}.headrace"'}
        return Response(await mine(request).recorder.file(name), headers=headers, media_type=MEDIA)

    async def put(self, request: Request) -> ASGIApp:
        """`PUT /recordings/{name}?dialect=D&number=N`: the body becomes a recording, or takes the place of one."""
        query = request.query_params
        number = query.get("number", "0")
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            raise BadRequest(f"`number` counts the answers in the body, from 0; got {number[:40]!r}.")
        body = await _body(request)
        kept = await mine(request).recorder.bring(
            request.path_params["name"], body, number=int(number), dialect=query.get("dialect", ""), replace=True
        )
        return _json(kept, 201)

    async def delete(self, request: Request) -> ASGIApp:
        """`DELETE /recordings/{name}`"""
        await mine(request).recorder.drop(request.path_params["name"])
        return Response(status_code=204)

    async def keep(self, request: Request) -> ASGIApp:
        """`POST /chat/{id}/recording`: what the model server sent for a generation becomes a recording."""
        chat, id = mine(request), request.path_params["id"]
        await chat.recall(id)
        body = await json_object(request) if await _body(request) else {}
        options = {"name": "", "request": True, "replace": False, "attempt": 0} | body
        match options:
            case {"name": str(name), "request": bool(asked), "replace": bool(replace), "attempt": int(attempt)} if len(options) == 4:
                kept = await chat.keep_recording(id, name, attempt=attempt, request=asked, replace=replace)
                return _json(kept, 201)
        raise BadRequest('Known are {"name": "tools-1", "request": true, "replace": false, "attempt": 1}.')

    # Replays

    async def playbacks(self, request: Request) -> ASGIApp:
        """`GET /rehearsal/replays`"""
        return _json({"replays": mine(request).playbacks()})

    async def playback(self, request: Request) -> ASGIApp:
        """`GET /rehearsal/replays/{id}`"""
        return _json((await mine(request).player(request.path_params["id"])).state)

    async def act(self, request: Request) -> ASGIApp:
        """`POST /rehearsal/replays/{id}/step?reads=N`, `/play`, `/pause`"""
        player = await mine(request).player(request.path_params["id"])
        reads = request.query_params.get("reads", "1")
        if not (reads.isascii() and reads.isdigit() and 1 <= int(reads[:7]) <= 100_000):
            raise BadRequest(f"`reads` is a number from 1 to 100,000; got {reads[:40]!r}.")
        match request.path_params["act"]:
            case "step":
                player.step(int(reads))
            case "play":
                player.play()
            case "pause":
                player.pause()
            case other:
                raise BadRequest(f"A replay does not {other[:40]!r}: {', '.join(ACTS)}.")
        return _json(player.state)


async def _body(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect as exc:
        raise ClientGone from exc


def _told(number: int, found: Found) -> dict[str, object]:
    one = found.recording
    return {
        "number": number,
        "what": found.what,
        "dialect": found.guess.dialect,
        "because": found.guess.because,
        "status": one.status,
        "model": one.model,
        "reads": len(one.reads),
        "bytes": len(one.body),
        "ms": one.end.at,
        "timed": one.timed,
        "notes": found.notes,
    }


def _json(told: object, status: int = 200) -> ASGIApp:
    return json_response(msgspec.json.encode(told), status)
