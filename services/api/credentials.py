"""What a request shows for who it is: a key in one of three headers, or a login's cookie. What they are worth, services.people knows."""

import re
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import Scope

from services.errors import BadRequest, Unauthorized

COOKIE = "headrace"
SECURE = "__Host-headrace"  # over TLS: no other host, and no page over plain HTTP, can set it
OURS = "hr_"  # how our keys begin
SHOWING = frozenset((b"authorization", b"x-api-key", b"x-goog-api-key", b"cookie"))
BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
IN_QUERY = re.compile(rb"(^|&)(key|api_key|access_token)=")
LONGEST = 4096  # characters of a key


class Shown(NamedTuple):
    """`key` is None where there is none, "" for a header that holds none of ours: SDKs always send something."""

    key: str | None = None
    cookie: str | None = None


def shown(scope: Scope, cookie: str) -> Shown:
    """Raises Unauthorized for two different keys, and for what is none."""
    if not any(name in SHOWING for name, _ in scope["headers"]):
        return Shown()
    headers = Headers(scope=scope)
    keys = {_bearer(value) for value in headers.getlist("authorization")}
    keys |= {value.strip() for name in ("x-api-key", "x-goog-api-key") for value in headers.getlist(name)}
    ours = {key for key in keys if key.startswith(OURS)} or keys
    if len(ours) > 1:
        raise Unauthorized("Two different keys came with this request: send one.")
    key = next(iter(ours), None)
    return Shown(key[:LONGEST] if key is not None else None, _cookie(headers, cookie))


def refuse_in_query(scope: Scope) -> None:
    """An address is written down in too many places. Raises BadRequest."""
    if IN_QUERY.search(scope.get("query_string", b"")):
        raise BadRequest("A key does not belong into an address: send it as `Authorization: Bearer` or `x-api-key`.")


def from_here(scope: Scope) -> bool:
    """A cookie comes by itself, so it only counts for what our own pages ask, or somebody who has typed the address."""
    headers = Headers(scope=scope)
    origin = headers.get("origin", "")
    own = not origin or origin.partition("://")[2].lower() == headers.get("host", "").lower()
    return own and headers.get("sec-fetch-site") in (None, "same-origin", "none")


def _bearer(value: str) -> str:
    found = BEARER.fullmatch(value.strip())
    return found[1] if found else ""


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found else None
