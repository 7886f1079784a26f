"""The only door between what asks (screens, HTTP) and what answers (upstreams, logs, the store).

    start     a turn becomes a running generation          open      a conversation as far as it has come
    follow    the entries of a generation, from anywhere   send      a question in a conversation becomes a generation
    stop      from anywhere, at any moment                 retry, regenerate, edit, go_on   another answer, or more of it
    recall    one that may have ended long ago             compare, keep, spread   several models side by side
    servers   the model servers, as they are set            places    where it is all kept
    wishes    how the page is liked                        checks    of clients, against the faults
    doctor    what stands between a client and here
    tastes    presets, and the model for new chats         choose, rename, pin, move, archive, discard, delete, adjust
    people    who may come in, and what is theirs when they are taken out
    recorder   recordings: kept, brought, played
    generations   running and recent ones                  restore   what an earlier process left

Leaving never cancels anything here; `left` carries out the policy a client chose when it started its turn.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType

import msgspec

from services.attachments.attachments import Attachments, Given, Limits
from services.doctor.doctor import Doctor
from services.doors.conversations import Conversations
from services.doors.figures import Figures
from services.doors.models import Models
from services.doors.removal import Removal
from services.doors.replies import Replies
from services.errors import Invalid, RequestError
from services.events import Event, Started
from services.exchange.exporting import File as Document
from services.exchange.importing import Report
from services.generations.generation import Generation
from services.generations.journal import Journal
from services.generations.past import KEEP, UNTOLD, Retention
from services.generations.registry import Generations, Keyed, Summary
from services.lab.runs import Runs
from services.library.adopting import Adopting
from services.library.deletion import UNDO, Deletion
from services.library.erasing import Erasing
from services.library.moving import Moving
from services.library.order import Order
from services.library.owning import Owners
from services.library.search import Hit, Search
from services.library.titles import Titles
from services.messages import Message, Turn
from services.metrics import House
from services.models import Listing
from services.people.people import People
from services.people.spending import spent
from services.persons import ANYBODY, Who
from services.prices import Price
from services.record.record import Record
from services.record.records import Bounds, Records
from services.recordings.bodies import Found
from services.recordings.keeper import Kept
from services.setup.servers import Installed, Servers
from services.setup.wishes import Liking
from services.spans import Spans
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
from services.upstream.rehearsal.heard import Heard
from services.upstream.rehearsal.player import Playback
from services.upstream.rehearsal.repertoire import Repertoire
from services.upstream.rehearsal.replay import with_id

__all__ = [
    "Asked",
    "Bounds",
    "Chat",
    "Document",
    "Found",
    "Given",
    "Heard",
    "Hit",
    "Installed",
    "Kept",
    "Keyed",
    "Limits",
    "Listing",
    "Playback",
    "Pruned",
    "Record",
    "Records",
    "Repertoire",
    "Report",
    "Retention",
    "Servers",
    "Summary",
    "Tastes",
]


class Chat(Conversations, Replies, Models, Figures, Removal):
    """`retention` says how long logs are kept once they have ended; at most `max_running` generations at once.

    `grace` are the seconds until a generation that nobody reads any more is stopped, if who started it wished so; `undo` those in
    which a discarded conversation can be brought back. `titles`: whether models are asked for titles of conversations.
    `faults`: what the built-in model can be broken with on a page, and what each does.
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
        doctor: Doctor | None = None,
        faults: Mapping[str, str] = MappingProxyType({}),
        records: Records | None = None,
        people: People | None = None,
        repertoire: Repertoire | None = None,
        spans: Spans | None = None,
    ) -> None:
        self._spans = spans
        self.house = House()  # what is counted
        self._journal = journal
        self._catalogue = catalogue
        self._store = store
        self._who = ANYBODY
        self._people = people or People(store)
        self._people.watch(self._revoked)
        self._owners = Owners(store)
        self._attached: dict[tuple[str, str], None] = {}
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
        self._moving = Moving(
            store, self._attachments, self._order, self._deletion, self._tree, self._endings, self._watchers, self._owners
        )
        self._titles = Titles(store, self._watchers, lambda model: titles() and not catalogue.is_builtin(model), self._ask_for_title)
        self._watchers.watch(lambda conversation: self._titles.begun(conversation) if self.is_answering(conversation) else None)
        self._tastes: dict[str, Tastes] = {}  # by person
        self._wishes: dict[str, Liking] = {}
        self._prices = tuple(prices)
        self._installed = installed
        self._servers = Servers(installed, catalogue, self._generations) if installed else None
        self.checks = Runs()
        self.doctor = doctor
        self.faults = faults
        self._repertoire = repertoire or Repertoire()
        self._erasing = Erasing(store, self._deletion, self._generations, self._attachments, self._repertoire.recordings)
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, who: Who) -> "Chat":
        """The same door for who asks: what belongs to somebody else is not there behind it."""
        if who == self._who:
            return self
        view = object.__new__(Chat)
        view.__dict__ = {**self.__dict__, "_who": who}
        return view

    @property
    def who(self) -> Who:
        """Who has come in by this door."""
        return self._who

    @property
    def people(self) -> People:
        return self._people

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
        self._people.admit(self._who, lambda key: len(self._generations.of_key(key)))
        turn = msgspec.structs.replace(turn, owner=self._who.person, by=self._who.key)
        return self._prepare(new_id(), turn.model, self._who.person).start(turn, turn.messages)

    def _prepare(self, id: str, model: str, person: str) -> Prepared:
        """What starts the generation `id` of this person by this model. Raises UnknownModel and Busy."""
        self._generations.admit()
        upstream, own = self._catalogue.resolve(model, person)
        full = f"{upstream.name}/{own}"

        def start(turn: Turn, heard: tuple[Message, ...]) -> Started:
            asked = msgspec.structs.replace(turn, model=with_id(own, id) if self._catalogue.is_builtin(full) else own, messages=heard)
            named = msgspec.structs.replace(turn, model=full)
            started = self._generations.start(id, named, lambda _, emit: upstream.read(asked, emit, self._records.get(id)))
            self.house.replies.started(upstream.name)
            self._records.begin(id, self._generations.began(id))  # before its task takes its first step
            if turn.conversation is None:
                self._programs.tell(id)
            return started

        known = self._catalogue.model(upstream.name, own)
        return Prepared(full, self._catalogue.prefills(upstream.name), known.vision if known else None, start)

    def _revoked(self, id: str) -> None:
        """What was asked with this key and still runs costs nothing any more."""
        for generation in self._generations.of_key(id):
            self._spawn(self._stop(generation))

    async def _stop(self, generation: str) -> None:
        await self._generations.stop(generation)

    def _ended(self, generation: Generation) -> None:
        if self._spans:
            self._spans.ended(generation.id, generation.turn, generation.log.entries)
        self.house.replies.ended(generation.turn.model.partition("/")[0], generation.log.entries)
        if generation.turn.by:
            self._people.spend(generation.turn.by, spent(generation.turn, generation.reply))
        if generation.label.by_program:
            self._programs.tell(generation.id)
        if generation.turn.conversation:
            self._order.ended(generation.turn.conversation)
            self._spawn(self._after(generation, generation.turn.conversation))

    async def _after(self, generation: Generation, conversation: str) -> None:
        await self._endings.ended(generation)
        await self._queueing.ended(conversation, generation.reply.state)
        self._titles.ended(generation)

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
        while self._tasks:  # one that fails is told by the loop, and keeps nothing from being closed
            await asyncio.wait(self._tasks)
        await self._people.close()
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
