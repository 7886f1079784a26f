"""The connection that a request came over, of which ASGI tells nothing: our server puts it into the scope."""

import asyncio

from starlette.types import Scope

CONNECTION = "headrace.connection"  # the extension of ASGI's scope that services/api/protocol.py fills in


def connection_of(scope: Scope) -> asyncio.Transport | None:
    """None: another server, or a test, runs this app."""
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(CONNECTION, {}).get("transport")
    return transport
