"""Items of earlier answers, only referred to, in what is posted to a real server's /v1/responses."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from services.upstream import READERS
from services.upstream.rehearsal.tellers import VENDORS
from tests.serving import Served, served

WITHOUT_TOOLS = {"openai_completions", "ollama_generate"}
DIALECTS = sorted(set(READERS) & set(VENDORS) - WITHOUT_TOOLS)
NAMES = ("get_weather", "get_time")
ANSWERED = "The tools have answered: “result of get_weather” and “result of get_time”."
USER = {"role": "user", "content": "tools"}


@pytest.fixture(scope="module")
def client(headrace: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """Of a Headrace with an upstream of each dialect, all of them the public rehearsal of another one. It keeps few logs."""
    table = '[[upstreams]]\nname = "{0}"\ndialect = "{0}"\nbase_url = "{1}/rehearsal/{0}"\napi_key = "k"\n'
    tables = [table.format(name, headrace.url) for name in DIALECTS]
    with (
        served(tmp_path_factory.mktemp("references"), "".join(["[storage]\nkeep = 3\n", *tables])) as running,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="k", max_retries=0, timeout=20) as client,
    ):
        yield client


def after(response: Any, *, referring: bool) -> list[Any]:
    """The turn after this response, as the AI SDK puts it, or with the items themselves."""
    items = [{"type": "item_reference", "id": item.id} if referring else item for item in response.output]
    calls = [item for item in response.output if item.type == "function_call"]
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": f"result of {call.name}"} for call in calls]
    return [USER, *items, *results]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_loop_of_tools(client: openai.OpenAI, dialect: str) -> None:
    tools: Any = [{"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}} for name in NAMES]
    asked: dict[str, Any] = {"model": f"{dialect}/scenes", "tools": tools}
    with client.responses.stream(input=[USER], **asked) as stream:  # type: ignore[list-item]
        streamed = stream.get_final_response()
    whole = client.responses.create(input=[USER], **asked)  # type: ignore[list-item]
    answers: list[Any] = [streamed, whole]
    for first in answers:
        referring, sending = [client.responses.create(input=after(first, referring=way), **asked) for way in (True, False)]
        assert ANSWERED in referring.output_text
        assert referring.usage == sending.usage
        assert first.usage.input_tokens < referring.usage.input_tokens


def test_an_answer_that_still_runs(client: openai.OpenAI) -> None:
    stream: Any = client.responses.create(model="rehearsal/longform", input="20000 tokens at 200 tokens/s", stream=True)
    item = next(event.item for event in stream if event.type == "response.output_item.added")
    with pytest.raises(openai.UnprocessableEntityError, match="an item of a response that is still running"):
        client.responses.create(model="rehearsal/echo", input=[{"type": "item_reference", "id": item.id}])
    stream.close()


def test_an_item_that_is_not_known_or_not_any_more(client: openai.OpenAI) -> None:
    first, *_ = [client.responses.create(model="rehearsal/echo", input=str(number)) for number in range(5)]
    for id in (first.output[0].id, "msg_0123_0", "msg_68af"):
        for stream in (False, True):
            with pytest.raises(openai.NotFoundError, match=r"input\[0\]` refers to the item .* `store: false`") as missing:
                client.responses.create(model="rehearsal/echo", input=[{"type": "item_reference", "id": id}, USER], stream=stream)  # type: ignore[list-item,misc]
            assert (missing.value.code, missing.value.type) == ("not_found", "not_found_error")
