"""The body of a request, counted and timed. Past a limit the client is answered at once, and the app is told that it has left."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.access import rest
from services.errors import RequestError, TooLarge, TooSlow

SLOWEST = 10_000  # bytes a second, once the first `patience` seconds are over

Refuse = Callable[[RequestError, Scope, Receive, Send], Awaitable[None]]


class Body:
    """ASGI call of `app` with one request. `most` in bytes, `patience` in seconds; `refuse` answers what is past them."""

    def __init__(self, app: ASGIApp, refuse: Refuse, scope: Scope, receive: Receive, send: Send, *, most: int, patience: float) -> None:
        self._app, self._refuse = app, refuse
        self._scope, self._receive, self._send = scope, receive, send
        self._most, self._patience = most, patience
        self._came = 0
        self._begun = self._complete = self._refused = False

    async def run(self) -> None:
        self._since = asyncio.get_running_loop().time()

        def tell(message: Message) -> Awaitable[None]:
            self._begun = True
            return self._no_more() if self._refused else self._send(message)

        tell.rest = rest(self._send)  # type: ignore[attr-defined]
        await self._app(self._scope, self._counted, tell)

    async def _counted(self) -> Message:
        if self._complete:
            return await self._receive()  # the next thing a client can say is that it left
        if self._refused:
            return {"type": "http.disconnect"}
        try:
            async with asyncio.timeout_at(self._since + self._patience + self._came / SLOWEST):
                message = await self._receive()
        except TimeoutError:
            return await self._leave(TooSlow("The body of the request came too slowly."))
        self._came += len(message.get("body", b""))
        if self._came > self._most:
            return await self._leave(too_large(self._most))
        self._complete = not message.get("more_body", False)
        return message

    async def _leave(self, error: RequestError) -> Message:
        self._refused = True
        if not self._begun:
            await self._refuse(error, self._scope, self._receive, self._send)
        return {"type": "http.disconnect"}

    async def _no_more(self) -> None:
        """The client has its answer."""


def too_large(most: int) -> TooLarge:
    return TooLarge(f"The request is larger than {most:,} bytes (server.max_body).")
