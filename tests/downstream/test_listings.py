"""The models there are, in the shapes of three vendors."""

from typing import Any

import pytest

from services.downstream import listings
from services.errors import BadRequest, NotFound
from services.models import Listing, Model

KNOWN = [
    Listing("ollama", "localhost:11434", "running", (Model("llama:latest", 8192, tools=True), Model("shared"))),
    Listing("off", "localhost:1", "not running"),
    Listing("hosted", "models.example", "running", (Model("a/b", vision=True, reasoning=True, tools=False), Model("shared"))),
]
NAMES = ["ollama/llama:latest", "ollama/shared", "hosted/a/b", "hosted/shared"]


def page(limit: str | None = None, after: str | None = None, before: str | None = None) -> dict[str, Any]:
    return listings.anthropic_models(KNOWN, limit, after, before)


def ids(told: dict[str, Any]) -> list[str]:
    return [model["id"] for model in told["data"]]


def test_openai() -> None:
    told = listings.openai_models(KNOWN)
    assert told["object"] == "list"
    assert ids(told) == NAMES
    assert listings.openai_model(KNOWN, "hosted/a/b") == {"id": "hosted/a/b", "object": "model", "created": 0, "owned_by": "hosted"}


def test_anthropic() -> None:
    assert ids(page()) == NAMES
    assert page()["data"][0]["max_input_tokens"] == 8192
    assert "max_input_tokens" not in page()["data"][1]
    assert listings.anthropic_model(KNOWN, NAMES[0]) == page()["data"][0]


@pytest.mark.parametrize(
    ("asked", "found", "more"),
    [
        ({"limit": "1000"}, NAMES, False),
        ({"limit": "2"}, NAMES[:2], True),
        ({"limit": "2", "after": NAMES[1]}, NAMES[2:], False),
        ({"limit": "1", "after": NAMES[1]}, NAMES[2:3], True),
        ({"after": NAMES[3]}, [], False),
        ({"limit": "2", "before": NAMES[3]}, NAMES[1:3], True),
        ({"limit": "2", "before": NAMES[1]}, NAMES[:1], False),
        ({"before": NAMES[3], "after": NAMES[0]}, NAMES[1:3], False),
    ],
)
def test_pages_of_anthropic(asked: dict[str, str], found: list[str], more: bool) -> None:
    told = page(**asked)
    assert (ids(told), told["has_more"]) == (found, more)
    assert (told["first_id"], told["last_id"]) == ((found[0], found[-1]) if found else (None, None))


@pytest.mark.parametrize(
    "asked", [{"limit": "0"}, {"limit": "1001"}, {"limit": "-1"}, {"limit": "٣"}, {"limit": ""}, {"after": "x"}, {"before": "x"}]
)
def test_a_page_that_cannot_be(asked: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        page(**asked)


def test_ollama() -> None:
    told = listings.ollama_tags(KNOWN)["models"]
    assert [model["name"] for model in told] == [model["model"] for model in told] == NAMES
    assert len({model["digest"] for model in told}) == len(told)
    assert [model["capabilities"] for model in told] == [
        ["completion", "tools"],
        ["completion"],
        ["completion", "vision", "thinking"],
        ["completion"],
    ]


def test_what_ollama_shows() -> None:
    shown = listings.ollama_show(KNOWN, "llama:latest")
    assert shown["model_info"] == {"general.architecture": "ollama", "ollama.context_length": 8192}
    assert shown["capabilities"] == ["completion", "tools"]
    assert shown["details"]["family"] == "ollama"


@pytest.mark.parametrize("name", ["nobody", "shared", "off/x", ""])
def test_a_model_that_is_not_there_or_not_one(name: str) -> None:
    with pytest.raises(NotFound):
        listings.ollama_show(KNOWN, name)
    with pytest.raises(NotFound):
        listings.openai_model(KNOWN, name)
    with pytest.raises(NotFound):
        listings.anthropic_model(KNOWN, name)
