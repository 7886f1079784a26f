"""All generations that are running or kept, by id. It may not know upstreams, conversations or clients' dialects.

start     a turn and what reads it become a running generation     follow    its entries, from anywhere
stop      from anywhere, at any moment                             left      a reader is gone
forget    all of a conversation that was deleted
recall    one that has ended is read back from the journal: to be awaited before anything else is asked about it
restore   what an earlier process left behind
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from itertools import chain, islice
from typing import NamedTuple

import msgspec

from services.errors import Busy, Gone, NotFound, NotSaved
from services.events import Entry, Failed, Finished, Started
from services.generations.generation import Generation, Label, Read
from services.generations.journal import Journal
from services.generations.log import Follower
from services.messages import Reply, ReplyState, Turn, state

REMEMBERED = 10_000  # ids of evicted logs, to tell "gone" from "never was"
UNTOLD = 20  # generations that may have ended just before the process did, without their conversation knowing
AT_HAND = 64  # finished generations that stay in memory
ENTRIES_AT_HAND = 500_000  # and the entries that they may hold together, about 100 MB


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line in the list of generations."""

    id: str
    model: str
    created: int
    state: ReplyState
    client: str
    seq: int
    readers: int
    conversation: str | None = None
    ttft_ms: float | None = None
    ms: float | None = None


class Keyed(NamedTuple):
    """A generation that was started with an Idempotency-Key, and the digest of what it was asked."""

    asked: str
    generation: str


class Retention(NamedTuple):
    """How many finished logs are kept at most, for how many seconds, and how many bytes of them."""

    keep: int = 200
    keep_for: float = 86_400.0
    keep_bytes: int = 1_000_000_000


KEEP = Retention()


class _Ended(NamedTuple):
    """A generation that has ended, as far as lists tell it."""

    label: Label
    state: ReplyState
    seq: int
    at: float  # Unix seconds: an age must survive a restart
    ttft_ms: float | None = None
    ms: float | None = None


