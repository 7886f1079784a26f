"""The HTTP surface: one table of paths, and who may use each. What a dialect means is its writer's business."""

import re
import time

from starlette.requests import Request
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from services.api.ai import AI
from services.api.attachments import Attachments
from services.api.compat import Compat, refusal_at
from services.api.errors import Endpoint, Methods, error_response
from services.api.lab import LabRoutes
from services.api.listings import NOT_HERE, Listings
from services.api.login import Login
from services.api.metrics import Metrics
from services.api.native import Native
from services.api.probe import Probe
from services.api.recordings import RecordingRoutes
from services.api.records import RecordRoutes
from services.api.rehearsal import Mock
from services.api.replies import Replies
from services.api.responses import Responses
from services.doctor.tickets import Tickets
from services.downstream import WRITERS
from services.errors import NotFound
from services.metrics import House

PATHS = (
    "/chat",
    "/models",
    "/healthz",
    "/metrics",
    "/v1",
    "/api",
    "/ai",
    "/rehearsal",
    "/recordings",
    "/attachments",
    "/lab/runs",
    "/lab/case",
    "/lab/probe",
    "/login",
    "/logout",
)  # all others are pages


_API = re.compile(f"({'|'.join(map(re.escape, PATHS))})(/.*)?", re.DOTALL)


def is_api(path: str) -> bool:
    return _API.fullmatch(path) is not None


def router(
    *,
    login: Login | None = None,
    mock: Mock | None = None,
    lab: bool = False,
    tickets: Tickets | None = None,
    metrics: Metrics | None = None,
    idle: float = 15.0,
    write_timeout: float = 30.0,
) -> Router:
    """`idle` and `write_timeout` in seconds, as settings have them; `login` is the way in, `mock` the public rehearsal; `lab`: clients
    can be checked; `tickets` are for the probe.
    """
    figures = metrics or Metrics(House())
    replies = Replies(idle=idle, write_timeout=write_timeout)
    responses = Responses(replies)
    native, compat = Native(replies), Compat(replies)
    listings = Listings(replies)
    openai, anthropic, ollama = (WRITERS[dialect].refusal for dialect in ("openai_chat", "anthropic", "ollama_chat"))
    attachments, records, checks = Attachments(), RecordRoutes(), LabRoutes(on=lab)
    probe = Probe(tickets or Tickets(time.monotonic))
    recordings = RecordingRoutes()
    ai, sentence = AI(replies), WRITERS["ai_sdk"].refusal
    found = Router(
        [
            Route("/chat", Methods(POST=Endpoint("chat", native.post_turn), GET=Endpoint("read", native.generations))),
            Route("/chat/{id}", Methods(GET=Endpoint("read", native.follow), DELETE=Endpoint("chat", native.stop))),
            Route("/chat/{id}/record", Methods(GET=Endpoint("read", records.whole))),
            Route("/chat/{id}/upstream", Methods(GET=Endpoint("read", records.upstream))),
            Route("/chat/{id}/recording", Methods(POST=Endpoint("chat", recordings.keep))),
            Route("/recordings", Methods(GET=Endpoint("read", recordings.list), POST=Endpoint("chat", recordings.look))),
            Route(
                "/recordings/{name}",
                Methods(
                    GET=Endpoint("read", recordings.get), PUT=Endpoint("chat", recordings.put), DELETE=Endpoint("chat", recordings.delete)
                ),
            ),
            Route("/rehearsal/replays", Methods(GET=Endpoint("read", recordings.playbacks))),
            Route("/rehearsal/replays/{id}", Methods(GET=Endpoint("read", recordings.playback))),
            Route("/rehearsal/replays/{id}/{act}", Methods(POST=Endpoint("chat", recordings.act))),
            Route("/attachments", Methods(POST=Endpoint("chat", attachments.post))),
            Route("/attachments/{hash}", Methods(GET=Endpoint("read", attachments.get))),
            Route("/models", Methods(GET=Endpoint("read", native.models))),
            Route("/metrics", Methods(GET=Endpoint("admin", figures.get))),
            Route("/healthz", Methods(GET=Endpoint("public", native.health))),
            Route("/v1/chat/completions", compat.posts("openai_chat")),
            Route("/v1/completions", compat.posts("openai_completions")),
            Route("/v1/responses", Methods(openai, POST=Endpoint("chat", responses.post, openai))),
            Route("/v1/responses/{id}", Methods(openai, GET=Endpoint("read", responses.get, openai))),
            Route("/v1/responses/{id}/cancel", Methods(openai, POST=Endpoint("chat", responses.cancel, openai))),
            Route("/v1/messages", compat.posts("anthropic")),
            Route("/v1/messages/count_tokens", Methods(anthropic, POST=Endpoint("read", listings.count_tokens, anthropic))),
            Route("/v1/models", Methods(openai, GET=Endpoint("read", listings.models, openai))),
            Route("/v1/models/{id:path}", Methods(openai, GET=Endpoint("read", listings.model, openai))),
            Route("/api/chat", listings.ollama_posts("ollama_chat")),
            Route("/api/generate", listings.ollama_posts("ollama_generate")),
            Route("/api/tags", Methods(ollama, GET=Endpoint("read", listings.tags, ollama))),
            Route("/api/show", Methods(ollama, POST=Endpoint("read", listings.show, ollama))),
            Route("/api/version", Methods(ollama, GET=Endpoint("read", listings.version, ollama))),
            Route("/api/ps", Methods(ollama, GET=Endpoint("read", listings.running, ollama))),
            *(Route(path, Methods(ollama, **{method: Endpoint("chat", listings.not_here, ollama)})) for path, method in NOT_HERE.items()),
            Route("/ai/chat", Methods(sentence, POST=Endpoint("chat", ai.post_turn, sentence))),
            Route(
                "/ai/chat/{id:path}/stream",
                Methods(sentence, GET=Endpoint("read", ai.resume, sentence), DELETE=Endpoint("chat", ai.stop, sentence)),
            ),
            Route("/lab/runs", Methods(POST=Endpoint("chat", checks.begin))),
            Route("/lab/runs/{id}", Methods(GET=Endpoint("read", checks.look))),
            Route("/lab/runs/{id}/{case}", Methods(POST=Endpoint("chat", checks.report))),
            Route("/lab/probe/{ticket}", Methods(GET=Endpoint("public", probe.stream), POST=Endpoint("public", probe.answer))),
            *(_way_in(login) if login else []),
            *([Mount("/rehearsal", mock)] if mock else []),
        ],
        default=Endpoint("read", _nothing_here),
    )
    for route in found.routes:
        if isinstance(route, Route) and isinstance(route.app, Methods):
            route.app.pattern = route.path
    return found


def _way_in(login: Login) -> list[Route]:
    return [
        Route("/login", Methods(GET=Endpoint("public", login.page), POST=Endpoint("public", login.post))),
        Route("/login/oidc", Methods(GET=Endpoint("public", login.leave))),
        Route("/login/callback", Methods(GET=Endpoint("public", login.come_back))),
        Route("/logout", Methods(POST=Endpoint("public", login.logout))),
    ]


async def _nothing_here(request: Request) -> ASGIApp:
    path = request.scope["path"]
    return error_response(NotFound(f"There is nothing at {path[:200]}. docs/api.md lists what there is."), refusal_at(path))
