"""What a request says, read and checked. Everything wrong is an error with a sentence, before any stream byte."""

from typing import Any

from starlette.requests import ClientDisconnect, Request

from services.api.errors import ClientGone
from services.errors import BadRequest, Invalid, UnsupportedMedia
from services.wire import strict

# What other relays let a request choose: here it is set where the servers are, and a request that tries is told so.
NOT_FOR_REQUESTS = frozenset(("base_url", "baseURL", "baseUrl", "api_base", "apiUrl", "endpoint", "proxy", "url"))


async def json_object(request: Request) -> dict[str, Any]:
    kind, _, more = request.headers.get("content-type", "").lower().partition(";")
    charset = more.replace(" ", "").replace('"', "")
    if kind.strip() != "application/json" or "content-encoding" in request.headers or charset not in ("", "charset=utf-8"):
        curl = " With curl: --json in the place of -d." if kind.strip() == "application/x-www-form-urlencoded" else ""
        raise UnsupportedMedia(f"Send JSON in UTF-8, uncompressed, with the header `Content-Type: application/json`.{curl}")
    try:
        body = strict.decode(await request.body())
    except ClientDisconnect as exc:
        raise ClientGone from exc
    except ValueError as exc:
        raise BadRequest(f"The body is not JSON: {exc}.") from exc
    if not isinstance(body, dict):
        raise BadRequest('The body must be a JSON object, such as {"messages": [{"role": "user", "content": "Hello"}]}.')
    if chosen := sorted(NOT_FOR_REQUESTS & body.keys()):
        raise Invalid(f"Where a model server is, is a matter of the settings: no request may say {', '.join(map(repr, chosen))}.")
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
