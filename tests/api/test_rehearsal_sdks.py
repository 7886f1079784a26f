"""The SDKs of Anthropic, Google and Ollama against the public mock, over a real socket: every scene means what it says."""

from collections.abc import Iterator
from typing import Any

import anthropic
import ollama
import pytest
from google import genai
from google.genai import errors as gerrors
from google.genai import types

from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.scenes import ANSWER, OVERLOADED, PLAN, THOUGHTS
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


# Anthropic


@pytest.fixture
def anthropic_client(swift: Served) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=f"{swift.url}/rehearsal/anthropic", api_key="none", max_retries=0, timeout=20) as client:
        yield client


def test_anthropic_lists_the_models_and_counts(anthropic_client: anthropic.Anthropic) -> None:
    assert [model.id for model in anthropic_client.models.list()] == list(MODELS)
    assert anthropic_client.models.retrieve("scenes").display_name == "Scenes"
    assert anthropic_client.messages.count_tokens(model="scenes", messages=question("one two three")).input_tokens == 3


@pytest.mark.parametrize(
    ("scene", "kinds", "texts", "reason"),
    [
        ("text", ["text"], [ANSWER], "end_turn"),
        ("reasoning", ["thinking", "text"], [THOUGHTS, ANSWER], "end_turn"),
        ("length", ["text"], ["This answer ends in the middle of a"], "max_tokens"),
    ],
)
def test_anthropic(anthropic_client: anthropic.Anthropic, scene: str, kinds: list[str], texts: list[str], reason: str) -> None:
    with anthropic_client.messages.stream(model="scenes", max_tokens=500, messages=question(scene)) as stream:
        told = stream.get_final_message()
    whole = anthropic_client.messages.create(model="scenes", max_tokens=500, messages=question(scene))
    for message in (told, whole):
        content: list[Any] = list(message.content)
        assert [block.type for block in content] == kinds
        assert [getattr(block, block.type) for block in content] == texts
        assert all(block.signature for block in content if block.type == "thinking")
        assert message.stop_reason == reason
        assert message.usage.output_tokens > 5
    assert told.usage.output_tokens == whole.usage.output_tokens


def test_anthropic_runs_a_tool_loop(anthropic_client: anthropic.Anthropic) -> None:
    said = question("tools")
    with anthropic_client.messages.stream(model="scenes", max_tokens=500, messages=said) as stream:
        message = stream.get_final_message()
    content: list[Any] = list(message.content)
    thinking, text, *calls = content
    assert (thinking.thinking, text.text, message.stop_reason) == (PLAN, ASKS, "tool_use")
    assert [(call.name, call.input) for call in calls] == CALLS
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in zip(calls, ANSWERED, strict=True)]
    said += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    answer: Any = anthropic_client.messages.create(model="scenes", max_tokens=500, messages=said)
    assert answer.content[0].text == QUOTED


def test_anthropic_fails(anthropic_client: anthropic.Anthropic) -> None:
    got: list[str] = []

    def stream(scene: str) -> None:
        with anthropic_client.messages.stream(model="scenes", max_tokens=500, messages=question(scene)) as stream:
            got.extend(stream.text_stream)

    with pytest.raises(anthropic.APIStatusError, match=OVERLOADED):
        stream("error")
    assert "".join(got) == FEW
    with pytest.raises(anthropic.RateLimitError) as refused:
        stream("refused")
    assert refused.value.response.headers["retry-after"] == "1"
    with pytest.raises(anthropic.APIStatusError) as overloaded:
        stream("overloaded")
    assert overloaded.value.status_code == 529
    with pytest.raises(anthropic.NotFoundError, match="nope"):
        anthropic_client.messages.create(model="nope", max_tokens=5, messages=question("text"))
    got.clear()
    stream("cut")
    assert "".join(got) == FEW


# Gemini


@pytest.fixture
def google(swift: Served) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=f"{swift.url}/rehearsal/gemini", timeout=20_000)
    with genai.Client(api_key="none", http_options=options) as client:
        yield client


def google_text(reply: types.GenerateContentResponse, *, thought: bool = False) -> str:
    return "".join(part.text or "" for part in google_parts(reply) if bool(part.thought) == thought)


def google_parts(reply: types.GenerateContentResponse) -> list[types.Part]:
    assert reply.candidates
    assert reply.candidates[0].content
    return reply.candidates[0].content.parts or []


def test_google_lists_the_models(google: genai.Client) -> None:
    assert [model.name for model in google.models.list()] == [f"models/{name}" for name in MODELS]
    assert google.models.get(model="scenes").display_name == "Scenes"


@pytest.mark.parametrize(
    ("scene", "text", "thoughts", "reason"),
    [
        ("text", ANSWER, "", "STOP"),
        ("reasoning", ANSWER, THOUGHTS, "STOP"),
        ("length", "This answer ends in the middle of a", "", "MAX_TOKENS"),
    ],
)
def test_google(google: genai.Client, scene: str, text: str, thoughts: str, reason: str) -> None:
    chunks = list(google.models.generate_content_stream(model="scenes", contents=scene))
    whole = google.models.generate_content(model="scenes", contents=scene)
    for replies in (chunks, [whole]):
        assert "".join(map(google_text, replies)) == text
        assert "".join(google_text(reply, thought=True) for reply in replies) == thoughts
        [candidate] = replies[-1].candidates or []
        assert candidate.finish_reason == reason
        usage = replies[-1].usage_metadata
        assert usage
        assert bool(usage.thoughts_token_count) == bool(thoughts)
        assert usage.total_token_count == (usage.prompt_token_count or 0) + (usage.candidates_token_count or 0) + (
            usage.thoughts_token_count or 0
        )


