"""A generation is a log that somebody is still writing.

    registry.py      all that run or are kept
    past.py          those that have ended
    generation.py    the task that asks an upstream and writes what it says; stop
    log.py           the append-only log and its readers
    journal.py       what keeps entries safe before anybody sees them: the contract
    memory.py        the journal of throw-away use: nothing outlives the process
    sqlite.py        the journal of every day: one thread (thread.py), one file (database.py), what can be wrong with it (problems.py)

A journal of another kind is one file that implements `Journal` and one line in JOURNALS; the tests of this room run on all.
"""

from collections.abc import Callable
from pathlib import Path

from services.generations.journal import Journal
from services.generations.memory import MemoryJournal
from services.generations.sqlite import SQLiteJournal

# Made of the folder for their files, and whether a commit has to survive a power cut. Raises SettingsError.
JOURNALS: dict[str, Callable[[Path, bool], Journal]] = {
    "memory": lambda folder, full: MemoryJournal(),
    "sqlite": SQLiteJournal,
}
