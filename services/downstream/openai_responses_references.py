"""What is posted to /v1/responses may refer to items of earlier answers: `{"type": "item_reference", "id": ...}`. No I/O.

The AI SDK sends its whole history like that, unless it is told `store: false`. An item's id names its generation, so who knows
generations can put the items themselves into the body, as they went out; then it is read as if the client had sent them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from services.downstream.shapes import convert
from services.downstream.writer import Body
from services.errors import Invalid, NotFound


class Reference(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    type: Literal["item_reference"] | None = None  # OpenAI's own schema lets it be missing


def referred(body: Body) -> dict[int, str]:
    """The ids of the items that `input` refers to, by their place in it.

    Raises Invalid for what is no reference, and for an item that is referred to twice: so a small request stays a small turn.
    """
    given = body.get("input")
    found: dict[str, int] = {}
    for index, item in enumerate(given if isinstance(given, list) else ()):
        if _is_reference(item):
            id = convert(item, Reference, f"input[{index}]").id
            if id in found:
                raise Invalid(f"`input[{index}]` refers to the same item as `input[{found[id]}]`: an item can be there once.")
            found[id] = index
    return {index: id for id, index in found.items()}


def generation(id: str) -> str:
    """The generation that an item's id, `<kind>_<generation>_<n>`, names; "" for another id."""
    match id.split("_"):
        case [_, named, _]:
            return named
    return ""


def resolved(body: Body, ids: Mapping[int, str], outputs: Mapping[str, Sequence[dict[str, Any]]]) -> Body:
    """The body with the items themselves; `outputs` are by generation. Raises NotFound for an item that is in none of them."""
    items = {item["id"]: item for output in outputs.values() for item in output}
    given = list(body["input"])
    for index, id in ids.items():
        if id not in items:
            raise NotFound(
                f"`input[{index}]` refers to the item {id[:80]!r}, which is not known here, or not any more: send the item itself. "
                "SDKs do so with `store: false`."
            )
        given[index] = items[id]
    return {**body, "input": given}


def _is_reference(item: object) -> bool:
    """Without a type, what has an id and says nothing is one."""
    if not isinstance(item, dict):
        return False
    kind = item.get("type")
    return kind == "item_reference" or (kind is None and "id" in item and "role" not in item)
