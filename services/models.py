"""The models there are, and the servers that have them. Values that upstreams tell, clients list and pages show."""

from collections.abc import Iterable
from typing import Literal

import msgspec


class Model(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model as its upstream lists it. None means the upstream does not tell."""

    name: str
    context: int | None = None
    vision: bool | None = None
    tools: bool | None = None
    reasoning: bool | None = None


class Listing(msgspec.Struct, frozen=True):
    """An upstream as people see it. `problem` is a sentence when it answered, but not with a list of models."""

    name: str
    host: str
    state: Literal["unknown", "running", "not running", "refusing"]
    models: tuple[Model, ...] = ()
    problem: str | None = None


class Server(msgspec.Struct, frozen=True):
    """A model server as a person has set it, on the page or elsewhere; never its key.

    `key` is "" for none, `set`, or the reference `${NAME}` that stands for it. `origin`: settings.toml, the page, the page over
    settings.toml, a variable, or none at all, for what is built in. `fixed` names what has the last word, if it is not the page.
    """

    name: str
    dialect: str
    base_url: str
    key: str = ""
    models: tuple[str, ...] = ()
    timeouts: dict[str, float] = {}
    enabled: bool = True
    origin: Literal["file", "page", "both", "variable", "builtin"] = "page"
    fixed: str | None = None


class Trial(msgspec.Struct, frozen=True):
    """How a server answered when it was tried out. `problem` is the sentence when it did not."""

    model: str = ""
    text: str = ""
    ttft_ms: float | None = None
    problem: str | None = None


class Place(msgspec.Struct, frozen=True):
    """Where something is kept. `bytes` None: not in a file of ours."""

    what: Literal["conversations", "replies", "files", "recordings", "settings"]
    where: str
    bytes: int | None


def full_names(listings: Iterable[Listing]) -> list[str]:
    """Every model that can be asked, as `upstream/model`."""
    return [f"{listing.name}/{model.name}" for listing in listings for model in listing.models]
