"""/v1/completions and what /v1/chat/completions takes, against a real server, with OpenAI's own SDK."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest

from services.upstream.rehearsal.scenes import ANSWER, PLAN
from tests.serving import Served

SCENES = "rehearsal/scenes"


@pytest.fixture
def client(headrace: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{headrace.url}/v1", api_key="none", max_retries=0, timeout=20) as client:
        yield client


@pytest.mark.parametrize(
    ("scene", "text", "reason"),
    [
        ("text", ANSWER, "stop"),
        ("reasoning", ANSWER, "stop"),
        ("tools", "I ask both tools at once.", "stop"),
        ("length", "This answer ends in the middle of a", "length"),
    ],
)
def test_completions(client: openai.OpenAI, scene: str, text: str, reason: str) -> None:
    *chunks, usage = client.completions.create(model=SCENES, prompt=scene, stream=True, stream_options={"include_usage": True})
    assert "".join(chunk.choices[0].text for chunk in chunks) == text
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + [reason]
    assert (usage.choices, {chunk.id for chunk in chunks}) == ([], {usage.id})
    whole = client.completions.create(model=SCENES, prompt=[scene])
    assert (whole.choices[0].text, whole.choices[0].finish_reason) == (text, reason)
    assert whole.usage == usage.usage


def test_completions_fail(client: openai.OpenAI) -> None:
    got: list[str] = []

    def stream() -> None:
        for chunk in client.completions.create(model=SCENES, prompt="error", stream=True):
            got.append(chunk.choices[0].text)

    with pytest.raises(openai.APIError):
        stream()
    assert "".join(got) == "A few words, and then"
    with pytest.raises(openai.RateLimitError):
        client.completions.create(model=SCENES, prompt="refused")
    with pytest.raises(openai.NotFoundError):
        client.completions.create(model="nope", prompt="text")
    with pytest.raises(openai.UnprocessableEntityError, match="suffix"):
        client.completions.create(model=SCENES, prompt="text", suffix="end", stream=True)


def test_a_chat_runs_a_tool_loop(client: openai.OpenAI) -> None:
    said: Any = [{"role": "user", "content": "tools"}]
    with client.chat.completions.stream(model=SCENES, messages=said) as stream:
        choice = stream.get_final_completion().choices[0]
    calls: Any = choice.message.tool_calls
    assert (choice.finish_reason, getattr(choice.message, "reasoning_content", "")) == ("tool_calls", PLAN)
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Köln"}, {"zone": "Europe/Berlin"}]
    said.append(choice.message)
    said += [{"role": "tool", "tool_call_id": call.id, "content": [{"type": "text", "text": call.function.name}]} for call in calls]
    answer = client.chat.completions.create(model=SCENES, messages=said, parallel_tool_calls=True).choices[0]
    assert answer.message.content == "The tools have answered: “get_weather” and “get_time”."


class Place(pydantic.BaseModel):
    city: str


def test_a_chat_is_parsed(client: openai.OpenAI) -> None:
    said: Any = [{"role": "user", "content": '{"city": "Köln"}'}]
    parsed = client.chat.completions.parse(model="rehearsal/echo", messages=said, response_format=Place)
    assert parsed.choices[0].message.parsed == Place(city="Köln")
    with client.chat.completions.stream(model="rehearsal/echo", messages=said, response_format=Place) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed == Place(city="Köln")
    given_back = final.choices[0].message.model_dump(warnings=False)
    assert given_back["parsed"]
    again = [*said, given_back, {"role": "user", "content": "And?"}]
    assert client.chat.completions.create(model="rehearsal/echo", messages=again).choices[0].message.content == "And?"
