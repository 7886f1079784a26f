"""Logs made by hand, for writers: events in, entries out."""

from services.events import Entry, Event, Started
from services.messages import Reply, fold

STARTED = Started("0123456789abcdef", "up/model", 1_790_000_000)


def story(*events: Event) -> list[Entry]:
    """A log of these events after Started, one millisecond apart."""
    return [Entry(number, float(number), event) for number, event in enumerate((STARTED, *events), start=1)]


def reply(*events: Event) -> Reply:
    return fold(story(*events))
