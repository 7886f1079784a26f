"""What a reply cost, by the prices that somebody has written into settings. Pure; it knows no vendor's list."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from services.events import Usage

MILLION = 1_000_000


class Price(NamedTuple):
    """Of a million tokens, for models whose full names match a pattern such as `openai/gpt-5*`. `currency` is shown as it is."""

    model: str
    input: float
    output: float
    currency: str = "$"


class Cost(NamedTuple):
    amount: float
    currency: str


def cost(prices: Sequence[Price], model: str, usage: Usage | None) -> Cost | None:
    """By the first price whose pattern fits. None: there is none, or the server did not count. Cached tokens cost as all others."""
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    for price in prices:
        if fnmatchcase(model, price.model):
            return Cost((usage.input_tokens * price.input + usage.output_tokens * price.output) / MILLION, price.currency)
    return None
