"""Every dialect of the rehearsal, read by our reader of that dialect: each scene means the same in all of them.

The tellers are written from the vendors' references and the readers from recordings, so that each is a test of the other.
"""

import json
from typing import Any

import pytest

from services.errors import Refused, Truncated
from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Started, Status
from services.messages import Message, Options, Part, Reasoning, Reply, Text, ToolCall, ToolResult, Turn, fold
from services.upstream import READERS
from services.upstream.connections import InProcess
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.scenes import ANSWER, LIMITED, OVERLOADED, PLAN, SCENES, THOUGHTS
from services.upstream.rehearsal.script import Answer
from services.upstream.rehearsal.server import Rehearsal
from services.upstream.rehearsal.tellers import VENDORS
from tests.upstream.reading import check_story

FEW = "A few words, and then"
ASKS = "I ask both tools at once."
HALF = "This answer ends in the middle of a"
CALLS: list[tuple[str, object]] = [("get_weather", {"city": "Köln"}), ("get_time", {"zone": "Europe/Berlin"})]
WITHOUT_THOUGHTS = {"openai_completions"}
WITHOUT_TOOLS = {"openai_completions", "ollama_generate"}
WITHOUT_STOPS = {"openai_responses"}

DIALECTS = [dialect for dialect in READERS if dialect in VENDORS]
streamed_or_whole = pytest.mark.parametrize("whole", [False, True], ids=["streamed", "whole"])
every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def flowing(dialect: str) -> Rehearsal:
    clock = Stepped()
    clock.step(1_000_000)
    return Rehearsal(clock=clock, dialect=dialect)


def upstream(dialect: str, *, whole: bool = False) -> HTTPUpstream:
    server = flowing(dialect)

    async def unstreamed(method: str, path: str, body: bytes) -> Answer:
        if method == "POST":
            path = path.partition("?")[0].replace("streamGenerateContent", "generateContent")
            body = json.dumps({**json.loads(body), "stream": False}).encode()
        return await server.answer(method, path, body)

    return HTTPUpstream(dialect, READERS[dialect], "http://rehearsal", InProcess(unstreamed if whole else server.answer))


async def ask(dialect: str, *said: Message | str, whole: bool = False, model: str = "scenes", **options: Any) -> list[Event]:
    """The events of an answer, its story checked."""
    events: list[Event] = []
    messages = tuple(Message("user", (Text(each),)) if isinstance(each, str) else each for each in said)
    await upstream(dialect, whole=whole).read(Turn(model, messages, Options(**options)), events.extend)
    story: list[Event] = [event for event in events if not isinstance(event, Status)]
    check_story(story)
    return story


def told(events: list[Event]) -> Reply:
    return fold([Entry(seq, 0.0, event) for seq, event in enumerate([Started("g", "u/m", 0), *events], 1)])


def thoughts(reply: Reply) -> str:
    return "".join(part.text for part in reply.parts if isinstance(part, Reasoning))


def calls(reply: Reply) -> list[ToolCall]:
    return [part for part in reply.parts if isinstance(part, ToolCall)]


def test_every_reader_has_a_server_to_rehearse_with() -> None:
    assert set(READERS) <= set(VENDORS)


@every_dialect
async def test_the_models_are_listed(dialect: str) -> None:
    names = [model.name.removesuffix(":latest") for model in await upstream(dialect).models()]
    assert names == list(MODELS)


@streamed_or_whole
@every_dialect
async def test_text(dialect: str, whole: bool) -> None:
    events = await ask(dialect, "text", whole=whole)
    reply = told(events)
    assert (reply.message.text, thoughts(reply), reply.reason, reply.problem) == (ANSWER, "", "stop", None)
    assert reply.usage
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (1, size(ANSWER))
    pieces = [event.text for event in events if isinstance(event, PartDelta)]
    assert len(pieces) == (1 if whole else size(ANSWER))


@streamed_or_whole
@every_dialect
async def test_reasoning(dialect: str, whole: bool) -> None:
    reply = told(await ask(dialect, "reasoning", whole=whole))
    assert (reply.message.text, reply.reason) == (ANSWER, "stop")
    assert thoughts(reply) == ("" if dialect in WITHOUT_THOUGHTS else THOUGHTS)
    assert reply.usage
    counted = reply.usage.output_tokens or 0
    if dialect == "gemini":
        counted += reply.usage.reasoning_tokens or 0
    assert counted == size(ANSWER) + size(THOUGHTS)
    assert reply.usage.reasoning_tokens in (None, size(THOUGHTS))


@streamed_or_whole
@every_dialect
async def test_tools(dialect: str, whole: bool) -> None:
    reply = told(await ask(dialect, "tools", whole=whole))
    assert reply.message.text == ASKS
    assert thoughts(reply) == ("" if dialect in WITHOUT_THOUGHTS else PLAN)
    if dialect in WITHOUT_TOOLS:
        assert (calls(reply), reply.reason) == ([], "stop")
        return
    assert [(call.name, call.input) for call in calls(reply)] == CALLS
    assert len({call.id for call in calls(reply)}) == 2
    assert reply.problem is None


