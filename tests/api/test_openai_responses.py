"""/v1/responses against a real server, with OpenAI's own SDK: streams, answers, resuming, cancelling, going on."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pydantic
import pytest
from openai.types.responses import Response

from services.upstream.rehearsal.scenes import ANSWER, PLAN, THOUGHTS
from tests.serving import Served

SCENES = "rehearsal/scenes"
LENGTH = "This answer ends in the middle of a"
RUNNING: dict[str, Any] = {"model": "rehearsal/longform", "input": "20000 tokens at 200 tokens/s"}
ASKS = "I ask both tools at once."


@pytest.fixture
def client(headrace: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{headrace.url}/v1", api_key="none", max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
def http(headrace: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=headrace.url, trust_env=False, timeout=20) as http:
        yield http


def told(events: Any) -> list[dict[str, Any]]:
    return [event.to_dict() for event in events]


def summaries(response: Response) -> list[str]:
    return [item.summary[0].text for item in response.output if item.type == "reasoning"]


@pytest.mark.parametrize(
    ("scene", "text", "thoughts", "status"),
    [("text", ANSWER, [], "completed"), ("reasoning", ANSWER, [THOUGHTS], "completed"), ("length", LENGTH, [], "incomplete")],
)
def test_create(client: openai.OpenAI, scene: str, text: str, thoughts: list[str], status: str) -> None:
    events: list[Any] = list(client.responses.create(model=SCENES, input=scene, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == text
    whole = client.responses.create(model=SCENES, input=scene)
    responses: list[Any] = [events[-1].response, whole]
    for response in responses:
        assert (response.output_text, summaries(response), response.status) == (text, thoughts, status)
        assert response.usage.output_tokens > 5
        assert (response.incomplete_details is None) == (status == "completed")
    assert client.responses.retrieve(whole.id).to_dict() == whole.to_dict()
    assert client.responses.retrieve(events[0].response.id).to_dict() == events[-1].response.to_dict()


def test_the_thinker_and_max_output_tokens(client: openai.OpenAI) -> None:
    response = client.responses.create(model="rehearsal/thinker", input="Why?")
    assert summaries(response)
    short = client.responses.create(model="rehearsal/thinker", input="Why?", max_output_tokens=4)
    assert (short.status, short.max_output_tokens) == ("incomplete", 4)


def test_the_stream_helper(client: openai.OpenAI) -> None:
    with client.responses.stream(model=SCENES, input="reasoning") as stream:
        texts = [event.delta for event in stream if event.type == "response.output_text.delta"]
        response = stream.get_final_response()
    assert "".join(texts) == response.output_text == ANSWER


def test_a_tool_loop_with_the_helper(client: openai.OpenAI) -> None:
    said: Any = [{"role": "user", "content": "tools"}]
    with client.responses.stream(model=SCENES, input=said) as stream:
        response = stream.get_final_response()
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("get_weather", {"city": "Köln"}),
        ("get_time", {"zone": "Europe/Berlin"}),
    ]
    assert (response.output_text, summaries(response)) == (ASKS, [PLAN])
    said += response.output
    said += [
        {"type": "function_call_output", "call_id": call.call_id, "output": text}
        for call, text in zip(calls, ("12 °C", "14:05"), strict=True)
    ]
    assert client.responses.create(model=SCENES, input=said).output_text == "The tools have answered: “12 °C” and “14:05”."


def test_a_tool_loop_by_previous_response_id(client: openai.OpenAI) -> None:
    first = client.responses.create(model=SCENES, input="tools", instructions="Be kind.")
    calls = [item for item in first.output if item.type == "function_call"]
    results: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": call.name} for call in calls]
    second = client.responses.create(model=SCENES, input=results, previous_response_id=first.id)
    assert second.output_text == "The tools have answered: “get_weather” and “get_time”."
    assert (second.previous_response_id, second.instructions) == (first.id, None)


class Place(pydantic.BaseModel):
    city: str


def test_the_parse_helper(client: openai.OpenAI) -> None:
    parsed = client.responses.parse(model="rehearsal/echo", input='{"city": "Köln"}', text_format=Place)
    assert parsed.output_parsed == Place(city="Köln")


# Failures


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"model": "rehearsal/scene", "input": "x"}, openai.NotFoundError, "rehearsal/scenes"),
        ({"model": SCENES, "input": "refused"}, openai.RateLimitError, "no more requests"),
        ({"model": SCENES, "input": "overloaded"}, openai.InternalServerError, "Try again"),
        ({"model": SCENES, "input": "x", "tools": [{"type": "web_search"}]}, openai.UnprocessableEntityError, "'web_search'"),
        ({"model": SCENES, "input": "x", "previous_response_id": "resp_nope"}, openai.NotFoundError, "previous_response_id"),
        ({"model": SCENES, "input": "x", "previous_response_id": "nope"}, openai.NotFoundError, "previous_response_id"),
        ({"model": SCENES, "input": "x", "conversation": "c"}, openai.UnprocessableEntityError, "'conversation'"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_before_the_first_byte(
    client: openai.OpenAI, body: Any, kind: type[openai.APIStatusError], words: str, stream: bool
) -> None:
    with pytest.raises(kind, match=words):
        client.responses.create(**body, stream=stream)


def _read(events: Any, seen: list[Any]) -> None:
    for event in events:
        seen.append(event)


@pytest.mark.parametrize("scene", ["error", "cut"])
def test_errors_in_the_middle(client: openai.OpenAI, scene: str) -> None:
    seen: list[Any] = []
    with pytest.raises(openai.APIError) as failed:
        _read(client.responses.create(model=SCENES, input=scene, stream=True), seen)
    assert seen[-1].type == "response.failed"
    response = client.responses.retrieve(seen[0].response.id)
    assert response.to_dict() == seen[-1].response.to_dict()
    assert (response.status, response.output_text) == ("failed", "A few words, and then")
    assert response.error
    assert response.error.message == failed.value.message


# While it runs, and afterwards


def test_resuming_gives_exactly_the_rest(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"instructions": "Be kind.", "metadata": {"a": "b"}}
    events = told(client.responses.create(model=SCENES, input="tools", stream=True, **asked))
    assert (events[-1]["response"]["instructions"], events[-1]["response"]["metadata"]) == tuple(asked.values())
    id = events[0]["response"]["id"]
    for after in range(len(events)):
        assert told(client.responses.retrieve(id, stream=True, starting_after=after)) == events[after + 1 :]
    assert told(client.responses.retrieve(id, stream=True)) == events
    with pytest.raises(openai.BadRequestError, match=f"no event {len(events)} yet: the last one is {len(events) - 1}"):
        client.responses.retrieve(id, stream=True, starting_after=len(events))
    with client.responses.stream(response_id=id, starting_after=20) as stream:
        assert [event.sequence_number for event in stream] == list(range(21, len(events)))


def test_a_running_response_is_retrieved_resumed_and_cancelled(client: openai.OpenAI) -> None:
    stream: Any = client.responses.create(**RUNNING, stream=True)
    seen = [next(stream) for _ in range(8)]
    id = seen[0].response.id
    running = client.responses.retrieve(id)
    assert (running.id, running.status) == (id, "in_progress")
    assert running.output_text.startswith("".join(event.delta for event in seen if event.type == "response.output_text.delta"))
    resumed: Any = client.responses.retrieve(id, stream=True, starting_after=3)
    assert [next(resumed).to_dict() for _ in range(4)] == told(seen[4:])
    cancelled = client.responses.cancel(id)
    assert cancelled.status == "cancelled"
    for rest in (list(stream), list(resumed)):
        assert (rest[-1].type, rest[-1].response.status) == ("response.incomplete", "cancelled")
        assert rest[-1].response.to_dict() == cancelled.to_dict()
    assert client.responses.cancel(id).to_dict() == cancelled.to_dict()


def eventually(ask: Callable[[], str | None], wanted: str) -> None:
    assert any(ask() == wanted for _ in range(2000))


def test_who_leaves_stops_it(client: openai.OpenAI) -> None:
    stream: Any = client.responses.create(**RUNNING, stream=True)
    id = next(stream).response.id
    stream.close()
    eventually(lambda: client.responses.retrieve(id).status, "cancelled")


def test_in_the_background_it_goes_on(client: openai.OpenAI) -> None:
    started = client.responses.create(**RUNNING, background=True)
    assert (started.status, started.background) == ("in_progress", True)
    stream: Any = client.responses.retrieve(started.id, stream=True)
    seen = [next(stream) for _ in range(8)]
    stream.close()
    more: Any = client.responses.retrieve(started.id, stream=True, starting_after=seen[-1].sequence_number)
    assert [next(more).sequence_number for _ in range(50)] == list(range(8, 58))
    more.close()
    assert client.responses.retrieve(started.id).status == "in_progress"
    client.responses.cancel(started.id)


def test_a_running_response_cannot_be_gone_on_from(client: openai.OpenAI) -> None:
    started = client.responses.create(**RUNNING, background=True)
    with pytest.raises(openai.UnprocessableEntityError, match="still running"):
        client.responses.create(model=SCENES, input="text", previous_response_id=started.id)
    client.responses.cancel(started.id)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("?stream=true&starting_after=9999", 400, "There is no event 9999 yet"),
        ("?stream=true&starting_after=-1", 400, "position"),
        ("?stream=true&starting_after=x", 400, "position"),
        ("?starting_after=1", 400, "goes with `stream=true`"),
        ("?stream=maybe", 400, "`stream` is true or false"),
        ("?include=message.output_text.logprobs", 422, "message.output_text.logprobs"),
        ("?include_obfuscation=true", 400, "include_obfuscation"),
        ("?after=1", 400, "after"),
    ],
)
def test_a_bad_question_about_a_response(http: httpx.Client, query: str, status: int, words: str) -> None:
    id = http.post("/v1/responses", json={"model": SCENES, "input": "text"}).json()["id"]
    response = http.get(f"/v1/responses/{id}{query}")
    error = response.json()["error"]
    assert response.status_code == status
    assert words in error["message"]
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["resp_nope", "nope", "resp_", "resp_nope/cancel", "nope/cancel"])
def test_a_response_that_is_not_there(http: httpx.Client, path: str) -> None:
    response = http.post(f"/v1/responses/{path}") if path.endswith("cancel") else http.get(f"/v1/responses/{path}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    assert response.json()["error"]["type"] == "not_found_error"


def test_a_generation_of_another_surface_is_a_response_too(http: httpx.Client, client: openai.OpenAI) -> None:
    chat = http.post("/chat?model=rehearsal/echo", json={"messages": [{"role": "user", "content": "Hello"}]})
    response = client.responses.retrieve(f"resp_{chat.headers['headrace-generation']}")
    assert (response.output_text, response.status) == ("Hello", "completed")
    assert client.responses.create(model="rehearsal/echo", input="And?", previous_response_id=response.id).output_text == "And?"
