"""The models there are, asked for in the ways of OpenAI's, Anthropic's and Ollama's clients, and what else those clients ask for."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp

from services.api.errors import Endpoint, Methods, error_response, json_response
from services.api.native import ASKED_ONCE
from services.api.policies import mine
from services.api.reading import json_object
from services.api.replies import Replies
from services.downstream import WRITERS, listings
from services.downstream.ollama import loaded
from services.downstream.ollama_turns import only_loads
from services.errors import BadRequest, HeadraceError, NotFound
from services.models import Listing

List = Callable[[Sequence[Listing]], dict[str, Any]]

# What Ollama's own server does to the models on its disk, and what it computes besides answers.
NOT_HERE = {
    "/api/pull": "POST", "/api/push": "POST", "/api/create": "POST", "/api/copy": "POST", "/api/delete": "DELETE",
    "/api/embed": "POST", "/api/embeddings": "POST",
}  # fmt: skip


class NotOffered(HeadraceError):
    """Ollama's clients take a 404 for a model that has to be pulled."""

    code = "not_offered"
    status = 501


class Listings:
    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def models(self, request: Request) -> ASGIApp:
        """`GET /v1/models`: OpenAI's list, or a page of Anthropic's for who names a version of Anthropic's API."""
        query = request.query_params

        def page(known: Sequence[Listing]) -> dict[str, Any]:
            return listings.anthropic_models(known, query.get("limit"), query.get("after_id"), query.get("before_id"))

        return await self._either(request, listings.openai_models, page)

    async def model(self, request: Request) -> ASGIApp:
        """`GET /v1/models/{id}`, likewise."""
        id = request.path_params["id"]
        return await self._either(
            request, lambda known: listings.openai_model(known, id), lambda known: listings.anthropic_model(known, id)
        )

    async def _either(self, request: Request, openai: List, anthropic: List) -> ASGIApp:
        known = await mine(request).refresh_models(ASKED_ONCE)
        if "anthropic-version" not in request.headers:
            return _json(openai(known))
        try:
            return _json(anthropic(known))
        except HeadraceError as exc:
            return error_response(exc, WRITERS["anthropic"].refusal)

    async def count_tokens(self, request: Request) -> ASGIApp:
        """`POST /v1/messages/count_tokens`"""
        raise NotFound("Headrace does not count tokens: how a text becomes tokens is known to the server of a model only.")

    # Ollama

    async def tags(self, request: Request) -> ASGIApp:
        """`GET /api/tags`"""
        return _json(listings.ollama_tags(await mine(request).refresh_models(ASKED_ONCE)))

    async def show(self, request: Request) -> ASGIApp:
        """`POST /api/show`"""
        body = await json_object(request)
        name = body.get("model") or body.get("name")
        if not isinstance(name, str):
            raise BadRequest("`model` is missing: say which model to show.")
        return _json(listings.ollama_show(await mine(request).refresh_models(ASKED_ONCE), name))

    async def version(self, request: Request) -> ASGIApp:
        """`GET /api/version`"""
        return _json({"version": listings.OLLAMA})

    async def running(self, request: Request) -> ASGIApp:
        """`GET /api/ps`: nothing is held in memory here."""
        return _json({"models": []})

    async def not_here(self, request: Request) -> ASGIApp:
        place = request.scope["path"]
        raise NotOffered(f"This is Headrace, which leads to model servers and holds no models: {place} is a matter for Ollama itself.")

    def ollama_posts(self, dialect: str) -> Methods:
        """`POST` of a turn; one that says nothing loads the model, as Ollama has it, so all it needs is to be there."""
        writer = WRITERS[dialect]

        async def post(request: Request) -> ASGIApp:
            body = await json_object(request)
            if not only_loads(body):
                return await self._replies.answer(request, writer, body)
            name = body.get("model")
            if not isinstance(name, str) or not name:
                raise BadRequest("`model` is missing: say which model to load.")
            full, _ = listings.find(await mine(request).refresh_models(ASKED_ONCE), name)
            return json_response(loaded(dialect, full, int(time.time()), body))

        return Methods(writer.refusal, POST=Endpoint("chat", post, writer.refusal))


def _json(told: dict[str, Any]) -> ASGIApp:
    return json_response(msgspec.json.encode(told))
