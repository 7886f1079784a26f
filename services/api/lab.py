"""The client check over HTTP: runs and their reports, and for each case a base URL of its own.

    /lab/case/<run>/<case>/v1/chat/completions      asked by the client under check: the rehearsal, or Headrace, with the case's fault

Whatever the client asks for, the same words are said to it, so that it can be judged by them. What is noted: how often it asked, how
many bytes it was given, whether it left before the end.
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.compat import refusal_at
from services.api.errors import ClientGone, error_response, json_response
from services.api.policies import mine
from services.api.reading import json_object
from services.chat import Chat
from services.errors import HeadraceError, Invalid, NotFound
from services.lab.card import markdown, value
from services.lab.cases import Case
from services.lab.judging import Reported
from services.lab.runs import Run
from services.persons import LOCAL, WHO, Who

OFF = "The client check is off: it needs server.faults and rehearsal.enabled in settings.toml."
MODEL = "rehearsal/scenes"
_CASE = re.compile(r"/lab/case/([^/]+)/([^/]+)(/.*)?")
_OWN = re.compile(r"/(chat|ai/chat)(/.+)?")
_CHECKED = Who(LOCAL, frozenset({"chat"}))  # a client under check has a key of nobody; who knows the id of a run may rehearse in it
_GENERATION = re.compile(r"/chat/[^/]+")


class LabRoutes:
    """`on`: whether there is anything to be checked with."""

    def __init__(self, *, on: bool) -> None:
        self._on = on

    async def begin(self, request: Request) -> ASGIApp:
        """`POST /lab/runs`: a new run, with a base URL for each case."""
        if not self._on:
            raise NotFound(OFF)
        body = await json_object(request)
        dialect, client, only = body.get("dialect"), body.get("client", ""), body.get("only", [])
        names = only if isinstance(only, list) and all(isinstance(name, str) for name in only) else None
        if not isinstance(dialect, str) or not isinstance(client, str) or names is None:
            raise Invalid(
                'Expected {"dialect": "openai_chat", "client": "what to call it", "only": ["crlf"]}; the last two may be left out.'
            )
        return _told(mine(request).checks.begin(secrets.token_hex(12), dialect, client, time.time(), names), request, 201)

    async def look(self, request: Request) -> ASGIApp:
        """`GET /lab/runs/{id}`: how it stands; `?format=markdown` is its score card for people."""
        run = mine(request).checks.get(request.path_params["id"])
        if request.query_params.get("format") == "markdown":
            return json_response(markdown(run).encode(), media="text/markdown; charset=utf-8")
        return _told(run, request)

    async def report(self, request: Request) -> ASGIApp:
        """`POST /lab/runs/{id}/{case}`: what the client made of it. An error that is not null says that it knows of the failure."""
        run = mine(request).checks.get(request.path_params["id"])
        body = await _loose_object(request)
        text, error, silent = body.get("text", ""), body.get("error"), body.get("silent", False)
        if not isinstance(text, str) or not isinstance(error, str | None) or not isinstance(silent, bool):
            raise Invalid('Expected {"text": "all that it shows", "error": null or "what it says of the failure"}.')
        result = run.report(request.path_params["case"], Reported(text, error, silent))
        return json_response(msgspec.json.encode(result._asdict()))


class Cases:
    """ASGI app around the API, which is asked for Headrace's own paths; `mocks` are rehearsals by the scene that they play."""

    def __init__(self, app: ASGIApp, chat: Chat, mocks: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._chat = chat
        self._mocks = mocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _CASE.fullmatch(scope["path"])
        if asked is None:
            await self._app(scope, receive, send)
            return
        try:
            if not self._mocks:
                raise NotFound(OFF)
            run = self._chat.checks.get(asked[1])
            case = run.case(asked[2])
            rest = asked[3] or "/"
            app, scope, receive = await self._led(run, case, rest, scope, receive)
        except HeadraceError as exc:
            await error_response(exc, refusal_at(asked[3] or "/"))(scope, receive, send)
            return
        note = partial(run.note, case.name)
        counts = _counts(run, scope)
        note(asked=int(counts))
        await app(scope, *_noted(note, counts and not case.breaks, receive, send))

    async def _led(self, run: Run, case: Case, rest: str, scope: Scope, receive: Receive) -> tuple[ASGIApp, Scope, Receive]:
        """Where the request goes, as what."""
        if not run.surface.own:
            fault = f"/+{case.fault}" if case.fault else ""
            path = f"/rehearsal{fault}/{run.dialect}{rest}"
            return self._mocks[case.scene], {**scope, WHO: _CHECKED, "path": path, "raw_path": path.encode()}, receive
        if not _OWN.fullmatch(rest):
            raise NotFound(f"There is nothing at {rest[:200]} for a client under check: {run.surface.path}.")
        headers = [(name, said) for name, said in scope["headers"] if name != b"headrace-fault"]
        if case.fault and (not run.surface.resumes or self._is_first(run, case, rest, scope)):
            headers.append((b"headrace-fault", case.fault.encode()))
        query = urlencode([pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != "model"]).encode()
        if scope["method"] == "POST":
            receive = _once(_asking(rest, case, await _loose_object(Request(scope, receive))), receive)
        return self._app, {**scope, "path": rest, "raw_path": rest.encode(), "headers": headers, "query_string": query}, receive

    def _is_first(self, run: Run, case: Case, rest: str, scope: Scope) -> bool:
        seen = run.seen.get(case.name)
        return scope["method"] == "GET" and _GENERATION.fullmatch(rest) is not None and (seen is None or not seen.asked)


def _counts(run: Run, scope: Scope) -> bool:
    """Whether this is asking: where a stream is resumed, the POST only starts what is asked for."""
    return bool(scope["method"] == ("GET" if run.surface.resumes else "POST"))


def _asking(rest: str, case: Case, body: dict[str, Any]) -> bytes:
    """The turn that was asked for, with the words of the case."""
    said = {"id": "q", "parts": [{"type": "text", "text": case.scene}]} if rest.startswith("/ai/") else {"content": case.scene}
    return json.dumps({**body, "model": MODEL, "messages": [{"role": "user", **said}]}).encode()


def _once(body: bytes, receive: Receive) -> Receive:
    """A body that was read already; then what comes from the server."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return waiting.pop() if waiting else await receive()

    return given


def _noted(note: Callable[..., None], may_leave: bool, receive: Receive, send: Send) -> tuple[Receive, Send]:
    ended = False

    async def hear() -> Message:
        nonlocal ended
        message = await receive()
        if message["type"] == "http.disconnect" and not ended:
            ended = True
            if may_leave:
                note(left=1)
        return message

    async def tell(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.body":
            note(bytes=len(message.get("body", b"")))
            ended = ended or not message.get("more_body")
        await send(message)

    return hear, tell


def _told(run: Run, request: Request, status: int = 200) -> ASGIApp:
    return json_response(msgspec.json.encode(value(run, str(request.base_url).rstrip("/"))), status)


async def _loose_object(request: Request) -> dict[str, Any]:
    """As a client writes it, half a character (a lone surrogate) included, which the reader of the other paths refuses."""
    try:
        body = json.loads(await request.body())
    except ClientDisconnect as exc:
        raise ClientGone from exc
    except (ValueError, RecursionError) as exc:
        raise Invalid(f"The body is not JSON: {exc}.") from exc
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object.")
    return body
