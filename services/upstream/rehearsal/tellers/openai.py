"""What OpenAI's three dialects have in common: one server, its routes, its errors and its models. `/v1` before a path is allowed."""

from collections.abc import Collection

from services.upstream.rehearsal.script import Fault
from services.upstream.rehearsal.tellers import openai_chat, openai_completions, openai_responses
from services.upstream.rehearsal.tellers.teller import CREATED, Object, Wanted, Wrong, not_allowed, nothing_at

POSTS = {
    "/chat/completions": openai_chat.read,
    "/completions": openai_completions.read,
    "/responses": openai_responses.read,
}


class OpenAI:
    def read(self, method: str, path: str, query: str, body: bytes, names: Collection[str]) -> Wanted | Object:
        place = path.removeprefix("/v1")
        match method, place:
            case "GET", "/models":
                return {"object": "list", "data": [_model(name) for name in names]}
            case "POST", _ if place in POSTS:
                return POSTS[place](body)
            case "GET", _ if (name := place.removeprefix("/models/")) in names:
                return _model(name)
            case "GET", _ if place.startswith("/models/"):
                raise Wrong(404, f"The model `{place.removeprefix('/models/')[:200]}` does not exist", "model_not_found")
            case _ if place in ("/models", *POSTS):
                raise not_allowed(method, path)
        raise nothing_at(method, path)

    def refusal(self, fault: Fault, path: str) -> tuple[int, dict[str, str], Object]:
        return fault.status, {}, {"error": openai_chat.error(fault)}


def _model(name: str) -> Object:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "headrace"}
