"""Who asks: found out here for every request and websocket, once, before anything else looks at it. What they may do is `policies.py`.

Without a login whoever comes is the one person there is; a key of ours that comes along all the same has to be a valid one, and counts.
With a login, a key opens the API and the cookie of a session the pages and, for what they ask, the API. All else is denied, but for what
a page is made of and the way in.
"""

import re
from contextlib import ExitStack
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.compat import refusal_at
from services.api.credentials import COOKIE, OURS, SECURE, from_here, refuse_in_query, shown
from services.api.errors import error_response
from services.api.passes import Passes
from services.api.policies import CHAT
from services.api.routes import is_api
from services.chat import Chat
from services.errors import HeadraceError, Unauthorized
from services.persons import ANYBODY, WHO, Who

# Scripts, styles and pictures of ours and of the page framework: the same for everybody, and in this repository.
PARTS = re.compile(r"/(static|frames)/.*|/favicon\.ico|/_nicegui/\d[^/]*/(static|libraries|components|resources|esm|dynamic_resources)/.*")
NOT_VALID = "This key is not valid: it is mistyped, was revoked, or has expired."


class Guard:
    """ASGI app around API and pages: what is behind it finds WHO and CHAT in the scope; neither of them for nobody."""

    def __init__(self, app: ASGIApp, chat: Chat, *, secure: bool = False) -> None:
        self._app = app
        self._chat = chat
        self._people = chat.people
        self._cookie = SECURE if secure else COOKIE
        self._passes = Passes()
        chat.people.watch(self._passes.end)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        api = scope["type"] == "http" and is_api(scope["path"])
        try:
            who = await (self._by_key_or_cookie(scope) if api else self._by_cookie(scope))
            if who is None and not api and not PARTS.fullmatch(scope["path"]):
                await self._turn_away(scope, receive, send)
                return
            if who is None or who is ANYBODY:  # nothing that could end, or be counted
                if who is not None:
                    scope[WHO], scope[CHAT] = who, self._chat.of(who)
                await self._app(scope, receive, send)
                return
            with ExitStack() as until_the_end:
                self._let_in(who, scope, until_the_end)
                await self._app(scope, receive, send)
        except HeadraceError as exc:
            await self._refuse(exc, scope, receive, send)

    def _let_in(self, who: Who, scope: Scope, until_the_end: ExitStack) -> None:
        """Raises TooMany."""
        scope[WHO] = who
        scope[CHAT] = self._chat.of(who)
        if counted := self._people.counted(who):
            counted.enter(who.key)
            until_the_end.callback(counted.leave, who.key)
        if who.key or who.session:
            until_the_end.enter_context(self._passes.given(who.key or who.session, scope))

    async def _by_key_or_cookie(self, scope: Scope) -> Who | None:
        """Raises Unauthorized for a key that is none, and BadRequest for one in the address."""
        people = self._people
        if not (people.open and scope["path"].startswith("/rehearsal")):  # there it is the client of another vendor who says so
            refuse_in_query(scope)
        key, cookie = shown(scope, self._cookie)
        foreign = people.open or scope["path"].startswith("/lab/case/")  # the key may be a client's word for something else
        if key is not None and (key.startswith(OURS) or not foreign):
            if who := await people.by_key(key):
                return who
            raise Unauthorized(NOT_VALID)
        if people.open:
            return ANYBODY
        return await people.by_cookie(cookie) if cookie and from_here(scope) else None

    async def _by_cookie(self, scope: Scope) -> Who | None:
        if self._people.open:
            return ANYBODY
        cookie = shown(scope, self._cookie).cookie
        return await self._people.by_cookie(cookie) if cookie else None

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        """To the way in, who looks for a page."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and not scope["path"].startswith("/_nicegui"):
            query = scope["query_string"].decode("latin-1")
            wanted = quote(scope["path"] + (f"?{query}" if query else ""), safe="")
            there = f"/login?next={wanted}" if wanted != "%2F" else "/login"
            await Response(status_code=303, headers={"location": there, "cache-control": "no-store"})(scope, receive, send)
        else:
            await self._refuse(Unauthorized("Log in first, at /login."), scope, receive, send)

    async def _refuse(self, error: HeadraceError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        else:
            await error_response(error, refusal_at(scope["path"]))(scope, receive, send)
