"""All generations that are running or kept, by id. It may not know upstreams, conversations or clients' dialects.

start     a turn and what reads it become a running generation     follow    its entries, from anywhere
stop      from anywhere, at any moment                             left      a reader is gone
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine

import msgspec

from services.errors import Busy, Gone, NotFound
from services.events import Started
from services.generations.generation import Generation, Read
from services.generations.journal import Journal
from services.generations.log import Follower
from services.messages import Reply, ReplyState, Turn

REMEMBERED = 10_000  # ids of evicted logs, to tell "gone" from "never was"


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


class Generations:
    """`keep` finished logs at most, none older than `keep_for` seconds; at most `max_running` generations at once.

    `ended` is called with each generation whose terminal event was written.
    """

    def __init__(
        self, journal: Journal, ended: Callable[[Generation], None], *, keep: int = 200, keep_for: float = 86_400.0, max_running: int = 1000
    ) -> None:
        self._journal = journal
        self._tell = ended
        self._keep = keep
        self._keep_for = keep_for
        self._max_running = max_running
        self._running: dict[str, Generation] = {}
        self._finished: OrderedDict[str, tuple[float, Generation]] = OrderedDict()
        self._evicted: OrderedDict[str, None] = OrderedDict()
        self._threads: dict[tuple[str, str], str] = {}  # (client, thread) -> its newest generation that is running or kept
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def admit(self) -> None:
        """Raises Busy when no generation may start now."""
        if self._closing:
            raise Busy("Headrace is shutting down. Try again in a moment.")
        if len(self._running) >= self._max_running:
            raise Busy(f"{self._max_running} replies are running already. Try again when one has ended.")

    def start(self, id: str, turn: Turn, read: Read) -> Started:
        """Start a generation. Its first entry, returned here, is in the log already; nobody waits for the rest."""
        generation = Generation(id, turn, read, self._journal, self._ended)
        self._running[id] = generation
        if turn.thread is not None:
            self._threads[turn.client, turn.thread] = id
        generation.start()
        return generation.started

    def follow(self, id: str, after: int) -> Follower:
        return self._get(id).log.follow(after)

    async def stop(self, id: str) -> Reply:
        generation = self._get(id)
        await generation.stop()
        return generation.reply

    def left(self, id: str) -> None:
        generation = self._running.get(id)
        if generation and generation.turn.on_disconnect == "stop" and not generation.log.readers:
            self._spawn(generation.stop())

    def started(self, id: str) -> Started:
        return self._get(id).started

    def turn(self, id: str) -> Turn:
        return self._get(id).turn

    def reply(self, id: str) -> Reply:
        return self._get(id).reply

    def list(self) -> list[Summary]:
        """Running generations, then finished ones, the newest first in each."""
        self._evict()
        finished = [generation for _, generation in reversed(self._finished.values())]
        return [_summary(generation) for generation in [*reversed(self._running.values()), *finished]]

    def latest(self, client: str, thread: str) -> Summary | None:
        self._evict()
        id = self._threads.get((client, thread))
        return _summary(self._get(id)) if id is not None else None

    def answering(self, conversation: str) -> bool:
        return any(generation.running and generation.turn.conversation == conversation for generation in self._running.values())

    def _get(self, id: str) -> Generation:
        if generation := self._running.get(id):
            return generation
        self._evict()
        if kept := self._finished.get(id):
            return kept[1]
        if id in self._evicted:
            raise Gone(f"Generation {id} has ended and its log is no longer kept.")
        raise NotFound(f"There is no generation {id[:80]!r}.")

    def _ended(self, generation: Generation) -> None:
        self._running.pop(generation.id, None)
        self._finished[generation.id] = (time.monotonic(), generation)
        self._evict()
        self._tell(generation)

    def _evict(self) -> None:
        oldest_allowed = time.monotonic() - self._keep_for
        while self._finished and (len(self._finished) > self._keep or next(iter(self._finished.values()))[0] < oldest_allowed):
            id, (_, generation) = self._finished.popitem(last=False)
            self._journal.drop(id)
            thread = (generation.turn.client, generation.turn.thread or "")
            if self._threads.get(thread) == id:
                del self._threads[thread]
            self._evicted[id] = None
            if len(self._evicted) > REMEMBERED:
                self._evicted.popitem(last=False)

    async def close(self, patience: float) -> None:
        """Take nothing new, give what runs `patience` seconds to end, then mark it as interrupted."""
        self._closing = True
        if tasks := [generation.task for generation in self._running.values() if generation.task]:
            await asyncio.wait(tasks, timeout=patience)
        await asyncio.gather(*(generation.interrupt() for generation in list(self._running.values())))
        await asyncio.gather(*self._tasks)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _summary(generation: Generation) -> Summary:
    turn, log = generation.turn, generation.log
    return Summary(generation.id, turn.model, generation.created, generation.state, turn.client, log.shown, log.readers, turn.conversation)
