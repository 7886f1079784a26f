"""The generations that have ended: as lines of lists as long as they are kept, the last ones with their logs at hand.

What is too many, too old or too large goes, the oldest first. One whose conversation has not been told stays until it has.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from services.errors import Gone, NotFound
from services.events import Failed, Finished
from services.generations.generation import Generation, Label
from services.generations.journal import Journal
from services.messages import ReplyState, state

REMEMBERED = 10_000  # ids of evicted logs, to tell "gone" from "never was"
UNTOLD = 20  # generations that may have ended just before the process did, without their conversation knowing
AT_HAND = 64  # finished generations that stay in memory
ENTRIES_AT_HAND = 500_000  # and the entries that they may hold together, about 100 MB


class Retention(NamedTuple):
    """How many finished logs are kept at most, for how many seconds, and how many bytes of them."""

    keep: int = 200
    keep_for: float = 86_400.0
    keep_bytes: int = 1_000_000_000


KEEP = Retention()


class Ended(NamedTuple):
    """A generation that has ended, as far as lists tell it."""

    label: Label
    state: ReplyState
    seq: int
    at: float  # Unix seconds: an age must survive a restart
    ttft_ms: float | None = None
    ms: float | None = None


def so_far(generation: Generation) -> Ended:
    """The same of one that runs."""
    log = generation.log
    return Ended(generation.label, generation.state, log.shown, time.time(), log.ttft_ms, log.ms)


class Past:
    """`dropped` is called with the id and the label of each one that is no longer kept."""

    def __init__(self, journal: Journal, retention: Retention, dropped: Callable[[str, Label], None]) -> None:
        self._journal = journal
        self._retention = retention
        self._dropped = dropped
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._untold: set[str] = set()  # ended ones whose conversations do not have their replies yet, as far as is known
        self._at_hand: OrderedDict[str, Generation] = OrderedDict()
        self._entries = 0  # of those at hand
        self._evicted: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, id: str) -> bool:
        return id in self._ended

    def __getitem__(self, id: str) -> Ended:
        return self._ended[id]

    def __reversed__(self) -> Iterator[str]:
        """Their ids, the newest first."""
        return reversed(self._ended)

    def restore(self, named: Callable[[str, Label], None]) -> list[str]:
        """Know what an earlier process left, and end what it left open, which are the ids that are returned; `named` is told all."""
        interrupted = self._journal.recover()
        self._evicted.update(dict.fromkeys(self._journal.gone()))
        for kept in self._journal.recent():
            label = msgspec.json.decode(kept.label, type=Label)
            end = kept.end.event if isinstance(kept.end.event, Finished | Failed) else None
            times = (end.ttft_ms, end.ms) if end else (None, None)
            self._ended[kept.id] = Ended(label, state(True, end), kept.end.seq, kept.ended, *times)
            named(kept.id, label)
        self._untold.update(self.of_conversations(UNTOLD))
        self._untold.update(id for id in interrupted if id in self._ended and self._ended[id].label.conversation)
        self.evict()
        return [id for id in interrupted if id in self._ended]

    def add(self, generation: Generation) -> None:
        self._ended[generation.id] = so_far(generation)
        if generation.turn.conversation:
            self._untold.add(generation.id)
        self._hold(generation)
        self.evict()

    def of_conversations(self, most: int) -> list[str]:
        """The last ones that belong to a conversation, the newest one last."""
        return [id for id, ended in self._ended.items() if ended.label.conversation][-most:]

    def of_conversation(self, conversation: str) -> Sequence[str]:
        return [id for id, ended in self._ended.items() if ended.label.conversation == conversation]

    def told(self, id: str) -> None:
        """Its conversation has its reply: the log may go when its time has come."""
        self._untold.discard(id)
        self.evict()

    async def recall(self, id: str) -> None:
        """Have its log at hand, if it is kept. Raises Gone."""
        if id not in self._ended or id in self._at_hand:
            return
        kept = await self._journal.recall(id)
        if kept is None:
            raise Gone(f"The log of generation {id} cannot be read back. {self._journal.problem or 'The file may be damaged.'}")
        if id in self._ended and id not in self._at_hand:
            self._hold(Generation.recalled(id, *kept, self._journal))

    def at_hand(self, id: str) -> Generation | None:
        return self._at_hand.get(id)

    def get(self, id: str) -> Generation:
        """One that is at hand. Raises NotFound, Gone."""
        self.evict()
        if generation := self._at_hand.get(id):
            self._at_hand.move_to_end(id)
            return generation
        if id in self._ended:
            raise RuntimeError(f"generation {id} was not recalled")
        if id in self._evicted:
            raise Gone(f"Generation {id} has ended and its log is no longer kept.")
        raise NotFound(f"There is no generation {id[:80]!r}.")

    def evict(self) -> None:
        keep, keep_for, keep_bytes = self._retention
        oldest_allowed = time.time() - keep_for
        while (
            self._ended
            and next(iter(self._ended)) not in self._untold
            and (len(self._ended) > keep or next(iter(self._ended.values())).at < oldest_allowed or self._journal.size > keep_bytes)
        ):
            self.drop(next(iter(self._ended)))

    def drop(self, id: str) -> None:
        label = self._ended.pop(id).label
        self._let_go(id)
        self._journal.drop(id)
        self._dropped(id, label)
        self._evicted[id] = None
        if len(self._evicted) > REMEMBERED:
            self._evicted.popitem(last=False)

    def _hold(self, generation: Generation) -> None:
        self._at_hand[generation.id] = generation
        self._entries += generation.log.shown
        while len(self._at_hand) > 1 and (len(self._at_hand) > AT_HAND or self._entries > ENTRIES_AT_HAND):
            self._let_go(next(iter(self._at_hand)))

    def _let_go(self, id: str) -> None:
        if generation := self._at_hand.pop(id, None):
            self._entries -= generation.log.shown
