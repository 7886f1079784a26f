"""What a reply cost, by the prices of settings."""

import pytest

from services.events import Usage
from services.prices import Cost, Price, cost

PRICES = (Price("openai/gpt-5-mini", 0.25, 2), Price("openai/*", 1.25, 10, "EUR"))


@pytest.mark.parametrize(
    ("model", "usage", "expected"),
    [
        ("openai/gpt-5-mini", Usage(2000, 1000), Cost(0.0025, "$")),
        ("openai/gpt-5", Usage(2000, 1000), Cost(0.0125, "EUR")),
        ("ollama/llama", Usage(2000, 1000), None),
        ("openai/gpt-5", Usage(2000, None), None),
        ("openai/gpt-5", None, None),
    ],
)
def test_the_first_price_that_fits_counts(model: str, usage: Usage | None, expected: Cost | None) -> None:
    assert cost(PRICES, model, usage) == expected
