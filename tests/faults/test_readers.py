"""Each fault through our own readers: the outcome that the catalogue names, never a false success, never a word twice."""

import pytest

from services.errors import HeadraceError
from services.events import Event, Failed, Finished, PartDelta
from services.faults import FAULTS
from services.messages import Message, Text, Turn
from services.upstream import READERS
from services.upstream.connections import Connections
from services.upstream.http import HTTPUpstream
from services.upstream.patience import Timeouts
from tests.faults.asking import TEXT, names, short
from tests.serving import Served

TURN = Turn("scenes", (Message("user", (Text("text"),)),))
BRIEF = Timeouts(connect=5, first_byte=20, gap=20, total=40)
HALVES = {"surrogates": TEXT.replace("👋", "\ufffd")}

CASES = [(dialect, name) for dialect in READERS for name in names("lines" if dialect.startswith("ollama") else "events")]


async def read(base_url: str, dialect: str, turn: Turn = TURN, timeouts: Timeouts = BRIEF) -> tuple[str, Finished | Failed | HeadraceError]:
    """The text, and how it ended."""
    events: list[Event] = []
    connections = Connections()
    upstream = HTTPUpstream("mock", READERS[dialect], base_url, connections, max_reply=400_000, timeouts=timeouts)
    error: HeadraceError | None = None
    try:
        await upstream.read(turn, events.extend)
    except HeadraceError as exc:
        error = exc
    finally:
        await connections.close()
    ends = [event for event in events if isinstance(event, Finished | Failed)]
    assert len(ends) == (0 if error else 1), events
    return "".join(event.text for event in events if isinstance(event, PartDelta)), error or ends[0]


@pytest.mark.parametrize(("dialect", "name"), CASES, ids=[f"{name}-{dialect}" for dialect, name in CASES])
async def test_a_reader_makes_of_it_what_a_correct_client_does(mock: Served, dialect: str, name: str) -> None:
    text, end = await read(f"{mock.url}/rehearsal/+{short(name)}/{dialect}", dialect)
    whole = HALVES.get(name, TEXT)
    if isinstance(end, Finished):
        came = "same"
        assert text == whole
    else:
        came = "after" if text else "before"
        assert whole.startswith(text) or name == "endless"
    assert came in FAULTS[name].outcomes, (end, text)


@pytest.mark.parametrize(
    ("form", "seconds"), [("7", 7.0), ("date", 2.0), ("ms", 1.5), ("soon", None), ("0", 0.0)], ids=["seconds", "date", "ms", "soon", "0"]
)
async def test_when_to_ask_again(mock: Served, form: str, seconds: float | None) -> None:
    _, end = await read(f"{mock.url}/rehearsal/+http-429={form}/openai_chat", "openai_chat")
    asked = getattr(end, "retry_after", None)
    assert asked == seconds if form != "date" else asked is not None and 0 <= asked <= 3


@pytest.mark.parametrize(
    ("moment", "code"), [("first-byte", "first_byte_timeout"), ("headers", "first_byte_timeout"), ("middle", "gap_timeout")]
)
async def test_who_waits_too_long_gives_up(mock: Served, moment: str, code: str) -> None:
    hurried = Timeouts(connect=5, first_byte=0.4, gap=0.4, total=5)
    text, end = await read(f"{mock.url}/rehearsal/+stall-{moment}=30/anthropic", "anthropic", timeouts=hurried)
    assert getattr(end, "kind", "") == code
    assert bool(text) is (moment == "middle")


async def test_many_at_once(mock: Served) -> None:
    faults = "ids,comments,multi-line-data,mixed-line-ends,bom,split-bytes=3,no-space,text-after,stall-middle=0.05"
    for dialect in ("openai_chat", "anthropic", "gemini", "openai_responses"):
        text, end = await read(f"{mock.url}/rehearsal/+{faults}/{dialect}", dialect)
        assert (text, type(end)) == (TEXT, Finished), dialect


@pytest.mark.parametrize("dialect", READERS)
async def test_characters_that_end_no_line(mock: Served, dialect: str) -> None:
    turn = Turn("scenes", (Message("user", (Text("separators"),)),))
    text, _ = await read(f"{mock.url}/rehearsal/{dialect}", dialect, turn)
    again, end = await read(f"{mock.url}/rehearsal/+raw-separators/{dialect}", dialect, turn)
    assert all(mark in text for mark in "\v\f\x1c\x1d\x1e\x85\u2028\u2029")
    assert (again, type(end)) == (text, Finished)


async def test_more_calls_than_there_may_be(mock: Served) -> None:
    turn = Turn("scenes", (Message("user", (Text("calls"),)),))
    for dialect in ("openai_chat", "anthropic", "gemini", "ollama", "openai_responses"):
        _, end = await read(f"{mock.url}/rehearsal/{dialect}", dialect, turn)
        assert getattr(end, "code", "") == "limit", dialect
