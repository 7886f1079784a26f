"""What a foreign export tells of one conversation, before it is a tree of nodes."""

from collections import Counter
from typing import NamedTuple

from services.exchange.tree import Said


class Told(NamedTuple):
    """`id` is the export's own, None if it has none. Times are Unix seconds. `shown` names a message.

    `left_out` counts what could not be taken over, by its name in the plural.
    """

    id: str | None
    title: str
    created: float | None
    updated: float | None
    model: str
    said: list[Said]
    shown: str | None
    left_out: Counter[str]
