"""The clients, and the words in which each shows a story. A client is one way of reading with one SDK."""

from typing import Any, NamedTuple

from tests.matrix import losses
from tests.matrix.story import STREAMED, WHOLE, Failure, Told

Seen = dict[str, Any]


class Client(NamedTuple):
    """`surface` is the dialect that it speaks, `program` what reads its cells, `raises` what its errors are called, by status;
    under None is what it calls an error in the middle of a stream, with the status that it gives it.
    """

    surface: str
    program: str
    raises: dict[int, str]
    middle: tuple[str, int | None]
    scenes: tuple[str, ...] = (*STREAMED, *WHOLE)


class Surface(NamedTuple):
    """`reasons` are its words for the ends of an answer."""

    path: str
    reasons: dict[str, str]
    offers_tools: bool = True


SAME = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}

SURFACES = {
    "events": Surface("/chat", SAME),
    "openai_chat": Surface("/v1/chat/completions", SAME),
    "openai_completions": Surface("/v1/completions", {"stop": "stop", "length": "length"}, offers_tools=False),
    "openai_responses": Surface("/v1/responses", {"stop": "completed", "length": "max_output_tokens"}),
    "anthropic": Surface("/v1/messages", {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}),
    "ollama_chat": Surface("/api/chat", {"stop": "stop", "length": "length"}),
    "ollama_generate": Surface("/api/generate", {"stop": "stop", "length": "length"}, offers_tools=False),
    "ai_sdk": Surface("/ai/chat", {"stop": "stop", "length": "length", "tool_calls": "tool-calls"}),
}

STATUSES = {422: "UnprocessableEntityError", 429: "RateLimitError", 502: "InternalServerError"}
RESPONSE_ERROR = dict.fromkeys(STATUSES, "ResponseError")

CLIENTS = {
    "python openai chat": Client("openai_chat", "python openai", STATUSES, ("APIError", None)),
    "python openai completions": Client("openai_completions", "python openai", STATUSES, ("APIError", None)),
    "python openai responses": Client("openai_responses", "python openai", STATUSES, ("APIError", None)),
    "python anthropic": Client("anthropic", "python anthropic", STATUSES, ("APIStatusError", 200)),
    "python ollama chat": Client("ollama_chat", "python ollama", RESPONSE_ERROR, ("ResponseError", None)),
    "python ollama generate": Client("ollama_generate", "python ollama", RESPONSE_ERROR, ("ResponseError", None)),
    "node openai chat": Client("openai_chat", "node openai", STATUSES, ("APIError", None)),
    "node openai completions": Client("openai_completions", "node openai", STATUSES, ("APIError", None)),
    "node openai responses": Client("openai_responses", "node openai", STATUSES, ("APIError", None)),
    "node anthropic": Client("anthropic", "node anthropic", STATUSES, ("APIError", None)),
    "node ollama chat": Client("ollama_chat", "node ollama", RESPONSE_ERROR, ("Error", None)),
    "node ollama generate": Client("ollama_generate", "node ollama", RESPONSE_ERROR, ("Error", None)),
    "node ai": Client("ai_sdk", "node ai", {}, ("Error", None), tuple(STREAMED)),
    "node eventsource": Client("events", "node eventsource", {}, ("", None), tuple(STREAMED)),
    "node eventsource-parser": Client("events", "node eventsource", {}, ("", None), tuple(STREAMED)),
    "browser EventSource": Client("events", "browser", {}, ("", None), tuple(STREAMED)),
}


def expected(told: Told, upstream: str, client: Client) -> Seen:
    """What this client shows of this story, told by a server of this dialect."""
    surface = SURFACES[client.surface]
    told = losses.told(told, upstream, client.surface, offers_tools=surface.offers_tools)
    return {
        "text": told.text,
        "reasoning": told.reasoning,
        "calls": [list(call) for call in told.calls],
        "ids": told.ids,
        "finish": surface.reasons[told.reason] if told.reason else None,
        "usage": told.counts._asdict() if told.counts else None,
        "answer": told.answer,
        "error": _error(told.failure, client) if told.failure else None,
    }


def _error(failure: Failure, client: Client) -> tuple[str, int | None, str]:
    """Its name, status and sentence. The events of /chat name an error by Headrace's own word."""
    if client.surface == "events":
        return failure.code, failure.status, failure.sentence
    if failure.status is None:
        return *client.middle, failure.sentence
    return client.raises[failure.status], failure.status, failure.sentence


def shown(seen: Seen, sentence: str | None) -> Seen:
    """What a client saw, made comparable: ids are counted, and of an error's text it matters that it holds the sentence."""
    error = seen["error"]
    return seen | {
        "ids": len(set(filter(None, seen["ids"]))),
        "usage": None if error else seen["usage"],
        "error": error and (error["kind"], error["status"], sentence if sentence and sentence in error["message"] else error["message"]),
    }
