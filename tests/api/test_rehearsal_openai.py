"""OpenAI's SDK against the public mock, over a real socket: every scene means what it says, in three dialects."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.scenes import ANSWER, OVERLOADED, THOUGHTS
from tests.serving import Served

WEATHER = {"city": "Köln"}
TIME = {"zone": "Europe/Berlin"}
CALLS = [("get_weather", WEATHER), ("get_time", TIME)]
ANSWERED = ("12 °C", "14:05")
QUOTED = "The tools have answered: “12 °C” and “14:05”."
ASKS = "I ask both tools at once."
FEW = "A few words, and then"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "zone": {"type": "string"}}}


def question(scene: str) -> Any:
    return [{"role": "user", "content": scene}]


# OpenAI


@pytest.fixture
def openai_client(swift: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{swift.url}/rehearsal/openai_chat", api_key="none", max_retries=0, timeout=20) as client:
        yield client


def test_openai_lists_the_models(openai_client: openai.OpenAI) -> None:
    assert [model.id for model in openai_client.models.list()] == list(MODELS)
    assert openai_client.models.retrieve("scenes").owned_by == "headrace"
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("nope")


@pytest.mark.parametrize(
    ("scene", "text", "thoughts", "reason"),
    [
        ("text", ANSWER, "", "stop"),
        ("reasoning", ANSWER, THOUGHTS, "stop"),
        ("length", "This answer ends in the middle of a", "", "length"),
    ],
)
def test_openai_chat(openai_client: openai.OpenAI, scene: str, text: str, thoughts: str, reason: str) -> None:
    whole = openai_client.chat.completions.create(model="scenes", messages=question(scene)).choices[0]
    assert (whole.message.content, getattr(whole.message, "reasoning_content", ""), whole.finish_reason) == (text, thoughts, reason)
    chunks = list(
        openai_client.chat.completions.create(model="scenes", messages=question(scene), stream=True, stream_options={"include_usage": True})
    )
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == text
    assert "".join(getattr(delta, "reasoning_content", "") for delta in deltas) == thoughts
    assert chunks[-2].choices[0].finish_reason == reason
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == len(deltas) - 2


def test_openai_chat_runs_a_tool_loop(openai_client: openai.OpenAI) -> None:
    said = question("tools")
    with openai_client.chat.completions.stream(model="scenes", messages=said) as stream:
        choice = stream.get_final_completion().choices[0]
    calls: Any = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == CALLS
    said.append(choice.message.model_dump(include={"role", "content", "tool_calls"}))
    said += [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in zip(calls, ANSWERED, strict=True)]
    assert openai_client.chat.completions.create(model="scenes", messages=said).choices[0].message.content == QUOTED


def test_openai_chat_fails(openai_client: openai.OpenAI) -> None:
    got: list[str] = []

    def stream(scene: str) -> None:
        for chunk in openai_client.chat.completions.create(model="scenes", messages=question(scene), stream=True):
            got.extend(choice.delta.content or "" for choice in chunk.choices)

    with pytest.raises(openai.APIError, match=OVERLOADED):
        stream("error")
    assert "".join(got) == FEW
    with pytest.raises(openai.RateLimitError) as refused:
        stream("refused")
    assert (refused.value.response.headers["retry-after"], refused.value.code) == ("1", "rate_limit_exceeded")
    with pytest.raises(openai.InternalServerError) as overloaded:
        stream("overloaded")
    assert overloaded.value.status_code == 503
    got.clear()
    stream("cut")  # the SDK does not notice
    assert "".join(got) == FEW


def test_openai_completions(openai_client: openai.OpenAI) -> None:
    for scene, text, reason in (
        ("text", ANSWER, "stop"),
        ("tools", ASKS, "stop"),
        ("length", "This answer ends in the middle of a", "length"),
    ):
        whole = openai_client.completions.create(model="scenes", prompt=scene).choices[0]
        chunks = list(openai_client.completions.create(model="scenes", prompt=scene, stream=True))
        assert (whole.text, whole.finish_reason) == (text, reason)
        assert ("".join(chunk.choices[0].text for chunk in chunks), chunks[-1].choices[0].finish_reason) == (text, reason)
    with pytest.raises(openai.APIError, match=OVERLOADED):
        list(openai_client.completions.create(model="scenes", prompt="error", stream=True))


def test_openai_responses(openai_client: openai.OpenAI) -> None:
    for scene, text, thoughts in (("text", ANSWER, []), ("reasoning", ANSWER, [THOUGHTS])):
        with openai_client.responses.stream(model="scenes", input=scene) as stream:
            told = stream.get_final_response()
        whole = openai_client.responses.create(model="scenes", input=scene)
        for response in (told, whole):
            assert (response.status, response.output_text) == ("completed", text)
            assert [item.summary[0].text for item in response.output if item.type == "reasoning"] == thoughts
            assert response.usage
            assert bool(response.usage.output_tokens_details.reasoning_tokens) == bool(thoughts)
    length = openai_client.responses.create(model="scenes", input="length")
    assert (length.status, length.incomplete_details and length.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_openai_responses_run_a_tool_loop(openai_client: openai.OpenAI) -> None:
    said: Any = question("tools")
    with openai_client.responses.stream(model="scenes", input=said) as stream:
        response = stream.get_final_response()
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == CALLS
    said += response.to_dict()["output"]
    said += [{"type": "function_call_output", "call_id": call.call_id, "output": text} for call, text in zip(calls, ANSWERED, strict=True)]
    assert openai_client.responses.create(model="scenes", input=said).output_text == QUOTED


def test_openai_responses_fail(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError, match=OVERLOADED):
        list(openai_client.responses.create(model="scenes", input="error", stream=True))
    with pytest.raises(openai.RateLimitError):
        openai_client.responses.create(model="scenes", input="refused")
    with pytest.raises(openai.InternalServerError):
        openai_client.responses.create(model="scenes", input="overloaded")
    with pytest.raises(openai.BadRequestError, match="stores none"):
        openai_client.responses.create(model="scenes", input="text", previous_response_id="resp_1")
    types_told = [event.type for event in openai_client.responses.create(model="scenes", input="cut", stream=True)]
    assert types_told[-1] == "response.output_text.delta"
