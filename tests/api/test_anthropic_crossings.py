"""Every dialect of a model server behind Anthropic's and Ollama's SDKs: two Headraces, the second one's model server is the first."""

from collections.abc import Iterator
from typing import Any

import anthropic
import ollama
import pytest

from services.upstream import READERS
from services.upstream.rehearsal.tellers import VENDORS
from tests.serving import Served, served

WITHOUT_TOOLS = {"openai_completions", "ollama_generate"}
DIALECTS = sorted(set(READERS) & set(VENDORS))
CALLS = [("get_weather", {"city": "Köln"}), ("get_time", {"zone": "Europe/Berlin"})]


@pytest.fixture(scope="module")
def crossing(headrace: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Headrace with an upstream of each dialect, all of them the public rehearsal of another one."""
    table = '[[upstreams]]\nname = "{0}"\ndialect = "{0}"\nbase_url = "{1}/rehearsal/{0}"\napi_key = "k"\n'
    tables = [table.format(name, headrace.url) for name in DIALECTS]
    with served(tmp_path_factory.mktemp("crossing"), "".join(tables)) as running:
        yield running


def test_the_dialects_are_many() -> None:
    assert len(DIALECTS) >= 6


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("scene", ["text", "reasoning"])
def test_anthropics_sdk_reads_every_server(crossing: Served, dialect: str, scene: str) -> None:
    asked: Any = {"model": f"{dialect}/scenes", "max_tokens": 4000, "messages": [{"role": "user", "content": scene}]}
    with anthropic.Anthropic(base_url=crossing.url, api_key="k", max_retries=0) as client:
        with client.messages.stream(**asked) as stream:
            streamed = stream.get_final_message()
        whole = client.messages.create(**asked)
    assert streamed.content[-1].type == "text"
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert (streamed.stop_reason, streamed.usage) == ("end_turn", whole.usage)
    assert whole.usage.output_tokens > 0


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - WITHOUT_TOOLS))
def test_anthropics_sdk_runs_a_loop_of_tools_with_every_server(crossing: Served, dialect: str) -> None:
    tools = [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name, _ in CALLS]
    asked: Any = {"model": f"{dialect}/scenes", "max_tokens": 4000, "tools": tools, "messages": [{"role": "user", "content": "tools"}]}
    with anthropic.Anthropic(base_url=crossing.url, api_key="k", max_retries=0) as client:
        with client.messages.stream(**asked) as stream:
            first = stream.get_final_message()
        calls = [block for block in first.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": f"result of {call.name}"} for call in calls]
        said = [*asked["messages"], {"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
        last = client.messages.create(**{**asked, "messages": said})
    assert first.stop_reason == "tool_use"
    assert [(call.name, call.input) for call in calls] == CALLS
    text = "".join(block.text for block in last.content if block.type == "text")
    assert "result of get_weather" in text
    assert "result of get_time" in text


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - WITHOUT_TOOLS))
def test_ollamas_sdk_runs_a_loop_of_tools_with_every_server(crossing: Served, dialect: str) -> None:
    question: Any = {"role": "user", "content": "tools"}
    with ollama.Client(crossing.url) as client:
        first = client.chat(f"{dialect}/scenes", [question], keep_alive="5m", options={"num_ctx": 8192})
        calls = first.message.tool_calls or []
        results: list[Any] = [
            {"role": "tool", "tool_name": call.function.name, "content": f"result of {call.function.name}"} for call in calls
        ]
        last = client.chat(f"{dialect}/scenes", [question, first.message, *results])
    assert [(call.function.name, dict(call.function.arguments)) for call in calls] == CALLS
    assert "result of get_weather" in str(last.message.content)
    assert "result of get_time" in str(last.message.content)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_ollamas_sdk_generates_with_every_server(crossing: Served, dialect: str) -> None:
    with ollama.Client(crossing.url) as client:
        lines = list(client.generate(f"{dialect}/scenes", "text", stream=True))
    assert "👋" in "".join(line.response or "" for line in lines)
    assert lines[-1].done_reason == "stop"
