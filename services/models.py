"""The models there are. Values that upstreams tell, clients list and pages show."""

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


def full_names(listings: Iterable[Listing]) -> list[str]:
    """Every model that can be asked, as `upstream/model`."""
    return [f"{listing.name}/{model.name}" for listing in listings for model in listing.models]