def test_google_runs_a_tool_loop(google: genai.Client) -> None:
    parts = [part for reply in google.models.generate_content_stream(model="scenes", contents="tools") for part in google_parts(reply)]
    calls = [part.function_call for part in parts if part.function_call]
    assert [(call.name, call.args) for call in calls] == CALLS
    results = [
        types.Part.from_function_response(name=call.name or "", response={"result": text})
        for call, text in zip(calls, ANSWERED, strict=True)
    ]
    said = [
        types.Content(role="user", parts=[types.Part(text="tools")]),
        types.Content(role="model", parts=parts),
        types.Content(role="user", parts=results),
    ]
    assert google.models.generate_content(model="scenes", contents=said).text == QUOTED


def test_google_calls_functions_by_itself(google: genai.Client) -> None:
    def get_weather(city: str) -> str:
        return f"rain in {city}"

    def get_time(zone: str) -> str:
        return f"noon in {zone}"

    config = types.GenerateContentConfig(tools=[get_weather, get_time])
    reply = google.models.generate_content(model="scenes", contents="tools", config=config)
    assert reply.text == "The tools have answered: “rain in Köln” and “noon in Europe/Berlin”."


def test_google_fails(google: genai.Client) -> None:
    got: list[str] = []

    def stream(scene: str) -> None:
        for reply in google.models.generate_content_stream(model="scenes", contents=scene):
            got.append(google_text(reply))

    with pytest.raises(gerrors.APIError, match=OVERLOADED):
        stream("error")
    assert "".join(got) == FEW
    with pytest.raises(gerrors.ClientError) as refused:
        stream("refused")
    assert (refused.value.code, refused.value.status) == (429, "RESOURCE_EXHAUSTED")
    with pytest.raises(gerrors.ServerError) as overloaded:
        stream("overloaded")
    assert overloaded.value.status == "UNAVAILABLE"
    with pytest.raises(gerrors.ClientError, match="nope"):
        google.models.generate_content(model="nope", contents="text")
    got.clear()
    stream("cut")
    assert "".join(got) == FEW


# Ollama


@pytest.fixture
def ollama_client(swift: Served) -> Iterator[ollama.Client]:
    with ollama.Client(host=f"{swift.url}/rehearsal/ollama", timeout=20) as client:
        yield client


def test_ollama_tells_about_itself(ollama_client: ollama.Client) -> None:
    assert [model.model for model in ollama_client.list().models] == [f"{name}:latest" for name in MODELS]
    assert ollama_client.ps().models == []
    assert ollama_client.show("scenes").capabilities == ["completion", "tools", "thinking"]
    with pytest.raises(ollama.ResponseError, match="not found"):
        ollama_client.show("nope")


@pytest.mark.parametrize(
    ("scene", "text", "thoughts", "reason"),
    [
        ("text", ANSWER, "", "stop"),
        ("reasoning", ANSWER, THOUGHTS, "stop"),
        ("length", "This answer ends in the middle of a", "", "length"),
    ],
)
def test_ollama(ollama_client: ollama.Client, scene: str, text: str, thoughts: str, reason: str) -> None:
    chats = [
        [ollama_client.chat("scenes:latest", question(scene))],
        list(ollama_client.chat("scenes", question(scene), stream=True)),
    ]
    for lines in chats:
        assert "".join(line.message.content or "" for line in lines) == text
        assert "".join(line.message.thinking or "" for line in lines) == thoughts
        assert (lines[-1].done, lines[-1].done_reason) == (True, reason)
        assert (lines[-1].eval_count or 0) > 5
        assert (lines[-1].eval_duration or 0) > 0
    written = [[ollama_client.generate("scenes", scene)], list(ollama_client.generate("scenes", scene, stream=True))]
    for replies in written:
        assert "".join(reply.response or "" for reply in replies) == text
        assert "".join(reply.thinking or "" for reply in replies) == thoughts
        assert (replies[-1].done, replies[-1].done_reason) == (True, reason)


def test_ollama_runs_a_tool_loop(ollama_client: ollama.Client) -> None:
    said = question("tools")
    lines = list(ollama_client.chat("scenes", said, stream=True))
    calls = [call for line in lines for call in line.message.tool_calls or ()]
    assert [(call.function.name, call.function.arguments) for call in calls] == CALLS
    said.append({"role": "assistant", "content": ASKS, "tool_calls": [call.model_dump() for call in calls]})
    said += [{"role": "tool", "tool_name": call.function.name, "content": text} for call, text in zip(calls, ANSWERED, strict=True)]
    assert ollama_client.chat("scenes", said).message.content == QUOTED


def test_ollama_fails(ollama_client: ollama.Client) -> None:
    got: list[str] = []

    def stream(scene: str) -> None:
        got.extend(line.message.content or "" for line in ollama_client.chat("scenes", question(scene), stream=True))

    with pytest.raises(ollama.ResponseError, match=OVERLOADED):
        stream("error")
    for scene, status in (("refused", 429), ("overloaded", 503)):
        with pytest.raises(ollama.ResponseError) as refused:
            stream(scene)
        assert refused.value.status_code == status
    got.clear()
    stream("cut")
    assert "".join(got) == FEW
