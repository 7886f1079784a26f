"""Asking again: before the first word only, visibly, as often as allowed and not when it is of no use."""

import asyncio

import msgspec
import pytest

from services.errors import Unreachable
from services.events import Event, Failed, Finished, Retrying, Status
from services.upstream.attempts import AT_LEAST, Persistent
from services.upstream.breaker import IN_A_ROW, MANY, Breaker
from services.upstream.patience import PATIENT
from tests.upstream.model_server import HEAD, TURN, WHOLE, answer, chunk, delta, in_turn, sends, story, text, upstream

CLOSE = "connection: close"
WELL = sends(HEAD + chunk(WHOLE) + b"0\r\n\r\n")
BUSY = sends(answer("503 Busy", b"{}", CLOSE))


class Rests:
    """Instead of sleeping: how long it would have been."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def told(events: list[Event]) -> list[str]:
    """The story in short, without its parts."""
    lines = []
    for event in events:
        match event:
            case Retrying(attempt, _, code):
                lines.append(f"again {attempt} {code}")
            case Failed(code):
                lines.append(f"failed {code}")
            case Finished():
                lines.append("finished")
    return lines


async def test_a_busy_server_is_asked_again_and_it_shows() -> None:
    rests = Rests()
    async with upstream(in_turn(BUSY, BUSY, WELL)) as (asked, server):
        events = await story(Persistent(asked, rest=rests))
    assert told(events) == ["again 2 server_error", "again 3 server_error", "finished"]
    assert (text(events), len(server.requests), len(rests.taken)) == ("Hello", 3, 2)
    waits = [event.wait_ms for event in events if isinstance(event, Retrying)]
    assert waits == [round(rest * 1000) for rest in rests.taken]
    assert [type(event) for event in events[:2]] == [Retrying, Status]


@pytest.mark.parametrize(
    "behave",
    [
        BUSY,
        sends(answer("408 Slow", b"{}", CLOSE)),
        sends(then="reset"),
        sends(),
        sends(HEAD, then="reset"),
        sends(answer("529 Much", b"{}", CLOSE)),
    ],
)
async def test_three_times_in_all_then_its_last_word_stands(behave: object) -> None:
    async with upstream(behave) as (asked, server):  # type: ignore[arg-type]
        events = await story(Persistent(asked, rest=Rests()))
    assert len(server.requests) == 3
    assert [type(event) for event in events if isinstance(event, Retrying | Failed)] == [Retrying, Retrying, Failed]


@pytest.mark.parametrize("status", ["400 Bad", "401 Who", "403 No", "404 None", "413 Big", "422 Odd"])
async def test_what_would_fail_again_is_not_asked_again(status: str) -> None:
    async with upstream(sends(answer(status, b"{}"))) as (asked, server):
        assert len(told(await story(Persistent(asked, rest=Rests())))) == 1
    assert len(server.requests) == 1


async def test_after_the_first_word_never() -> None:
    async with upstream(sends(HEAD + chunk(delta("Hel")), then="reset")) as (asked, server):
        events = await story(Persistent(asked, rest=Rests()))
    assert (text(events), told(events), len(server.requests)) == ("Hel", ["failed connection_lost"], 1)


async def test_an_error_at_the_head_of_a_stream_is_asked_again_one_behind_words_is_not() -> None:
    error = b'data: {"error":{"message":"overloaded","code":503}}\n\n'
    at_head, behind = sends(HEAD + chunk(error)), sends(HEAD + chunk(delta("Hel") + error))
    async with upstream(in_turn(at_head, WELL)) as (asked, server):
        assert told(await story(Persistent(asked, rest=Rests()))) == ["again 2 server_error", "finished"]
    async with upstream(in_turn(behind, WELL)) as (asked, server):
        assert told(await story(Persistent(asked, rest=Rests()))) == ["failed server_error"]
    assert len(server.requests) == 1


async def test_the_servers_own_wish_is_a_floor_and_a_long_one_ends_it() -> None:
    rests = Rests()
    async with upstream(in_turn(sends(answer("429 Slow", b"{}", CLOSE, "retry-after: 7")), WELL)) as (asked, _):
        assert told(await story(Persistent(asked, rest=rests)))[-1] == "finished"
    assert rests.taken[0] >= 7
    async with upstream(sends(answer("429 Slow", b"{}", CLOSE, "retry-after: 3600"))) as (asked, server):
        assert told(await story(Persistent(asked, rest=Rests()))) == ["failed rate_limited"]
    assert len(server.requests) == 1


async def test_a_turn_may_ask_for_one_try_only() -> None:
    async with upstream(in_turn(BUSY, WELL)) as (asked, server):
        assert told(await story(Persistent(asked, rest=Rests()), msgspec.structs.replace(TURN, tries=1))) == ["failed server_error"]
    assert len(server.requests) == 1


async def test_a_deadline_ends_everything() -> None:
    async with upstream(sends(HEAD + chunk(delta("Hel")), then="stay"), timeouts=PATIENT) as (asked, server):
        events = await story(Persistent(asked), msgspec.structs.replace(TURN, within=0.2))
        assert told(events) == ["failed deadline"]
        await asyncio.wait_for(server.left.wait(), 5)


async def test_a_stop_in_the_middle_of_a_wait_ends_it() -> None:
    async with upstream(BUSY) as (asked, server):
        waiting = asyncio.Event()

        async def rest(seconds: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        reading = asyncio.create_task(Persistent(asked, rest=rest).read(TURN, lambda events: None))
        await asyncio.wait_for(waiting.wait(), 5)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert len(server.requests) == 1


async def test_a_server_that_keeps_failing_is_left_alone_then_probed_once() -> None:
    now = [0.0]
    async with upstream(in_turn(*[BUSY] * (3 * IN_A_ROW), WELL)) as (asked, server):
        persistent = Persistent(asked, rest=Rests(), clock=lambda: now[0])
        for _ in range(IN_A_ROW):
            assert told(await story(persistent))[-1] == "failed server_error"
            now[0] += 61  # the budget of repetitions is per minute
        asked_before = len(server.requests)
        now[0] -= 60.5
        with pytest.raises(Unreachable, match="left alone") as raised:
            await persistent.read(TURN, lambda events: None)
        assert raised.value.retry_after
        assert len(server.requests) == asked_before
        now[0] += 61
        assert told(await story(persistent))[-1] == "finished"
        assert told(await story(persistent))[-1] == "finished"


async def test_a_server_that_fails_on_demand_is_never_left_alone() -> None:
    async with upstream(sends(answer("503 Busy", b"{}", CLOSE))) as (asked, server):
        persistent = Persistent(asked, spare=False)
        for _ in range(2 * IN_A_ROW):
            await story(persistent, msgspec.structs.replace(TURN, tries=1))
    assert len(server.requests) == 2 * IN_A_ROW


async def test_a_server_in_trouble_does_not_get_thrice_the_load() -> None:
    asks = 2 * AT_LEAST
    persistent: Persistent
    async with upstream(sends(answer("429 Slow", b"{}", CLOSE))) as (asked, server):
        persistent = Persistent(asked, rest=Rests(), clock=lambda: 0.0)
        for _ in range(asks):
            await story(persistent)
    assert len(server.requests) == asks + AT_LEAST


def test_a_share_of_failures_opens_it_too() -> None:
    breaker = Breaker(15.0, lambda: 0.0)
    noted = 0
    while not breaker.wait():
        noted += 1
        breaker.note(failed=noted % 3 != 0)
    assert noted == MANY


def test_only_one_probe_at_a_time() -> None:
    now = [0.0]
    breaker = Breaker(15.0, lambda: now[0])
    for _ in range(IN_A_ROW):
        breaker.note(failed=True)
    now[0] = 16.0
    assert breaker.wait() == 0.0
    assert breaker.wait() > 0.0
    breaker.forget()
    assert breaker.wait() == 0.0
    breaker.note(failed=True)
    assert breaker.wait() > 10.0
