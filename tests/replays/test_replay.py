"""A recording played: its own bytes in its own dialect, the same answer in every other one, or a sentence that says why not."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from services.errors import NotFound
from services.messages import Message, Reasoning, Text, ToolCall, Turn
from services.recordings.bodies import Found
from services.recordings.recording import End, Read, dialect_at
from services.upstream import READERS
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.server import Rehearsal
from tests.replays.playing import BODIES, asked, found, play, repertoire
from tests.upstream.reading import read, reply

DIALECTS = sorted(READERS)
FOLDERS = ("openai_chat", "anthropic", "gemini", "ollama_chat")
CLEAN = [(folder, name) for folder in FOLDERS for name in ("hello", "reasoning", "tool_call")]
CLEAN += [("openai_responses", name) for name in ("hello", "reasoning_summary", "tool_calls_parallel")]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_dialect_of_a_request_is_told_by_its_path(dialect: str) -> None:
    path, _ = READERS[dialect]().request(Turn("model", (Message("user", (Text("Hello"),)),)))
    assert dialect_at(f"https://example.org/some/where{path}") == dialect


async def test_in_its_own_dialect_a_recording_gives_its_own_bytes_read_by_read() -> None:
    """All that there are, dirty ones and refusals too."""
    for case in BODIES:
        path, dialect = case.values
        data = path.read_bytes()
        if not data:
            continue
        cut = tuple(Read(float(at), data[at : at + 100]) for at in range(0, len(data), 100))
        one = found("openai_chat", "hello")
        recording = one.recording._replace(dialect=dialect, reads=cut, end=End(float(len(data))))
        status, headers, chunks = await play(repertoire(one=one._replace(recording=recording)), dialect, "replay:one", faithful=True)
        assert (status, chunks) == (200, [read.data for read in cut]), path
        assert headers["content-type"] == "text/event-stream"


def spoken(dialect: str, chunks: list[bytes]) -> Any:
    """What was said, without what each vendor names its own way."""
    told = reply(read(dialect, chunks))
    parts = [msgspec.structs.replace(part, side=None) for part in told.parts if isinstance(part, Text | Reasoning | ToolCall)]
    said = [(type(part), part.text if not isinstance(part, ToolCall) else (part.name, part.input)) for part in parts]
    return said, told.usage and (told.usage.output_tokens, told.usage.reasoning_tokens or 0)


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if not one.endswith(("completions", "generate"))])
@pytest.mark.parametrize(("folder", "name"), CLEAN)
async def test_in_another_dialect_it_is_the_same_answer(folder: str, name: str, dialect: str) -> None:
    one = found(folder, name)
    was, used = spoken(one.recording.dialect, [one.recording.body])
    for stream in (True, False):
        status, _, chunks = await play(repertoire(one=one), dialect, "replay:one@10x#here", stream=stream)
        assert status == 200
        said, counted = spoken(dialect, chunks)
        assert said == was
        if used and counted and "gemini" not in (dialect, one.recording.dialect) and dialect != "ollama":
            assert counted[0] == used[0]


async def test_streamed_or_whole_as_it_is_asked_with_the_usage_that_was_told() -> None:
    kept = repertoire(one=found("openai_chat", "reasoning"), two=found("openai_chat", "hello_nonstream"))
    for name in ("one", "two"):
        used = reply(read("openai_chat", [kept.recordings.get(name).body])).usage
        assert used is not None
        _, _, chunks = await play(kept, "openai_chat", f"replay:{name}", stream=False)
        counted = json.loads(b"".join(chunks))["usage"]
        assert (counted["prompt_tokens"], counted["completion_tokens"]) == (used.input_tokens, used.output_tokens)
        _, headers, chunks = await play(kept, "anthropic", f"replay:{name}", stream=True)
        assert headers["content-type"].startswith("text/event-stream")
        told = reply(read("anthropic", chunks)).usage
        assert told is not None
        assert (told.input_tokens, told.output_tokens) == (used.input_tokens, used.output_tokens)


@pytest.mark.parametrize(
    ("folder", "name", "what"), [("openai_chat", "refusal", "a refusal"), ("openai_chat", "images_delta", "kind image")]
)
async def test_what_another_dialect_cannot_say_is_refused(folder: str, name: str, what: str) -> None:
    one = found(folder, name)
    status, _, chunks = await play(repertoire(one=one), "anthropic", "replay:one")
    assert status == 422
    said = json.loads(b"".join(chunks))["error"]["message"]
    assert what in said
    assert f"/rehearsal/{one.recording.dialect}" in said


async def test_a_refusal_keeps_its_status_in_every_dialect() -> None:
    one = found("openai_chat", "error_before_429")
    one = one._replace(recording=one.recording._replace(status=429, headers={"content-type": "application/json", "retry-after": "7"}))
    kept = repertoire(one=one)
    status, headers, chunks = await play(kept, "openai_chat", "replay:one")
    assert (status, headers["retry-after"], b"".join(chunks)) == (429, "7", one.recording.body)
    status, headers, chunks = await play(kept, "anthropic", "replay:one")
    assert (status, headers["retry-after"]) == (429, "7")
    assert json.loads(b"".join(chunks))["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    ("model", "status", "sentence"),
    [
        ("replay:two", 404, "There are: one"),
        ("replay:../one", 422, "name"),
        ("replay:one@backwards", 400, "@10x, @0.5x, @instant or @step"),
        ("replay:one@0x", 400, "@step"),
        ("replay:one@99999x", 400, "@step"),
        ("replay:one#a b", 400, "id of letters"),
    ],
)
async def test_a_name_that_asks_for_nothing(model: str, status: int, sentence: str) -> None:
    got, _, chunks = await play(repertoire(one=found("openai_chat", "hello")), "openai_chat", model)
    assert got == status
    assert sentence in json.loads(b"".join(chunks))["error"]["message"]


async def test_a_connection_that_broke_breaks_again() -> None:
    one = found("openai_chat", "hello")
    broken = one.recording._replace(reads=one.recording.reads[:2], end=End(50.0, "broken"))
    with pytest.raises(ConnectionResetError):
        await play(repertoire(one=one._replace(recording=broken)), "openai_chat", "replay:one")


# Times


class Listener:
    """A client, and the times at which it heard something."""

    def __init__(self, one: Found, model: str) -> None:
        self.clock = Stepped()
        self.kept = repertoire(one=one)
        self.heard: list[tuple[float, bytes]] = []
        self._task = asyncio.create_task(self._listen(model))

    async def _listen(self, model: str) -> None:
        answer = await Rehearsal(60.0, self.clock, "openai_chat", repertoire=self.kept).answer(
            "POST", *asked("openai_chat", model, stream=True)
        )
        async for chunk in answer.chunks:
            self.heard.append((round(self.clock.now() * 1000, 6), chunk))

    async def settle(self) -> None:
        for _ in range(40):
            await asyncio.sleep(0.001)

    async def end(self) -> None:
        self.clock.step(1000)
        await self._task


def timed() -> Found:
    """Four reads at 100, 110, 400 and 400 ms."""
    one = found("openai_chat", "hello")
    moments = (100.0, 110.0, 400.0, 400.0)
    reads = tuple(Read(at, read.data) for at, read in zip(moments, one.recording.reads, strict=False))
    return one._replace(recording=one.recording._replace(reads=reads, end=End(500.0), answered_at=90.0))


@pytest.mark.parametrize(("model", "times"), [("replay:one", 1.0), ("replay:one@10x", 10.0), ("replay:one@0.5x", 0.5)])
async def test_each_read_comes_at_its_own_moment(model: str, times: float) -> None:
    listener = Listener(timed(), model)
    await listener.end()
    assert [at for at, _ in listener.heard] == pytest.approx([at / times for at in (100.0, 110.0, 400.0, 400.0)])


async def test_instantly_nothing_is_waited_for() -> None:
    listener = Listener(timed(), "replay:one@instant")
    await listener.end()
    assert [at for at, _ in listener.heard] == [0.0] * 4


async def test_step_by_step() -> None:
    listener = Listener(timed(), "replay:one@step#mine")
    await listener.settle()
    player = await listener.kept.players.find("mine")
    assert (player.state.state, player.state.position, player.state.reads, listener.heard) == ("paused", 0, 4, [])
    player.step()
    await listener.settle()
    assert len(listener.heard) == player.state.position == 1
    player.step(2)
    await listener.settle()
    assert len(listener.heard) == 3
    assert player.state.ms == 400.0
    player.play()
    await listener.settle()
    await listener.end()
    assert len(listener.heard) == 4
    with pytest.raises(NotFound):
        await listener.kept.players.find("mine")


async def test_a_pause_holds_the_clock_and_nothing_is_lost() -> None:
    listener = Listener(timed(), "replay:one#mine")
    await listener.settle()
    while len(listener.heard) < 2:
        listener.clock.step()
        await listener.settle()
    player = await listener.kept.players.find("mine")
    player.pause()
    await listener.settle()
    listener.clock.step()  # an hour, and it is still paused
    await listener.settle()
    assert (len(listener.heard), player.state.state) == (2, "paused")
    player.play()
    await listener.settle()
    await listener.end()
    gap = listener.heard[2][0] - listener.heard[1][0]
    assert gap == pytest.approx(3_600_000 + 290.0)  # the pause, and what was left of the gap
