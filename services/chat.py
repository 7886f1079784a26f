"""The only door between what asks (screens, HTTP) and what answers (upstreams, logs, the store).

    start     a turn becomes a running generation          open      a conversation as far as it has come
    follow    the entries of a generation, from anywhere   send      a question in a conversation becomes a generation
    stop      from anywhere, at any moment                 retry, regenerate, edit, go_on   another answer, or more of it
    recall    one that may have ended long ago             compare, keep, spread   several models side by side
    servers   the model servers, as they are set            places    where it is all kept
    wishes    how the page is liked                        checks    of clients, against the faults
    tastes    presets, and the model for new chats         choose, rename, pin, move, archive, discard, delete, adjust
    generations   running and recent ones                  restore   what an earlier process left

Leaving never cancels anything here; `left` carries out the policy a client chose when it started its turn.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress

import msgspec

from services.attachments.attachments import Attachments, Given, Limits
from services.doors.conversations import Conversations
from services.doors.models import Models
from services.errors import Invalid, RequestError
from services.events import Entry, Event, Started
from services.exchange.exporting import File as Document
from services.exchange.importing import Report
from services.generations.generation import Generation
from services.generations.journal import Journal
from services.generations.log import Follower
from services.generations.registry import KEEP, UNTOLD, Generations, Keyed, Retention, Summary
from services.lab.runs import Runs
from services.library.adopting import Adopting
from services.library.deletion import UNDO, Deletion
from services.library.moving import Moving
from services.library.order import Order
from services.library.search import Hit, Search
from services.library.titles import Titles
from services.messages import Message, Reply, Turn
from services.models import Listing
from services.persons import Who
from services.prices import Price
from services.record.record import Reader, Record
from services.record.records import Bounds, Records
from services.setup.servers import Installed, Servers
from services.setup.wishes import Liking
from services.store.store import Store
from services.talks.asking import Asking, Prepared
from services.talks.endings import Endings
from services.talks.once import Asked, new_id
from services.talks.pruning import Pruned, Pruning
from services.talks.queueing import Queueing
from services.talks.tastes import Tastes
from services.talks.tree import Tree
from services.talks.watchers import Watchers
from services.upstream.catalogue import Catalogue

__all__ = [
    "Asked",
    "Bounds",
    "Chat",
    "Document",
    "Given",
    "Hit",
    "Installed",
    "Keyed",
    "Limits",
    "Listing",
    "Pruned",
    "Record",
    "Records",
    "Report",
    "Retention",
    "Servers",
    "Summary",
    "Tastes",
]


class Chat(Conversations, Models):
    """`retention` says how long logs are kept once they have ended; at most `max_running` generations at once.

    `grace` are the seconds until a generation that nobody reads any more is stopped, if who started it wished so; `undo` those in
    which a discarded conversation can be brought back. `titles`: whether models are asked for titles of conversations.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        journal: Journal,
        *,
        retention: Retention = KEEP,
        max_running: int = 1000,
        grace: float = 0.0,
        undo: float = UNDO,
        titles: Callable[[], bool] = lambda: False,
        attachments: Attachments | None = None,
        installed: Installed | None = None,
        prices: Sequence[Price] = (),
        records: Records | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._attachments = attachments or Attachments()
        self._records = records or Records()
        self._generations = Generations(
            journal, self._ended, retention=retention, max_running=max_running, grace=grace, dropped=self._records.forget
        )
        interrupted = self._generations.restore()
        self._untold = dict.fromkeys([*self._generations.of_conversations(UNTOLD), *interrupted])
        self._watchers, self._programs = Watchers(), Watchers()
        self._endings = Endings(store, self._generations, self._watchers)
        self._tree = Tree(store, self._endings, self._watchers)
        self._asking = Asking(store, self._generations, self._endings, self._tree, self._watchers, self._attachments, self._prepare)
        self._pruning = Pruning(store, self._tree, self._asking, self._watchers)
        self._queueing = Queueing(store, self._attachments, self._asking, self._tree, self._watchers)
        self._order = Order(store, self._tree, self._watchers)
        self._search = Search(store, self._order)
        self._adopting = Adopting(store, self._generations, self._tree, self._watchers)
        self._deletion = Deletion(store, self._attachments, self._generations, self._tree, self._watchers, undo)
        self._moving = Moving(store, self._attachments, self._order, self._deletion, self._tree, self._endings, self._watchers)
        self._titles = Titles(store, self._watchers, lambda model: titles() and not catalogue.is_builtin(model), self._ask_for_title)
        self._watchers.watch(lambda conversation: self._titles.begun(conversation) if self.is_answering(conversation) else None)
        self._tastes = Tastes(store)
        self._prices = tuple(prices)
        self._installed = installed
        self._servers = Servers(installed, catalogue, self._generations) if installed else None
        self.checks = Runs()
        self.wishes = Liking(store)
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, who: Who) -> "Chat":
        """The same door for who asks: what belongs to somebody else is not there behind it."""
        return self

    async def restore(self) -> None:
        """Begin to bring into its conversation what an earlier process did not any more. Who opens one need not wait for it."""
        self._spawn(self._deletion.restore())
        self._spawn(self._restore())
        self._deletion.keep_swept()
        self._spawn(self._queueing.restore())

    async def _restore(self) -> None:
        for id in self._untold:
            with suppress(RequestError):
                await self._endings.restored(await self._generations.recall(id))

    # Generations

    def start(self, turn: Turn) -> Started:
        """Start a generation. Its first entry, returned here, is in the log already; nobody waits for the rest.

        Raises UnknownModel, Invalid for a turn that says nothing, and Busy when too many are running or on shutdown.
        """
        self._generations.admit()
        if not turn.messages:
            raise Invalid('`messages` is empty: send at least one message, such as {"role": "user", "content": "Hello"}.')
        return self._prepare(new_id(), turn.model).start(turn, turn.messages)

    def _prepare(self, id: str, model: str) -> Prepared:
        """What starts the generation `id` by this model. Raises UnknownModel and Busy."""
        self._generations.admit()
        upstream, own = self._catalogue.resolve(model)
        full = f"{upstream.name}/{own}"

        def start(turn: Turn, heard: tuple[Message, ...]) -> Started:
            asked = msgspec.structs.replace(turn, model=own, messages=heard)
            named = msgspec.structs.replace(turn, model=full)
            started = self._generations.start(id, named, lambda _, emit: upstream.read(asked, emit, self._records.get(id)))
            self._records.begin(id, self._generations.began(id))  # before its task takes its first step
            if turn.conversation is None:
                self._programs.tell(id)
            return started

        known = self._catalogue.model(upstream.name, own)
        return Prepared(full, self._catalogue.prefills(upstream.name), known.vision if known else None, start)

    def follow(self, id: str, after: int = 0) -> Follower:
        """Batches of entries after a position, until the terminal one. Enter it with `contextlib.aclosing`.

        This and everything below is about a generation just started, or recalled.
        """
        return self._generations.follow(id, after)

    async def recall(self, id: str) -> None:
        """Get hold of a generation, whether it runs, has ended, or ended in an earlier process; then ask about it at once.

        Returns when a restart would know of it. Raises NotFound, and Gone when its log is no longer kept.
        """
        await self._generations.recall(id)

    async def stop(self, id: str) -> Reply:
        """Stop a generation if it still runs; returns the reply as it then stands."""
        return await self._generations.stop(id)

    def left(self, id: str) -> None:
        """A reader is gone. When it was the last one, the policy of who started the generation decides."""
        self._generations.left(id)

    def started(self, id: str) -> Started:
        """The first entry of a generation: its id, model and time."""
        return self._generations.started(id)

    def turn(self, id: str) -> Turn:
        """What a generation was asked, its model by its full name."""
        return self._generations.turn(id)

    def reply(self, id: str) -> Reply:
        """A snapshot: the reply as far as it has come, and the position from which to follow it."""
        return self._generations.reply(id)

    def entries(self, id: str) -> Sequence[Entry]:
        """Its log as far as readers may see it, for who only looks: whoever follows it keeps it running."""
        return self._generations.entries(id)

    def record(self, id: str) -> Record | None:
        """What went over the wires for it. None: nothing was kept, or not any more."""
        return self._records.get(id)

    def reads(self, id: str, dialect: str, agent: str = "") -> Reader | None:
        """A client begins to read it: the record is told what it is given."""
        return record.reads(dialect, agent) if (record := self._records.get(id)) else None

    def keyed(self, key: str) -> Keyed | None:
        """What was started with an Idempotency-Key (its digest) last, of what runs or is kept."""
        return self._generations.keyed(key)

    def generations(self) -> list[Summary]:
        """Running generations, then finished ones, the newest first in each."""
        return self._generations.list()

    def of_programs(self, most: int) -> list[Summary]:
        """The newest ones that no page has asked for, likewise."""
        return self._generations.of_programs(most)

    def watch_programs(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed(generation)` whenever one of these begins or ends. Returns the function that ends this."""
        return self._programs.watch(changed)

    def latest(self, client: str, thread: str) -> Summary | None:
        """The newest generation of a thread, by the client's own name of it. None: there is none, or its log is no longer kept."""
        return self._generations.latest(client, thread)

    def _ended(self, generation: Generation) -> None:
        if generation.label.by_program:
            self._programs.tell(generation.id)
        if generation.turn.conversation:
            self._order.ended(generation.turn.conversation)
            self._spawn(self._after(generation, generation.turn.conversation))

    async def _after(self, generation: Generation, conversation: str) -> None:
        await self._endings.ended(generation)
        await self._queueing.ended(conversation, generation.reply.state)
        await self._titles.ended(generation)

    async def _ask_for_title(self, model: str, turn: Turn, hear: Callable[[Sequence[Event]], None]) -> None:
        upstream, own = self._catalogue.resolve(model)
        await upstream.read(msgspec.structs.replace(turn, model=own), hear)

    # The end

    async def close(self, patience: float = 0.0) -> None:
        """Take nothing new, give what runs `patience` seconds to end, then mark it as interrupted."""
        self._generations.refuse()
        await self._titles.close()
        await self._asking.close()
        await self._deletion.close()
        await self._generations.close(patience)
        await asyncio.gather(*self._tasks)
        await self._store.close()

    async def interrupt(self) -> None:
        """Take nothing new, and end what runs at once: for who cannot wait for `close`."""
        self._generations.refuse()
        await self._titles.close()
        await self._generations.interrupt()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