@streamed_or_whole
@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect not in WITHOUT_TOOLS])
async def test_a_whole_loop_of_tools(dialect: str, whole: bool) -> None:
    """What a reader has read goes back with the results, as the dialect asks for it."""
    reply = told(await ask(dialect, "tools", whole=whole))
    first, second = calls(reply)
    results: list[Part] = [ToolResult(first.id, "12 °C", first.name), ToolResult(second.id, "14:05", second.name)]
    said = [Message("user", (Text("tools"),)), reply.message, Message("tool", tuple(results))]
    answer = told(await ask(dialect, *said, whole=whole))
    assert answer.message.text == "The tools have answered: “12 °C” and “14:05”."
    again = told(await ask(dialect, *said, answer.message, "tools", whole=whole))
    assert [(call.name, call.input) for call in calls(again)] == CALLS


@streamed_or_whole
@every_dialect
async def test_length(dialect: str, whole: bool) -> None:
    reply = told(await ask(dialect, "length", whole=whole))
    assert (reply.message.text, reply.reason) == (HALF, "length")


@every_dialect
async def test_an_error_in_the_middle(dialect: str) -> None:
    *before, end = await ask(dialect, "error")
    assert isinstance(end, Failed)
    assert (end.upstream, end.retryable) == (OVERLOADED, True)
    assert told([*before, end]).message.text == FEW


@every_dialect
async def test_an_error_in_the_middle_of_no_stream_is_a_refusal(dialect: str) -> None:
    with pytest.raises(Refused) as failed:
        await ask(dialect, "error", whole=True)
    assert (failed.value.http_status, failed.value.upstream) == (529 if dialect == "anthropic" else 503, OVERLOADED)


@every_dialect
async def test_a_cut(dialect: str) -> None:
    *before, end = await ask(dialect, "cut")
    assert isinstance(end, Failed)
    assert end.code == "truncated"
    assert told([*before, end]).message.text == FEW


@every_dialect
async def test_half_of_a_whole_answer_is_no_success(dialect: str) -> None:
    try:
        *_, end = await ask(dialect, "cut", whole=True)
    except Truncated:
        return
    assert isinstance(end, Failed)


@streamed_or_whole
@pytest.mark.parametrize(
    ("scene", "status", "said", "code", "wait"),
    [("refused", 429, LIMITED, "rate_limited", 1), ("overloaded", 503, OVERLOADED, "server_error", None)],
)
@every_dialect
async def test_refusals(dialect: str, scene: str, status: int, said: str, code: str, wait: float | None, whole: bool) -> None:
    with pytest.raises(Refused) as refused:
        await ask(dialect, scene, whole=whole)
    error = refused.value
    assert error.http_status == (529 if (dialect, status) == ("anthropic", 503) else status)
    assert (error.upstream, error.kind, error.retry_after, error.can_retry) == (said, code, wait, True)


@every_dialect
async def test_an_unknown_model(dialect: str) -> None:
    with pytest.raises(Refused, match="does not have this model"):
        await ask(dialect, "text", model="nope")


@every_dialect
async def test_anything_else_is_told_what_there_is(dialect: str) -> None:
    reply = told(await ask(dialect, "Hello"))
    assert reply.reason == "stop"
    assert all(scene in reply.message.text for scene in SCENES)


@streamed_or_whole
@every_dialect
async def test_max_tokens(dialect: str, whole: bool) -> None:
    reply = told(await ask(dialect, "one two three four", whole=whole, model="echo", max_tokens=3))
    assert (reply.message.text, reply.reason) == ("one two three", "length")


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect not in WITHOUT_TOOLS])
async def test_a_call_that_max_tokens_cuts_is_no_whole_call(dialect: str) -> None:
    """Fragments are told as far as they came; where calls come whole, there is none."""
    most = size(PLAN) + size(ASKS) + 3
    events = await ask(dialect, "tools", max_tokens=most)
    fragments = [event for event in events if isinstance(event, PartStarted) and event.kind == "tool_call"]
    assert len(fragments) == (0 if dialect in ("gemini", "ollama") else 1)
    assert all(event.value is None for event in events if isinstance(event, PartFinished))
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "length"


@streamed_or_whole
@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect not in WITHOUT_STOPS])
async def test_stop_strings(dialect: str, whole: bool) -> None:
    reply = told(await ask(dialect, "one two three four", whole=whole, model="echo", stop=("ee fo",), max_tokens=100))
    assert (reply.message.text, reply.reason) == ("one two thr", "stop")


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect not in WITHOUT_THOUGHTS])
async def test_thoughts_can_be_declined(dialect: str) -> None:
    reply = told(await ask(dialect, "reasoning", reasoning_effort="none"))
    assert (thoughts(reply), reply.message.text) == ("", ANSWER)


@every_dialect
async def test_a_long_answer_is_the_same_streamed_and_whole(dialect: str) -> None:
    """Line ends, quotes and what else breaks streams, in hundreds of pieces."""
    said = 'data: x\n\n[DONE]\r\n\u2028\u2029\x85 "quoted" \\ 水車 🏳️‍🌈 ' * 20
    for whole in (False, True):
        assert told(await ask(dialect, said, whole=whole, model="echo", max_tokens=10_000)).message.text == said


@every_dialect
async def test_the_same_request_gets_the_same_bytes(dialect: str) -> None:
    request = READERS[dialect]().request(Turn("scenes", (Message("user", (Text("tools"),)),)))

    async def once() -> list[bytes]:
        answer = await flowing(dialect).answer("POST", request.path, request.body)
        return [chunk async for chunk in answer.chunks]

    chunks = await once()
    assert chunks == await once()
    assert len(chunks) > 3
