"""A generation is a log that somebody is still writing.

    generation.py    the task that asks an upstream and writes what it says; stop
    log.py           the append-only log and its readers
    journal.py       what keeps entries safe before anybody sees them: the contract
    memory.py        the journal of throw-away use: nothing outlives the process

A journal of another kind is one file that implements `Journal` and one line in JOURNALS; the tests of this room run on all.
"""

from collections.abc import Callable

from services.generations.journal import Journal
from services.generations.memory import MemoryJournal

JOURNALS: dict[str, Callable[[], Journal]] = {"memory": MemoryJournal}
