"""What the servers of settings are known not to take, before anything is sent to them."""

import pytest

from services.manner import KNOBS
from services.upstream import READERS
from services.upstream.configured import refused


@pytest.mark.parametrize(
    ("dialect", "names"),
    [
        ("ollama", set()),
        ("anthropic", {"min_p", "seed", "presence_penalty", "frequency_penalty", "repeat_penalty"}),
        ("gemini", {"min_p", "repeat_penalty"}),
    ],
)
def test_a_dialect_refuses_what_it_has_no_words_for(dialect: str, names: set[str]) -> None:
    assert refused(dialect) == names


def test_only_options_that_a_person_can_set_are_told() -> None:
    assert set().union(*map(refused, READERS)) <= set(KNOBS)
