"""The built-in model, broken on purpose as an upstream of ours: what Headrace makes of each fault, without a socket in between."""

import pytest

from services.errors import HeadraceError
from services.events import Event, Failed, Finished, PartDelta
from services.faults import FAULTS
from services.lab.breaking import broken, on_pages
from services.messages import Message, Text, Turn
from services.upstream.rehearsal.repertoire import Repertoire
from services.upstream.rehearsed import Rehearsed
from tests.faults.asking import TEXT, short


async def read(fault: str) -> tuple[str, Finished | Failed | HeadraceError]:
    events: list[Event] = []
    turn = Turn("scenes", (Message("user", (Text("text"),)),), fault=fault)
    try:
        await Rehearsed(1e9, Repertoire(), broken).read(turn, events.extend)
    except HeadraceError as exc:
        return "".join(event.text for event in events if isinstance(event, PartDelta)), exc
    [end] = [event for event in events if isinstance(event, Finished | Failed)]
    return "".join(event.text for event in events if isinstance(event, PartDelta)), end


@pytest.mark.parametrize("name", on_pages())
async def test_each_fault_does_to_it_what_it_does_on_the_wire(name: str) -> None:
    text, end = await read(short(name))
    came = "same" if isinstance(end, Finished) else "after" if text else "before"
    assert came in FAULTS[name].outcomes, (end, text)
    if came == "same":
        assert text == (TEXT.replace("👋", "\ufffd") if name == "surrogates" else TEXT)
    else:
        assert text.startswith(TEXT) if name == "endless" else TEXT.startswith(text)


@pytest.mark.parametrize("fault", ["", "nonsense", "drip=-1"])
async def test_what_is_no_fault_breaks_nothing(fault: str) -> None:
    text, end = await read(fault)
    assert (text, type(end)) == (TEXT, Finished)


@pytest.mark.parametrize(
    ("fault", "code"), [("reset-middle", "connection_lost"), ("end-middle", "truncated"), ("http-429=7", "rate_limited")]
)
async def test_headrace_says_what_happened(fault: str, code: str) -> None:
    _, end = await read(fault)
    assert code in (getattr(end, "kind", ""), getattr(end, "code", ""))
