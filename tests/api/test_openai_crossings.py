"""Every dialect of a model server behind OpenAI's SDK: two Headraces, the second one's model server is the first."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from services.upstream import READERS
from services.upstream.rehearsal.scenes import ANSWER
from services.upstream.rehearsal.tellers import VENDORS
from tests.serving import Served, served

WITHOUT_TOOLS = {"openai_completions", "ollama_generate"}
DIALECTS = sorted(set(READERS) & set(VENDORS))
CALLS = [("get_weather", {"city": "Köln"}), ("get_time", {"zone": "Europe/Berlin"})]
ANSWERED = "“result of get_weather” and “result of get_time”"


@pytest.fixture(scope="module")
def client(headrace: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """Of a Headrace with an upstream of each dialect, all of them the public rehearsal of another one. It keeps few logs."""
    table = '[[upstreams]]\nname = "{0}"\ndialect = "{0}"\nbase_url = "{1}/rehearsal/{0}"\napi_key = "k"\n'
    tables = [table.format(name, headrace.url) for name in DIALECTS]
    with (
        served(tmp_path_factory.mktemp("crossing"), "".join(["[storage]\nkeep = 3\n", *tables])) as running,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="k", max_retries=0, timeout=20) as client,
    ):
        yield client


def meant(response: Any) -> list[dict[str, Any]]:
    """The output without what differs from answer to answer: ids, and what holds them."""
    return [
        {name: value for name, value in item.items() if name not in ("id", "encrypted_content")} for item in response.to_dict()["output"]
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("scene", ["text", "reasoning"])
def test_responses(client: openai.OpenAI, dialect: str, scene: str) -> None:
    with client.responses.stream(model=f"{dialect}/scenes", input=scene) as stream:
        streamed = stream.get_final_response()
    whole = client.responses.create(model=f"{dialect}/scenes", input=scene)
    assert whole.output_text == ANSWER
    assert meant(client.responses.retrieve(streamed.id)) == meant(whole)
    assert streamed.output_text == ANSWER
    assert whole.usage
    assert whole.usage.output_tokens > 0
    assert streamed.usage == whole.usage


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - WITHOUT_TOOLS))
def test_responses_run_a_loop_of_tools(client: openai.OpenAI, dialect: str) -> None:
    tools: Any = [{"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}} for name, _ in CALLS]
    said: Any = [{"role": "user", "content": "tools"}]
    with client.responses.stream(model=f"{dialect}/scenes", input=said, tools=tools) as stream:
        first = stream.get_final_response()
    calls = [item for item in first.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == CALLS
    results: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": f"result of {call.name}"} for call in calls]
    said += [*first.output, *results]
    last = client.responses.create(model=f"{dialect}/scenes", input=said, tools=tools)
    again = client.responses.create(model=f"{dialect}/scenes", input=results, previous_response_id=first.id, tools=tools)
    assert ANSWERED in last.output_text
    assert ANSWERED in again.output_text


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - WITHOUT_TOOLS))
def test_a_chat_runs_a_loop_of_tools(client: openai.OpenAI, dialect: str) -> None:
    tools: Any = [{"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}} for name, _ in CALLS]
    said: Any = [{"role": "user", "content": "tools"}]
    with client.chat.completions.stream(model=f"{dialect}/scenes", messages=said, tools=tools) as stream:
        streamed = stream.get_final_completion().choices[0]
    for choice in (streamed, client.chat.completions.create(model=f"{dialect}/scenes", messages=said, tools=tools).choices[0]):
        calls: Any = choice.message.tool_calls
        assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == CALLS
        results = [{"role": "tool", "tool_call_id": call.id, "content": f"result of {call.function.name}"} for call in calls]
        history: Any = [*said, choice.message, *results]
        last = client.chat.completions.create(model=f"{dialect}/scenes", messages=history, tools=tools)
        assert ANSWERED in str(last.choices[0].message.content)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_completions(client: openai.OpenAI, dialect: str) -> None:
    chunks = list(client.completions.create(model=f"{dialect}/scenes", prompt="text", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == ANSWER
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_response_that_is_no_longer_kept(client: openai.OpenAI) -> None:
    first, *_ = [client.responses.create(model="rehearsal/echo", input=str(number)) for number in range(5)]
    asked: list[Any] = [
        lambda: client.responses.retrieve(first.id),
        lambda: client.responses.cancel(first.id),
        lambda: client.responses.create(model="rehearsal/echo", input="And?", previous_response_id=first.id),
    ]
    for ask in asked:
        with pytest.raises(openai.APIStatusError, match="no longer kept") as gone:
            ask()
        assert (gone.value.status_code, gone.value.code) == (410, "gone")
