"""A generation ends exactly once, whatever happens to the upstream, to the task, or to the person's patience."""

import asyncio

import pytest

from services.errors import Invalid, LimitExceeded, Truncated
from services.events import Event, Failed, Finished, PartDelta, PartStarted, Status
from services.generations.generation import Emit, Generation, Read
from services.generations.journal import Journal
from services.messages import Message, Text, Turn

TURN = Turn("r/echo", (Message("user", (Text("Hello"),)),))
HELLO: list[Event] = [PartStarted(0, "text"), PartDelta(0, "Hel")]


def generation(read: Read, journal: Journal, ended: list[Generation] | None = None) -> Generation:
    return Generation("g", TURN, read, journal, (ended if ended is not None else []).append)


async def end_of(running: Generation) -> Event:
    async for _ in running.log.follow():
        pass
    return running.log.entries[-1].event


def says(*events: Event, then: BaseException | None = None, stay: bool = False) -> Read:
    async def read(turn: Turn, emit: Emit) -> None:
        emit(events)
        if stay:
            await asyncio.Event().wait()
        if then is not None:
            raise then

    return read


async def test_a_whole_story(journal: Journal) -> None:
    ended: list[Generation] = []
    running = generation(says(*HELLO, Finished("stop")), journal, ended)
    running.start()
    assert isinstance(await end_of(running), Finished)
    await asyncio.sleep(0)
    assert ended == [running]
    assert (running.reply.state, running.reply.message.text) == ("finished", "Hel")


@pytest.mark.parametrize(
    ("read", "code", "phase"),
    [
        (says(), "truncated", "before"),
        (says(*HELLO), "truncated", "streaming"),
        (says(*HELLO, then=Truncated("Lost.", code="connection_lost")), "connection_lost", "streaming"),
        (says(then=Truncated("Late.", code="first_byte_timeout", phase="waiting")), "first_byte_timeout", "waiting"),
        (says(*HELLO, then=LimitExceeded("Too much.")), "limit", "streaming"),
        (says(then=Invalid("No images.")), "invalid", "before"),
        (says(*HELLO, then=KeyError("a bug")), "internal", "streaming"),
    ],
)
async def test_what_goes_wrong_is_the_last_entry(read: Read, code: str, phase: str, journal: Journal) -> None:
    running = generation(read, journal)
    running.start()
    end = await end_of(running)
    assert isinstance(end, Failed)
    assert (end.code, end.phase) == (code, phase)
    assert "a bug" not in end.message


async def test_a_stop_is_logged_when_asked_and_when_done(journal: Journal) -> None:
    running = generation(says(*HELLO, stay=True), journal)
    running.start()
    await asyncio.sleep(0)
    await running.stop()
    *_, asked, _, stopped = [entry.event for entry in running.log.entries]
    assert (asked, type(stopped), running.reply.message.text) == (Status("stopping"), Finished, "Hel")
    proof = running.reply.stop
    assert proof is not None
    assert (proof.ms >= 0, proof.events) == (True, 1)  # the part that was open was closed
    await running.stop()
    assert running.log.entries[-1].event is stopped


@pytest.mark.parametrize("steps", range(4))
async def test_a_stop_comes_at_any_moment(steps: int, journal: Journal) -> None:
    ended: list[Generation] = []
    running = generation(says(*HELLO, stay=True), journal, ended)
    running.start()
    for _ in range(steps):
        await asyncio.sleep(0)
    await asyncio.gather(running.stop(), running.stop())
    ends = [entry.event for entry in running.log.entries if isinstance(entry.event, Finished | Failed)]
    assert [type(end) for end in ends] == [Finished]
    assert ended == [running]


async def test_a_stop_in_the_moment_of_a_failure_waits_for_its_end(journal: Journal) -> None:
    broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def read(turn: Turn, emit: Emit) -> None:
        emit(HELLO)
        await broken

    running = generation(read, journal)
    running.start()
    await asyncio.sleep(0)
    broken.set_exception(Truncated("Lost."))
    await asyncio.sleep(0)  # now the task is over, and nobody was told
    assert running.task is not None
    assert running.task.done()
    await running.stop()
    assert (running.log.complete, running.reply.state) == (True, "failed")


async def test_the_end_of_the_process_is_no_stop(journal: Journal) -> None:
    running = generation(says(*HELLO, stay=True), journal)
    running.start()
    await asyncio.sleep(0)
    await running.interrupt()
    end = running.log.entries[-1].event
    assert isinstance(end, Failed)
    assert (end.code, end.retryable, running.reply.state) == ("interrupted", True, "interrupted")
