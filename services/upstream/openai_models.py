"""The list of models as servers of OpenAI's family give it, with what some of them add. Pure.

{"data": [{"id", ...}]}, at Together the bare list. What is not said stays None.
"""

from typing import Any

from services.errors import ProtocolError
from services.models import Model
from services.upstream import loose, words

# OpenRouter and Groq; vLLM; Mistral and LM Studio
_CONTEXTS = ("context_length", "context_window", "max_model_len", "max_context_length")


def models(body: bytes) -> list[Model]:
    """Raises ProtocolError when this is no list of models."""
    try:
        [found] = loose.objects(body)
    except ValueError:
        found = None
    listed = found.get("data") if isinstance(found, dict) else found
    if not isinstance(listed, list):
        raise ProtocolError("The server did not answer with a list of models.", upstream=words.of_body(body).message or None)
    return [_model(entry) for entry in listed if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _model(entry: dict[str, Any]) -> Model:
    parameters: Any = entry.get("supported_parameters")
    able = loose.inner(entry, "capabilities")
    inputs = loose.inner(entry, "architecture").get("input_modalities")
    listed = isinstance(parameters, list)
    return Model(
        loose.whole_characters(entry["id"]),
        context=_context(entry),
        vision="image" in inputs if isinstance(inputs, list) else _flag(able.get("vision")),
        tools="tools" in parameters if listed else _flag(able.get("function_calling")),
        reasoning="reasoning" in parameters if listed else _flag(able.get("reasoning")),
    )


def _context(entry: dict[str, Any]) -> int | None:
    sizes = [entry.get(name) for name in _CONTEXTS] + [loose.inner(entry, "meta").get("n_ctx_train")]
    return next((size for size in map(loose.count, sizes) if size), None)


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
