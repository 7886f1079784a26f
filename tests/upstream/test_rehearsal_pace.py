"""When the rehearsal says something: on a clock that steps, so that nothing here depends on how fast the machine is."""

import asyncio
from contextlib import aclosing

import pytest

from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.server import Rehearsal
from tests.upstream.test_rehearsal import body, deltas, post, text


async def settled() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_step_is_a_token() -> None:
    clock = Stepped()
    answer = await Rehearsal(10.0, clock).answer("POST", "/chat/completions", body("one two three"))
    got: list[str] = []

    async def reading() -> None:
        async with aclosing(answer.chunks) as chunks:
            async for chunk in chunks:
                got.append(chunk.decode())

    task = asyncio.create_task(reading())
    moments = []
    for _ in range(4):
        await settled()
        moments.append((len(got), round(clock.now(), 6)))
        clock.step()
    await task
    assert moments == [(1, 0.0), (2, 0.3), (3, 0.4), (4, 0.5)]
    assert [chunk.count("data: ") for chunk in got] == [1, 1, 1, 1, 2]


async def test_a_late_answer_catches_up() -> None:
    clock = Stepped()
    answer = await Rehearsal(10.0, clock).answer("POST", "/chat/completions", body("one two three four five six"))
    clock.step(100)
    await clock.rest(0.5)
    async with aclosing(answer.chunks) as chunks:
        counts = [chunk.count(b"data: ") async for chunk in chunks]
    assert counts == [1, 3, 1, 1, 1, 2]


async def test_the_pace_asked_for() -> None:
    for speed in ("20 tokens/s", "400/s", "2k tokens per second"):
        clock = Stepped()
        clock.step(10_000)
        await post(body(f"100 tokens at {speed}", "longform"), Rehearsal(60.0, clock))
        assert clock.now() == pytest.approx(103 / {"20": 20, "40": 400, "2k": 2000}[speed[:2]])


async def test_as_fast_as_possible_takes_no_time_and_lets_others_run() -> None:
    clock = Stepped()
    clock.step(10_000)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    stream = await post(body("10k tokens, fast", "longform"), Rehearsal(60.0, clock))
    task.cancel()
    assert (clock.now(), len(deltas(stream))) == (0.0, 10_002)
    assert turns > 100


async def test_real_time_needs_no_steps() -> None:
    assert text(await post(body("one two"), Rehearsal(1e6))) == "one two"
    assert text(await post(body("one two"), Rehearsal(float("inf")))) == "one two"


async def test_closing_in_the_middle_leaves_nothing() -> None:
    clock = Stepped()
    answer = await Rehearsal(clock=clock).answer("POST", "/chat/completions", body("a long story " * 50))
    assert await anext(answer.chunks)
    await answer.chunks.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(answer.chunks)
    assert (clock.resting, asyncio.all_tasks()) == (0, {asyncio.current_task()})


async def test_cancelling_a_rest_leaves_nothing() -> None:
    clock = Stepped()
    answer = await Rehearsal(clock=clock).answer("POST", "/chat/completions", body("a long story"))
    await anext(answer.chunks)
    task = asyncio.ensure_future(anext(answer.chunks))
    await settled()
    assert clock.resting == 1
    task.cancel()
    await asyncio.wait([task])
    await answer.chunks.aclose()
    assert (clock.resting, asyncio.all_tasks()) == (0, {asyncio.current_task()})
