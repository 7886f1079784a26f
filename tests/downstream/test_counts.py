"""Tokens as every client's dialect counts them: reasoning is output, whoever counted it."""

import json
from typing import Any

import pytest

from services.downstream import WRITERS
from services.events import Finished, PartDelta, PartFinished, PartStarted, Usage
from tests.downstream.stories import reply

PLACES = {
    "openai_chat": ("usage", "completion_tokens"),
    "openai_completions": ("usage", "completion_tokens"),
    "openai_responses": ("usage", "output_tokens"),
    "anthropic": ("usage", "output_tokens"),
    "ollama_chat": ("eval_count",),
    "ollama_generate": ("eval_count",),
    "ai_sdk": ("metadata", "usage", "outputTokens"),
}


@pytest.mark.parametrize("dialect", PLACES)
@pytest.mark.parametrize(
    ("usage", "output"),
    [
        (Usage(input_tokens=9, output_tokens=50, reasoning_tokens=40, total_tokens=59), 50),  # OpenAI
        (Usage(input_tokens=9, output_tokens=10, reasoning_tokens=40, total_tokens=59), 50),  # Gemini, xAI
        (Usage(input_tokens=9, reasoning_tokens=40, total_tokens=49), 40),  # Gemini, stopped while it thought
        (Usage(input_tokens=9, output_tokens=10, reasoning_tokens=4), 10),  # nobody summed up
        (Usage(input_tokens=9, output_tokens=10, total_tokens=19), 10),
        (Usage(input_tokens=9, output_tokens=10, reasoning_tokens=4, total_tokens=99), 10),  # a sum of something else
    ],
)
def test_reasoning_is_output(dialect: str, usage: Usage, output: int) -> None:
    whole: Any = json.loads(
        WRITERS[dialect].whole(reply(PartStarted(0, "text"), PartDelta(0, "x"), PartFinished(0), usage, Finished("stop")), {})
    )
    for name in PLACES[dialect]:
        whole = whole[name]
    assert whole == output
