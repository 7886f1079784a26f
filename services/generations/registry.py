"""All generations that are running or kept, by id. It may not know upstreams, conversations or clients' dialects.

start     a turn and what reads it become a running generation     follow    its entries, from anywhere
stop      from anywhere, at any moment                             left      a reader is gone
forget    all of a conversation that was deleted, or of a person
recall    one that has ended is read back from the journal: to be awaited before anything else is asked about it
restore   what an earlier process left behind
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import chain, islice
from typing import NamedTuple

import msgspec

from services.errors import Busy, NotSaved
from services.events import Entry, Started
from services.generations.generation import Generation, Label, Read
from services.generations.journal import Journal
from services.generations.log import Follower
from services.generations.past import KEEP, Past, Retention, so_far
from services.messages import Reply, ReplyState, Turn


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
        self._past = Past(journal, retention, self._forget)
        self._max_running = max_running
        self._grace = grace
        self._left: dict[str, asyncio.TimerHandle] = {}  # generations that nobody may read any more
        self._running: dict[str, Generation] = {}
        self._threads: dict[tuple[str, str, str], str] = {}  # (owner, client, thread) -> its newest generation that is running or kept
        self._keys: dict[str, Keyed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def restore(self) -> list[str]:
        """Know what an earlier process left, and end what it left open, which are the ids that are returned.

        To be called once, before anything starts. Of all of these and the last UNTOLD ones, conversations have to be `told`.
        """
        return self._past.restore(self._name)

    def of_conversations(self, most: int) -> list[str]:
        """The last ones that have ended and belong to a conversation, the newest one last."""
        return self._past.of_conversations(most)

    def keyed(self, key: str) -> Keyed | None:
        """What was started with a key last, of what runs or is kept."""
        return self._keys.get(key)

    def told(self, id: str) -> None:
        """Its conversation has its reply: the log may go when its time has come."""
        self._past.told(id)

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
        await self._past.recall(id)
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
        for id in self._past.of_conversation(conversation):
            self._past.drop(id)

    async def forget_all(self, owner: str) -> None:
        """The same of all that was said to a person."""
        for generation in [each for each in self._running.values() if each.turn.owner == owner]:
            await generation.stop()
        for id in [id for id in reversed(self._past) if self._past[id].label.owner == owner]:
            self._past.drop(id)

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
        self._past.evict()
        running = (id for id, each in reversed(self._running.items()) if each.label.by_program and each.turn.owner == owner)
        past = ((id, self._past[id].label) for id in reversed(self._past))
        ended = (id for id, label in past if label.by_program and label.owner == owner)
        return [self._summary(id) for id in islice(chain(running, ended), most)]

    def list(self, owner: str | None = None) -> list[Summary]:
        """Running generations, then finished ones, the newest first in each; of one person, or all."""
        self._past.evict()
        return [self._summary(id) for id in [*reversed(self._running), *reversed(self._past)] if owner in (None, self.owner(id))]

    def owner(self, id: str) -> str | None:
        """Whose a generation is; None of one that is not known, or not any more."""
        if generation := self._running.get(id):
            return generation.turn.owner
        return self._past[id].label.owner if id in self._past else None

    def of_key(self, key: str) -> Sequence[str]:
        """Those that run, and were started with this API key."""
        return [id for id, generation in self._running.items() if generation.turn.by == key]

    def latest(self, owner: str, client: str, thread: str) -> Summary | None:
        self._past.evict()
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
        return self._past.get(id)

    def _summary(self, id: str) -> Summary:
        if generation := self._running.get(id):
            known = so_far(generation)
        else:
            known = self._past[id]
            generation = self._past.at_hand(id)
        label, readers = known.label, generation.log.readers if generation else 0
        return Summary(
            id, label.model, label.created, known.state, label.client, known.seq, readers, label.conversation, known.ttft_ms, known.ms
        )

    def _settled(self, generation: Generation) -> None:
        self._running.pop(generation.id, None)
        if timer := self._left.pop(generation.id, None):
            timer.cancel()
        self._past.add(generation)
        self._tell(generation)

    def _name(self, id: str, label: Label) -> None:
        if label.thread is not None:
            self._threads[label.owner, label.client, label.thread] = id
        if label.key is not None:
            self._keys[label.key.key] = Keyed(label.key.asked, id)

    def _forget(self, id: str, label: Label) -> None:
        self._dropped(id)
        thread = (label.owner, label.client, label.thread or "")
        if self._threads.get(thread) == id:
            del self._threads[thread]
        if label.key is not None and (known := self._keys.get(label.key.key)) and known.generation == id:
            del self._keys[label.key.key]

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
