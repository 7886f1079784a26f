"""Sections A and B of the matrix: every case ends as its row says, and every invariant holds after each.

I1  one terminal event                           I6  no connection is left open, on either side
I2  numbers from 1, without gaps                 I7  no key in anything that is written, shown or kept
I3  text of the log = of the reply = shown       I8  three tries at most, and none after the first word
I4  what a client has is a prefix of the log     I9  a client's request id is in our log, with what it began
I5  nothing runs on                              I10 memory grows by 50 MB at most
"""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from services.downstream.native import EventsWriter
from services.events import Entry, Failed, Finished, PartDelta, PartStarted, Retrying, Started
from tests.faultmatrix.mill import CANARY
from tests.faultmatrix.playing import Played, play
from tests.faultmatrix.tables import CASES


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(CASES, tmp_path_factory.mktemp("faultmatrix"))


def told(frame: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(frame.partition(b"data: ")[2])
    return found


def text(entries: list[Entry]) -> str:
    spoken = {entry.event.part for entry in entries if isinstance(entry.event, PartStarted) and entry.event.kind == "text"}
    return "".join(entry.event.text for entry in entries if isinstance(entry.event, PartDelta) and entry.event.part in spoken)


@pytest.mark.parametrize("name", CASES)
def test_it_ends_as_the_matrix_says(played: Played, name: str) -> None:
    case, outcome = CASES[name], played.outcomes[name]
    end, asked_again = told(outcome.asker.frames[-1]), [line for frame in outcome.asker.frames if (line := told(frame)).get("attempt")]
    assert outcome.snapshot["state"] == case.state, end
    assert (end.get("code", ""), end.get("reason", "stop")) == (case.code, case.reason), end
    assert fnmatchcase(end.get("message", ""), case.says.format(name=name, host=played.places[name])), end
    assert case.quotes in end.get("upstream", "")
    assert len(asked_again) + 1 == case.tries
    assert played.asked.get(name, 0) == case.reaches, asked_again
    assert case.keeps.items() <= {**(asked_again[-1] if asked_again else {}), **end}.items()
    if case.text is not None:
        assert outcome.snapshot["text"] == case.text
    # The same sentence wherever it is asked for.
    assert (outcome.snapshot["error"] or {}).get("message", "") == end.get("message", "")
    assert (outcome.response["error"] or {}).get("message", "").startswith(end.get("message", ""))


@pytest.mark.parametrize("name", CASES)
def test_every_invariant_holds(played: Played, name: str) -> None:
    outcome, entries = played.outcomes[name], played.entries[name]
    events = [entry.event for entry in entries]
    assert [type(event) in (Finished, Failed) for event in events] == [False] * (len(events) - 1) + [True]  # I1
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))  # I2
    assert text(entries) == outcome.snapshot["text"]  # I3
    started = events[0]
    assert isinstance(started, Started)
    stream = EventsWriter(started, {}).write(entries)
    assert b"".join(frame + b"\n\n" for frame in outcome.asker.frames) == stream  # I3, I4: from its first byte to its last
    assert outcome.second == stream
    shown = b"".join([stream, json.dumps([outcome.snapshot, outcome.response]).encode(), outcome.record])
    assert CANARY.encode() not in shown  # I7
    first = next((place for place, event in enumerate(events) if isinstance(event, PartStarted)), len(events))
    tries = [place for place, event in enumerate(events) if isinstance(event, Retrying)]
    assert len(tries) <= 2  # I8
    assert all(place < first for place in tries)
    logged = [line for line in played.written.splitlines() if outcome.request.encode() in line]
    assert any(f"generation={started.generation}".encode() in line for line in logged)  # I9
    assert outcome.grown < 50_000  # I10


def test_nothing_is_left_behind(played: Played) -> None:
    assert played.states <= {"finished", "failed"}  # I5
    before, after = played.sockets
    assert after <= before  # I6
    assert {name: count for name, count in played.waiting.items() if count} == {}


def test_the_key_went_to_its_server_and_nowhere_else(played: Played) -> None:
    assert {name: count for name, count in played.asked.items() if played.keys.get(name) != count} == {}
    assert "through a proxy" not in played.asked
    assert CANARY.encode() not in played.written  # I7


def test_nothing_is_a_mistake_of_ours(played: Played) -> None:
    assert b"Traceback" not in played.written
    assert b"failed inside Headrace" not in played.written
