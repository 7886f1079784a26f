"""The ways of asking that a client can be checked in: a vendor's dialect, told by the rehearsal, or one of Headrace's own paths."""

from typing import NamedTuple

from services.faults.actions import Kind


class Surface(NamedTuple):
    """`base` ends the base URL that the vendor's SDK takes, `path` is what it asks below that.

    `own`: not the rehearsal but Headrace itself answers. `resumes`: who is cut off asks for the rest by GET, as EventSource does by
    itself; the fault is then in the first of these streams only.
    """

    title: str
    base: str
    path: str
    kind: Kind = "events"
    own: bool = False
    resumes: bool = False


SURFACES: dict[str, Surface] = {
    "openai_chat": Surface("OpenAI Chat Completions", "/v1", "/chat/completions"),
    "openai_responses": Surface("OpenAI Responses", "/v1", "/responses"),
    "openai_completions": Surface("OpenAI Completions", "/v1", "/completions"),
    "anthropic": Surface("Anthropic Messages", "", "/v1/messages"),
    "gemini": Surface("Google Gemini", "", "/v1beta/models/any:streamGenerateContent?alt=sse"),
    "ollama": Surface("Ollama chat", "", "/api/chat", "lines"),
    "ollama_generate": Surface("Ollama generate", "", "/api/generate", "lines"),
    "headrace": Surface("Headrace: POST /chat", "", "/chat", own=True),
    "event_source": Surface("Headrace: EventSource", "", "/chat/{id}", own=True, resumes=True),
    "ai_sdk": Surface("AI SDK: useChat", "", "/ai/chat", own=True),
}
