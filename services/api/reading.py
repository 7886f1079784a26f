"""What a request says, read and checked. Everything wrong is an error with a sentence, before any stream byte."""

from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from services.api.errors import ClientGone
from services.errors import BadRequest, UnsupportedMedia


async def json_object(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or "content-encoding" in request.headers:
        raise UnsupportedMedia("Send JSON, uncompressed, with the header `Content-Type: application/json`.")
    try:
        body = msgspec.json.decode(await request.body())
    except ClientDisconnect as exc:
        raise ClientGone from exc
    except (msgspec.DecodeError, RecursionError, UnicodeError) as exc:
        raise BadRequest(f"The body is not JSON: {exc}.") from exc
    if not isinstance(body, dict):
        raise BadRequest('The body must be a JSON object, such as {"messages": [{"role": "user", "content": "Hello"}]}.')
    return body


def wants_events(request: Request) -> bool:
    """EventSource always says so; curl and fetch say `*/*` and get the snapshot, unless they ask for a position."""
    query = request.query_params
    return "text/event-stream" in request.headers.get("accept", "") or "after" in query or "last-event-id" in request.headers


def position(request: Request) -> int:
    """Where to go on: the header of a reconnecting EventSource wins over the URL it was opened with."""
    return number(request.headers.get("last-event-id") or request.query_params.get("after") or "0")


def number(given: str) -> int:
    """A position in a stream. Raises BadRequest for anything but a short run of digits."""
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise BadRequest(f"A position is the number of the last entry you have, 0 for none; got {given[:40]!r}.")
    return int(given)
