"""The way in: a page of plain HTML, which works without scripts and costs no page of the framework's, and the cookie that it leads to."""

from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from services.api.credentials import COOKIE, SECURE
from services.api.credentials import shown as credentials
from services.api.errors import ClientGone, error_response
from services.errors import HeadraceError, RequestError, TooLarge, Unauthorized, UnsupportedMedia
from services.people.oidc import LASTS, Provider
from services.people.people import People
from services.persons import WHO, Entrance, Session, Who

LARGEST = 8_000  # bytes of the form
FLOW = "headrace-login"  # the cookie of who is on the way to a provider and back
# No scripts, nothing from elsewhere. `same-origin`, as a form of a page without referrers is sent with the origin `null`.
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "x-frame-options": "DENY",
}


Draw = Callable[[Entrance], str]  # HTML


class Login:
    def __init__(self, people: People, draw: Draw, *, secure: bool, provider: Provider | None = None) -> None:
        self._people = people
        self._provider = provider
        self._draw = draw
        self._secure = secure

    async def page(self, request: Request) -> ASGIApp:
        """`GET /login`"""
        wanted = local(request.query_params.get("next", ""))
        if self._people.open or await self._session(request):
            return _to(wanted)
        await self._people.load()
        return self._page(request, next=wanted)

    async def post(self, request: Request) -> ASGIApp:
        """`POST /login`: a form with `name`, `password` and `next`."""
        form = await _form(request)
        if self._people.terms.kind != "password":
            return _to("/login" if self._provider else local(form.get("next", "")))
        name, wanted = form.get("name", "")[:200], local(form.get("next", ""))
        address = request.client.host if request.client else ""
        try:
            session, token = await self._people.login(name, form.get("password", ""), address)
        except RequestError as exc:
            return self._page(request, exc, name=name, next=wanted)
        return await self.entered(request, session, token, wanted)

    async def entered(self, request: Request, session: Session, token: str, wanted: str) -> Response:
        """A new session in a new cookie: what the browser had before is worth nothing any more."""
        if before := await self._session(request):
            await self._people.logout(before.session)
        answer = _to(wanted)
        answer.set_cookie(
            SECURE if self._secure else COOKIE,
            token,
            max_age=int(self._people.terms.session),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    async def leave(self, request: Request) -> ASGIApp:
        """`GET /login/oidc`: to the provider, and back from there to the next one."""
        if self._provider is None:
            return _to("/login")
        wanted = local(request.query_params.get("next", ""))
        try:
            there, flow = await self._provider.begin(wanted)
        except RequestError as exc:
            return self._page(request, exc, next=wanted)
        answer = _to(there)
        answer.set_cookie(FLOW, flow, max_age=int(LASTS), path="/login", secure=self._secure, httponly=True, samesite="lax")
        return answer

    async def come_back(self, request: Request) -> ASGIApp:
        """`GET /login/callback`, with what the provider says: `state` and `code`, or `error`."""
        query = request.query_params
        if self._provider is None or "error" in query:
            return self._page(request, Unauthorized("The provider did not let you in. Try again.")) if self._provider else _to("/login")
        try:
            claimed, wanted = await self._provider.finish(query.get("state", ""), query.get("code", ""), request.cookies.get(FLOW, ""))
            person = await self._people.subject(claimed.subject, claimed.name, admin=claimed.admin)
            session, token = await self._people.enter(person)
        except RequestError as exc:
            return self._page(request, exc)
        answer = await self.entered(request, session, token, wanted)
        answer.delete_cookie(FLOW, path="/login")
        return answer

    async def logout(self, request: Request) -> ASGIApp:
        """`POST /logout`"""
        who: Who | None = request.scope.get(WHO)
        if who and who.session:
            await self._people.logout(who.session)
        answer = _to("/login")
        answer.delete_cookie(SECURE if self._secure else COOKIE, path="/", secure=self._secure, httponly=True, samesite="lax")
        return answer

    async def _session(self, request: Request) -> Who | None:
        cookie = credentials(request.scope, SECURE if self._secure else COOKIE).cookie
        return await self._people.by_cookie(cookie) if cookie else None

    def _page(self, request: Request, error: HeadraceError | None = None, *, name: str = "", next: str = "/") -> ASGIApp:
        accepted = request.headers.get("accept-language", "")
        shown = Entrance(self._people.terms.kind, self._people.several, name, next, error.message if error else "", accepted)
        answer = Response(self._draw(shown), error.status if error else 200, HEADERS, "text/html; charset=utf-8")
        if error and "retry-after" in (told := error_response(error).headers):
            answer.headers["retry-after"] = told["retry-after"]
        return answer


def local(target: str) -> str:
    """A path of ours, whatever was asked for: a login must lead nowhere else."""
    plain = target.isprintable() and target.isascii() and not target.startswith(("//", "/\\", "/login", "/logout"))
    return target if target.startswith("/") and plain and "\\" not in target else "/"


def _to(target: str) -> Response:
    return Response(status_code=303, headers={"location": target, "cache-control": "no-store"})


async def _form(request: Request) -> dict[str, str]:
    """Raises UnsupportedMedia, TooLarge."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("Send the form of /login.")
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST:
                raise TooLarge("The form is too large.")
    except ClientDisconnect as exc:
        raise ClientGone from exc
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError as exc:
        raise TooLarge("The form is too large.") from exc
    return {name: values[0] for name, values in fields.items()}
