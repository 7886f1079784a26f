"""Who asks: found out here for every request and websocket, once, before anything else looks at it. What they may do is `policies.py`."""

from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.policies import CHAT
from services.chat import Chat
from services.persons import ANYBODY, WHO


class Guard:
    """ASGI app around API and pages: what is behind it finds WHO and CHAT in the scope."""

    def __init__(self, app: ASGIApp, chat: Chat) -> None:
        self._app = app
        self._chat = chat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope[WHO] = ANYBODY
            scope[CHAT] = self._chat.of(ANYBODY)
        await self._app(scope, receive, send)
