"""The HTTP surface: one table of paths. What a dialect means is its writer's business."""

from starlette.requests import Request
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from services.api.ai import AI
from services.api.attachments import Attachments
from services.api.compat import Compat, refusal_at
from services.api.errors import Endpoint, Methods, error_response
from services.api.listings import NOT_HERE, Listings
from services.api.native import Native
from services.api.records import RecordRoutes
from services.api.replies import Replies
from services.api.responses import Responses
from services.chat import Chat
from services.downstream import WRITERS
from services.errors import NotFound

PATHS = ("/chat", "/models", "/healthz", "/v1", "/api", "/ai", "/rehearsal", "/attachments")  # all others are pages


def router(chat: Chat, *, mock: ASGIApp | None = None, idle: float = 15.0, write_timeout: float = 30.0) -> Router:
    """`idle` and `write_timeout` in seconds, as settings have them; `mock` is the public rehearsal."""
    replies = Replies(chat, idle=idle, write_timeout=write_timeout)
    responses = Responses(chat, replies)
    native, compat = Native(chat, replies), Compat(chat, replies)
    listings = Listings(chat, replies)
    openai, anthropic, ollama = (WRITERS[dialect].refusal for dialect in ("openai_chat", "anthropic", "ollama_chat"))
    attachments, records = Attachments(chat), RecordRoutes(chat)
    ai, sentence = AI(chat, replies), WRITERS["ai_sdk"].refusal
    return Router(
        [
            Route("/chat", Methods(POST=Endpoint(native.post_turn), GET=Endpoint(native.generations))),
            Route("/chat/{id}", Methods(GET=Endpoint(native.follow), DELETE=Endpoint(native.stop))),
            Route("/chat/{id}/record", Methods(GET=Endpoint(records.whole))),
            Route("/chat/{id}/upstream", Methods(GET=Endpoint(records.upstream))),
            Route("/attachments", Methods(POST=Endpoint(attachments.post))),
            Route("/attachments/{hash}", Methods(GET=Endpoint(attachments.get))),
            Route("/models", Methods(GET=Endpoint(native.models))),
            Route("/healthz", Methods(GET=Endpoint(native.health))),
            Route("/v1/chat/completions", compat.posts("openai_chat")),
            Route("/v1/completions", compat.posts("openai_completions")),
            Route("/v1/responses", Methods(openai, POST=Endpoint(responses.post, openai))),
            Route("/v1/responses/{id}", Methods(openai, GET=Endpoint(responses.get, openai))),
            Route("/v1/responses/{id}/cancel", Methods(openai, POST=Endpoint(responses.cancel, openai))),
            Route("/v1/messages", compat.posts("anthropic")),
            Route("/v1/messages/count_tokens", Methods(anthropic, POST=Endpoint(listings.count_tokens, anthropic))),
            Route("/v1/models", Methods(openai, GET=Endpoint(listings.models, openai))),
            Route("/v1/models/{id:path}", Methods(openai, GET=Endpoint(listings.model, openai))),
            Route("/api/chat", listings.ollama_posts("ollama_chat")),
            Route("/api/generate", listings.ollama_posts("ollama_generate")),
            Route("/api/tags", Methods(ollama, GET=Endpoint(listings.tags, ollama))),
            Route("/api/show", Methods(ollama, POST=Endpoint(listings.show, ollama))),
            Route("/api/version", Methods(ollama, GET=Endpoint(listings.version, ollama))),
            Route("/api/ps", Methods(ollama, GET=Endpoint(listings.running, ollama))),
            *(Route(path, Methods(ollama, **{method: Endpoint(listings.not_here, ollama)})) for path, method in NOT_HERE.items()),
            Route("/ai/chat", Methods(sentence, POST=Endpoint(ai.post_turn, sentence))),
            Route("/ai/chat/{id:path}/stream", Methods(sentence, GET=Endpoint(ai.resume, sentence), DELETE=Endpoint(ai.stop, sentence))),
            *([Mount("/rehearsal", mock)] if mock else []),
        ],
        default=Endpoint(_nothing_here),
    )


async def _nothing_here(request: Request) -> ASGIApp:
    path = request.scope["path"]
    return error_response(NotFound(f"There is nothing at {path[:200]}. docs/api.md lists what there is."), refusal_at(path))
