"""Faults on demand: one wrapper around the API, through which an answer goes out broken where its request asks for it.

    ?fault=crlf,split-bytes      Headrace-Fault: reset-middle      /rehearsal/+stall-middle=30/anthropic/v1/messages

Behind it everything stays whole: the generation runs, its log is complete, only this client's stream is broken. Requests that ask
for none pass with nothing in between. services/faults knows what a fault does; broken.py does it.
"""

import re
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.broken import Broken
from services.api.compat import refusal_at
from services.api.connection import connection_of
from services.api.errors import Endpoint, Methods, error_response, json_response
from services.errors import HeadraceError, Invalid
from services.faults import FAULTS
from services.faults.choosing import choose
from services.persons import WHO

LIST = "/rehearsal/faults"

# What answers with the words of a model. Lists of models and the like stay as they are, so that a whole SDK can be pointed here.
_ANSWERS = re.compile(
    r"/chat(/[^/]+)?|/v1/(chat/completions|completions|messages|responses(/[^/]+)?)|/api/(chat|generate)|/ai/chat(/.+/stream)?|/rehearsal/.+"
)
_SEGMENT = re.compile(r"/rehearsal/\+([^/]*)(?=/)")
_LINES = ("/api/", "/rehearsal/ollama")  # where streams are NDJSON
_FAMILIES = {
    "/rehearsal/openai_responses": "responses", "/rehearsal/openai": "openai", "/rehearsal/anthropic": "anthropic",
    "/rehearsal/gemini": "gemini", "/rehearsal/ollama": "ollama", "/v1/messages": "anthropic", "/v1/responses": "responses",
    "/v1/": "openai", "/api/": "ollama", "/ai/": "ai_sdk", "/chat": "headrace",
}  # fmt: skip


class Faults:
    """ASGI app around the API. `write_timeout` in seconds."""

    def __init__(self, app: ASGIApp, *, write_timeout: float = 30.0) -> None:
        self._app = app
        self._write_timeout = write_timeout
        self._list = Methods(GET=Endpoint("read", _listed))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == LIST:
            await self._list(scope, receive, send)
            return
        scope, asked = _asked(scope)
        if not asked or not _answers(scope) or scope.get(WHO) is None:  # nobody's connection is held open for who may not even ask
            await self._app(scope, receive, send)
            return
        try:
            chosen = choose(asked)
            chosen.check("lines" if scope["path"].startswith(_LINES) else "events")
            connection = connection_of(scope)
            if connection is None:
                raise Invalid("This server does not let its connections be broken on demand.")
        except HeadraceError as exc:
            await error_response(exc, refusal_at(scope["path"]))(scope, receive, send)
            return
        await Broken(chosen, scope, receive, send, connection, self._write_timeout).answer(self._app, _family(scope["path"]))


def _asked(scope: Scope) -> tuple[Scope, list[str]]:
    """What a request asks for, and the request without it."""
    asked = Headers(scope=scope).getlist("headrace-fault")
    query = scope["query_string"]
    if query.startswith(b"fault=") or b"&fault=" in query:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        asked += [value for name, value in pairs if name == "fault"]
        scope = {**scope, "query_string": urlencode([pair for pair in pairs if pair[0] != "fault"]).encode()}
    if segment := _SEGMENT.match(scope["path"]):
        asked.append(segment[1])
        path = "/rehearsal" + scope["path"][segment.end() :]
        scope = {**scope, "path": path, "raw_path": path.encode()}
    return scope, asked


def _answers(scope: Scope) -> bool:
    lists = scope["method"] != "POST" and (scope["path"] == "/chat" or scope["path"].startswith("/rehearsal"))
    return scope["method"] in ("GET", "POST") and not lists and _ANSWERS.fullmatch(scope["path"]) is not None


def _family(path: str) -> str:
    return next((family for prefix, family in _FAMILIES.items() if path.startswith(prefix)), "words")


async def _listed(request: Request) -> ASGIApp:
    """`GET /rehearsal/faults`"""
    faults = [
        {
            "name": fault.name,
            "does": fault.does,
            "expect": fault.expect,
            "outcomes": fault.outcomes,
            "applies_to": fault.kinds,
            "parameter": None if fault.takes is None else fault.takes._asdict(),
        }
        for fault in FAULTS.values()
    ]
    return json_response(msgspec.json.encode({"faults": faults}))
