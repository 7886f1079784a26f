"""Logs for the journal's tests: as many entries as wanted, of every kind."""

from services.events import Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Started, Status, Usage
from services.generations.journal import Journal
from services.generations.log import EventLog

END = Finished("stop", raw_reason="eos")


def story(id: str, deltas: int, end: Finished | Failed | None = END) -> list[Event]:
    """With text that is hard on files: NUL, quotes, line ends, beyond the BMP."""
    events: list[Event] = [
        Started(id, "r/echo", 1_700_000_000, "c"),
        Status("connecting"),
        PartStarted(0, "reasoning"),
        PartStarted(1, "text"),
    ]
    events += [PartDelta(number % 2, f'{number} "Köln" \x00\n\u2028 水車 👋') for number in range(deltas)]
    events += [PartFinished(0, side={"signature": "s" * 50}), Usage(3, deltas)]
    return [*events, PartFinished(1), end] if end else events


def begun(id: str, journal: Journal) -> EventLog:
    log = EventLog(id, journal)
    log.begin(f"about {id}".encode(), f"label {id}".encode())
    return log


async def kept(id: str, journal: Journal, deltas: int = 5, end: Finished | Failed | None = END) -> EventLog:
    """A log that the journal holds as far as it goes, in one commit per event or thereabouts."""
    log = begun(id, journal)
    for event in story(id, deltas, end):
        log.append([event])
        await log.until(len(log.entries))
    return log