class Generations:
    """At most `max_running` generations at once; what has ended is kept within `retention`.

    One that stops with its last reader does so `grace` seconds after they have left, unless somebody reads again.

    `ended` is called with each generation whose terminal event is kept, `dropped` with the id of each one that is no longer kept.
    """

    def __init__(
        self,
        journal: Journal,
        ended: Callable[[Generation], None],
        *,
        retention: Retention = KEEP,
        max_running: int = 1000,
        grace: float = 0.0,
        dropped: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._tell = ended
        self._dropped = dropped
        self._retention = retention
        self._max_running = max_running
        self._grace = grace
        self._left: dict[str, asyncio.TimerHandle] = {}  # generations that nobody may read any more
        self._running: dict[str, Generation] = {}
        self._ended: OrderedDict[str, _Ended] = OrderedDict()
        self._untold: set[str] = set()  # ended ones whose conversations do not have their replies yet, as far as is known
        self._at_hand: OrderedDict[str, Generation] = OrderedDict()
        self._entries = 0  # of those at hand
        self._evicted: OrderedDict[str, None] = OrderedDict()
        self._threads: dict[tuple[str, str, str], str] = {}  # (owner, client, thread) -> its newest generation that is running or kept
        self._keys: dict[str, Keyed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def restore(self) -> list[str]:
        """Know what an earlier process left, and end what it left open, which are the ids that are returned.

        To be called once, before anything starts. Of all of these and the last UNTOLD ones, conversations have to be `told`.
        """
        interrupted = self._journal.recover()
        self._evicted.update(dict.fromkeys(self._journal.gone()))
        for kept in self._journal.recent():
            label = msgspec.json.decode(kept.label, type=Label)
            end = kept.end.event if isinstance(kept.end.event, Finished | Failed) else None
            times = (end.ttft_ms, end.ms) if end else (None, None)
            self._ended[kept.id] = _Ended(label, state(True, end), kept.end.seq, kept.ended, *times)
            self._name(kept.id, label)
        self._untold.update(self.of_conversations(UNTOLD))
        self._untold.update(id for id in interrupted if id in self._ended and self._ended[id].label.conversation)
        self._evict()
        return [id for id in interrupted if id in self._ended]

    def of_conversations(self, most: int) -> list[str]:
        """The last ones that have ended and belong to a conversation, the newest one last."""
        return [id for id, ended in self._ended.items() if ended.label.conversation][-most:]

    def keyed(self, key: str) -> Keyed | None:
        """What was started with a key last, of what runs or is kept."""
        return self._keys.get(key)

    def told(self, id: str) -> None:
        """Its conversation has its reply: the log may go when its time has come."""
        self._untold.discard(id)
        self._evict()

    def admit(self) -> None:
        """Raises Busy or NotSaved when no generation may start now."""
        if self._closing:
            raise Busy("Headrace is shutting down. Try again in a moment.")
        if len(self._running) >= self._max_running:
            raise Busy(f"{self._max_running} replies are running already. Try again when one has ended.")
        if problem := self._journal.problem:
            raise NotSaved(problem)

    def start(self, id: str, turn: Turn, read: Read) -> Started:
        """Start a generation. Its first entry, returned here, is in the log already; nobody waits for the rest."""
        generation = Generation(id, turn, read, self._journal, self._settled)
        generation.start()
        self._running[id] = generation
        self._name(id, generation.label)
        return generation.started

    async def recall(self, id: str) -> Generation:
        """Make a generation known to everything below: one that runs, once its first entry is kept. Raises NotFound, Gone."""
        if generation := self._running.get(id):
            await generation.begun()  # and it may have ended meanwhile
        if id in self._ended and id not in self._at_hand:
            kept = await self._journal.recall(id)
            if kept is None:
                raise Gone(f"The log of generation {id} cannot be read back. {self._journal.problem or 'The file may be damaged.'}")
            if id in self._ended and id not in self._at_hand:
                self._hold(Generation.recalled(id, *kept, self._journal))
        return self._get(id)

    def follow(self, id: str, after: int) -> Follower:
        return self._get(id).log.follow(after)

    async def stop(self, id: str) -> Reply:
        generation = await self.recall(id)
        await generation.stop()
        return generation.reply

    async def forget(self, conversation: str) -> None:
        """Stop what runs of a conversation, and drop the logs of all that was said in it."""
        for generation in [each for each in self._running.values() if each.turn.conversation == conversation]:
            await generation.stop()
        for id in [id for id, ended in self._ended.items() if ended.label.conversation == conversation]:
            self._drop(id)

    def left(self, id: str) -> None:
        generation = self._running.get(id)
        if generation and generation.turn.on_disconnect == "stop" and not generation.log.readers:
            if timer := self._left.pop(id, None):
                timer.cancel()
            if self._grace:
                self._left[id] = asyncio.get_running_loop().call_later(self._grace, self._stop_unread, generation)
            else:
                self._stop_unread(generation)

    def _stop_unread(self, generation: Generation) -> None:
        self._left.pop(generation.id, None)
        if generation.running and not generation.log.readers:
            self._spawn(generation.stop())

    def started(self, id: str) -> Started:
        return self._get(id).started

    def entries(self, id: str) -> Sequence[Entry]:
        """What readers may see of its log now, for who only looks: a follower would keep it from being stopped."""
        log = self._get(id).log
        return log.entries[: log.shown]

    def began(self, id: str) -> float:
        """The moment from which its log counts, on the monotonic clock, if it was started by this process."""
        return self._get(id).log.began

    def turn(self, id: str) -> Turn:
        return self._get(id).turn

    def reply(self, id: str) -> Reply:
        return self._get(id).reply

    def of_programs(self, owner: str, most: int) -> list[Summary]:
        """Those of a person that no page has asked for, the running ones first."""
        self._evict()
        running = (id for id, each in reversed(self._running.items()) if each.label.by_program and each.turn.owner == owner)
        ended = (id for id, each in reversed(self._ended.items()) if each.label.by_program and each.label.owner == owner)
        return [self._summary(id) for id in islice(chain(running, ended), most)]

    def list(self, owner: str | None = None) -> list[Summary]:
        """Running generations, then finished ones, the newest first in each; of one person, or all."""
        self._evict()
        return [self._summary(id) for id in [*reversed(self._running), *reversed(self._ended)] if owner in (None, self.owner(id))]

    def owner(self, id: str) -> str | None:
        """Whose a generation is; None of one that is not known, or not any more."""
        if generation := self._running.get(id):
            return generation.turn.owner
        ended = self._ended.get(id)
        return ended.label.owner if ended else None

    def of_key(self, key: str) -> Sequence[str]:
        """Those that run, and were started with this API key."""
        return [id for id, generation in self._running.items() if generation.turn.by == key]

    def latest(self, owner: str, client: str, thread: str) -> Summary | None:
        self._evict()
        id = self._threads.get((owner, client, thread))
        return self._summary(id) if id is not None else None

    def models_running(self) -> Sequence[str]:
        """The full name of the model of each one that runs."""
        return [each.turn.model for each in self._running.values()]

    def running(self, id: str) -> bool:
        return id in self._running

    def answering(self, conversation: str) -> bool:
        return any(generation.turn.conversation == conversation for generation in self._running.values())

    def _get(self, id: str) -> Generation:
        if generation := self._running.get(id):
            return generation
        self._evict()
        if generation := self._at_hand.get(id):
            self._at_hand.move_to_end(id)
            return generation
        if id in self._ended:
            raise RuntimeError(f"generation {id} was not recalled")
        if id in self._evicted:
            raise Gone(f"Generation {id} has ended and its log is no longer kept.")
        raise NotFound(f"There is no generation {id[:80]!r}.")

    def _summary(self, id: str) -> Summary:
        if generation := self._running.get(id):
            known = _so_far(generation)
        else:
            known = self._ended[id]
            generation = self._at_hand.get(id)
        label, readers = known.label, generation.log.readers if generation else 0
        return Summary(
            id, label.model, label.created, known.state, label.client, known.seq, readers, label.conversation, known.ttft_ms, known.ms
        )

    def _settled(self, generation: Generation) -> None:
        self._running.pop(generation.id, None)
        if timer := self._left.pop(generation.id, None):
            timer.cancel()
        self._ended[generation.id] = _so_far(generation)
        if generation.turn.conversation:
            self._untold.add(generation.id)
        self._hold(generation)
        self._evict()
        self._tell(generation)

    def _name(self, id: str, label: Label) -> None:
        if label.thread is not None:
            self._threads[label.owner, label.client, label.thread] = id
        if label.key is not None:
            self._keys[label.key.key] = Keyed(label.key.asked, id)

    # What is in memory, and what is kept at all

    def _hold(self, generation: Generation) -> None:
        self._at_hand[generation.id] = generation
        self._entries += generation.log.shown
        while len(self._at_hand) > 1 and (len(self._at_hand) > AT_HAND or self._entries > ENTRIES_AT_HAND):
            self._let_go(next(iter(self._at_hand)))

    def _let_go(self, id: str) -> None:
        if generation := self._at_hand.pop(id, None):
            self._entries -= generation.log.shown

    def _evict(self) -> None:
        keep, keep_for, keep_bytes = self._retention
        oldest_allowed = time.time() - keep_for
        while (
            self._ended
            and next(iter(self._ended)) not in self._untold
            and (len(self._ended) > keep or next(iter(self._ended.values())).at < oldest_allowed or self._journal.size > keep_bytes)
        ):
            self._drop(next(iter(self._ended)))

    def _drop(self, id: str) -> None:
        label = self._ended.pop(id).label
        self._let_go(id)
        self._journal.drop(id)
        self._dropped(id)
        thread = (label.owner, label.client, label.thread or "")
        if self._threads.get(thread) == id:
            del self._threads[thread]
        if label.key is not None and (known := self._keys.get(label.key.key)) and known.generation == id:
            del self._keys[label.key.key]
        self._evicted[id] = None
        if len(self._evicted) > REMEMBERED:
            self._evicted.popitem(last=False)

    # The end

    def refuse(self) -> None:
        """Admit nothing any more."""
        self._closing = True

    async def close(self, patience: float) -> None:
        """Take nothing new, give what runs `patience` seconds to end, then mark it as interrupted."""
        self.refuse()
        if tasks := [generation.task for generation in self._running.values() if generation.task]:
            await asyncio.wait(tasks, timeout=patience)
        await self.interrupt()
        await asyncio.gather(*self._tasks)

    async def interrupt(self) -> None:
        """End everything that runs at once."""
        await asyncio.gather(*(generation.interrupt() for generation in list(self._running.values())))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _so_far(generation: Generation) -> _Ended:
    log = generation.log
    return _Ended(generation.label, generation.state, log.shown, time.time(), log.ttft_ms, log.ms)
