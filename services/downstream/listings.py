"""The models there are, as each vendor's own server lists them. Pure functions over what upstreams tell; nothing is made up.

What a vendor's shape demands and nobody knows here is said in its emptiest form: 1970 for a date, 0 for a size.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from services.errors import BadRequest, NotFound
from services.models import Listing, Model, full_names

Object = dict[str, Any]

EPOCH = "1970-01-01T00:00:00Z"  # Anthropic's own word for a date that is not known
PAGE = 20  # models on a page of Anthropic's list
MOST = 1000
OLLAMA = "0.31.0"  # whose API this is; clients ask for a lowest version


def find(listings: Iterable[Listing], name: str) -> tuple[str, Model]:
    """A model by its full name, or its bare one where only one upstream has it. Raises NotFound."""
    models = dict(_named(listings))
    if name in models:
        return name, models[name]
    owners = [full for full, model in models.items() if model.name == name]
    if len(owners) != 1:
        raise NotFound(f"No model is called {name[:200]!r}.")
    return owners[0], models[owners[0]]


# OpenAI: https://platform.openai.com/docs/api-reference/models


def openai_models(listings: Iterable[Listing]) -> Object:
    return {"object": "list", "data": [_openai(name) for name in full_names(listings)]}


def openai_model(listings: Iterable[Listing], name: str) -> Object:
    return _openai(_listed(listings, name)[0])


def _openai(name: str) -> Object:
    return {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}


# Anthropic: https://platform.claude.com/docs/en/api/models-list


def anthropic_models(listings: Iterable[Listing], limit: str | None, after: str | None, before: str | None) -> Object:
    """A page. The arguments as they stand in the URL. Raises BadRequest for a limit that is no number from 1 to 1000."""
    if limit is not None and not (limit.isascii() and limit.isdigit() and len(limit) < 5 and 1 <= int(limit) <= MOST):
        raise BadRequest(f"`limit` is a number from 1 to {MOST}; got {limit[:40]!r}.")
    size = int(limit) if limit else PAGE
    models = [_anthropic(name, model) for name, model in _named(listings)]
    names = [model["id"] for model in models]
    if after in names:
        models = models[names.index(after) + 1 :]
    elif after is not None:
        raise BadRequest(f"`after_id` names no model: {after[:200]!r}.")
    if before is not None:
        if before not in names:
            raise BadRequest(f"`before_id` names no model: {before[:200]!r}.")
        models = [model for model in models if names.index(model["id"]) < names.index(before)]
        more, page = len(models) > size, models[-size:]
    else:
        more, page = len(models) > size, models[:size]
    return {
        "data": page,
        "has_more": more,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }


def anthropic_model(listings: Iterable[Listing], name: str) -> Object:
    return _anthropic(*_listed(listings, name))


def _anthropic(name: str, model: Model) -> Object:
    told: Object = {"type": "model", "id": name, "display_name": name, "created_at": EPOCH, "lifecycle": "active"}
    return told | ({"max_input_tokens": model.context} if model.context is not None else {})


# Ollama: https://github.com/ollama/ollama/blob/main/docs/api.md


def ollama_tags(listings: Iterable[Listing]) -> Object:
    return {"models": [_tag(name, model) for name, model in _named(listings)]}


def ollama_show(listings: Iterable[Listing], name: str) -> Object:
    """Capabilities and the length of the context, as far as they are known. Raises NotFound."""
    full, model = find(listings, name)
    architecture = full.partition("/")[0]
    known: Object = {"general.architecture": architecture}
    if model.context is not None:
        known[f"{architecture}.context_length"] = model.context
    return {
        "modelfile": f"# {full}, a model that Headrace reaches",
        "parameters": "",
        "template": "",
        "details": _details(full),
        "model_info": known,
        "capabilities": _capabilities(model),
        "modified_at": EPOCH,
    }


def _tag(name: str, model: Model) -> Object:
    """`ollama list` cuts twelve characters from the digest, and fails where there are fewer."""
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    told = {"name": name, "model": name, "modified_at": EPOCH, "size": 0, "digest": digest}
    return {**told, "details": _details(name), "capabilities": _capabilities(model)}


def _details(name: str) -> Object:
    family = name.partition("/")[0]
    return {
        "parent_model": "",
        "format": "",
        "family": family,
        "families": [family],
        "parameter_size": "",
        "quantization_level": "",
    }


def _capabilities(model: Model) -> list[str]:
    able = {"vision": model.vision, "tools": model.tools, "thinking": model.reasoning}
    return ["completion", *(name for name, can in able.items() if can)]


def _named(listings: Iterable[Listing]) -> Iterator[tuple[str, Model]]:
    for listing in listings:
        for model in listing.models:
            yield f"{listing.name}/{model.name}", model


def _listed(listings: Iterable[Listing], name: str) -> tuple[str, Model]:
    for full, model in _named(listings):
        if full == name:
            return full, model
    raise NotFound(f"No model is called {name[:200]!r}. GET /v1/models lists them.")
