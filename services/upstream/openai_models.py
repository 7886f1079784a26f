"""The list of models as servers of OpenAI's family give it, with what some of them add. Pure.

{"data": [{"id", ...}]}, at Together the bare list. What is not said stays None. llama.cpp's server says in `models` what the ones in
`data` can do: {"models": [{"model", "capabilities": ["completion", "multimodal"]}]}.
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
    beside = found.get("models") if isinstance(found, dict) else None
    sees = (
        {each.get("model"): _words(each.get("capabilities")) for each in beside or () if isinstance(each, dict)}
        if isinstance(beside, list)
        else {}
    )
    return [
        _model(entry, sees.get(entry["id"], frozenset()))
        for entry in listed
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    ]


def _model(entry: dict[str, Any], told: frozenset[str]) -> Model:
    """`told` are words for what it can do that stand elsewhere."""
    parameters: Any = entry.get("supported_parameters")
    able = loose.inner(entry, "capabilities")
    can = _words(entry.get("capabilities")) | told  # LM Studio: ["tool_use"]
    inputs = loose.inner(entry, "architecture").get("input_modalities")
    listed = isinstance(parameters, list)
    vision, tools = _flag(able.get("vision")), _flag(able.get("function_calling"))
    if isinstance(inputs, list):
        vision = "image" in inputs
    elif entry.get("type") == "vlm" or can & {"multimodal", "vision"}:
        vision = True
    elif entry.get("type") == "llm" or "completion" in can:
        vision = False
    return Model(
        loose.whole_characters(entry["id"]),
        context=_context(entry),
        vision=vision,
        tools="tools" in parameters if listed else True if can & {"tool_use", "tools"} else tools,
        reasoning="reasoning" in parameters if listed else True if can & {"reasoning", "thinking"} else _flag(able.get("reasoning")),
    )


def _words(value: object) -> frozenset[str]:
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()


def _context(entry: dict[str, Any]) -> int | None:
    sizes = [entry.get(name) for name in _CONTEXTS] + [loose.inner(entry, "meta").get("n_ctx_train")]
    return next((size for size in map(loose.count, sizes) if size), None)


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
