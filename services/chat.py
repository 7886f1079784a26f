"""The only door between what asks (screens, HTTP) and what answers (upstreams, logs, the store).

    start     a turn becomes a running generation          open      a conversation as far as it has come
    follow    the entries of a generation, from anywhere   send      a question in a conversation becomes a generation
    stop      from anywhere, at any moment                 retry, regenerate, edit, go_on   another answer, or more of it
    recall    one that may have ended long ago             compare, keep, spread   several models side by side
    servers   the model servers, as they are set            places    where it is all kept
    wishes    how the page is liked
    tastes    presets, and the model for new chats         choose, rename, pin, move, archive, discard, delete, adjust
    generations   running and recent ones                  restore   what an earlier process left

Leaving never cancels anything here; `left` carries out the policy a client chose when it started its turn.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import suppress

import msgspec

from services.attachments.attachments import Attachments, Given, Limits
from services.attachments.pdf import Progress, unheard
from services.conversations import Branch, Conversation
from services.errors import Conflict, Invalid, RequestError
from services.events import Event, Started, Usage
from services.exchange.exporting import File as Document
from services.exchange.exporting import Format
from services.exchange.importing import Report
from services.exchange.page import Render
from services.generations.generation import Generation
from services.generations.journal import Journal
from services.generations.log import Follower
from services.generations.registry import KEEP, UNTOLD, Generations, Keyed, Retention, Summary
from services.library.deletion import UNDO, Deletion
from services.library.moving import Moving
from services.library.order import Order
from services.library.search import Hit, Search
from services.library.titles import Titles
from services.manner import PLAIN, Manner, written
from services.messages import File, Message, Reply, Turn
from services.models import Listing, Place
from services.prices import Cost, Price, cost
from services.settings import version
from services.setup.places import places
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
from services.waiting import Waiting

__all__ = [
    "Asked",
    "Chat",
    "Document",
    "Given",
    "Hit",
    "Installed",
    "Keyed",
    "Limits",
    "Listing",
    "Pruned",
    "Report",
    "Retention",
    "Servers",
    "Summary",
    "Tastes",
]


class Chat:
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
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._attachments = attachments or Attachments()
        self._generations = Generations(journal, self._ended, retention=retention, max_running=max_running, grace=grace)
        interrupted = self._generations.restore()
        self._untold = dict.fromkeys([*self._generations.of_conversations(UNTOLD), *interrupted])
        self._watchers = Watchers()
        self._endings = Endings(store, self._generations, self._watchers)
        self._tree = Tree(store, self._endings, self._watchers)
        self._asking = Asking(store, self._generations, self._endings, self._tree, self._watchers, self._attachments, self._prepare)
        self._pruning = Pruning(store, self._tree, self._asking, self._watchers)
        self._queueing = Queueing(store, self._attachments, self._asking, self._tree, self._watchers)
        self._order = Order(store, self._tree, self._watchers)
        self._search = Search(store, self._order)
        self._deletion = Deletion(store, self._attachments, self._generations, self._tree, self._watchers, undo)
        self._moving = Moving(store, self._attachments, self._order, self._deletion, self._tree, self._endings, self._watchers)
        self._titles = Titles(store, self._watchers, lambda model: titles() and not catalogue.is_builtin(model), self._ask_for_title)
        self._watchers.watch(lambda conversation: self._titles.begun(conversation) if self.is_answering(conversation) else None)
        self._tastes = Tastes(store)
        self._prices = tuple(prices)
        self._installed = installed
        self._servers = Servers(installed, catalogue, self._generations) if installed else None
        self.wishes = Liking(store)
        self._tasks: set[asyncio.Task[None]] = set()

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
            return self._generations.start(id, named, lambda _, emit: upstream.read(asked, emit))

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

    def keyed(self, key: str) -> Keyed | None:
        """What was started with an Idempotency-Key (its digest) last, of what runs or is kept."""
        return self._generations.keyed(key)

    def generations(self) -> list[Summary]:
        """Running generations, then finished ones, the newest first in each."""
        return self._generations.list()

    def latest(self, client: str, thread: str) -> Summary | None:
        """The newest generation of a thread, by the client's own name of it. None: there is none, or its log is no longer kept."""
        return self._generations.latest(client, thread)

    def _ended(self, generation: Generation) -> None:
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

    # Conversations; `id`, where it can be given, is the client's own name for the message it makes, so that it is never made twice

    async def send(
        self,
        conversation: str | None,
        model: str,
        text: str,
        *,
        id: str | None = None,
        manner: Manner = PLAIN,
        files: Sequence[Given] = (),
    ) -> Asked:
        """Ask `text` at the end of the branch that is shown, or in a new conversation when it is None, which has this manner.

        `files` were attached before.

        Raises what `start` raises, NotFound, NotSaved, and Conflict while an answer of the conversation is running; then
        nothing was stored and nobody was asked. So do the next five.
        """
        return await self.compare(conversation, [model], text, id=id, manner=manner, files=files)

    async def compare(
        self,
        conversation: str | None,
        models: Sequence[str],
        text: str,
        *,
        id: str | None = None,
        manner: Manner = PLAIN,
        files: Sequence[Given] = (),
    ) -> Asked:
        """The same of several models at once. The branch then ends in the question, until one of the answers is kept."""
        chosen = await self._attachments.chosen(files)
        return await self._used(self._asking.send(conversation, models, text, id, written(manner), chosen))

    async def queue(self, conversation: str, model: str, text: str, *, id: str | None = None, files: Sequence[Given] = ()) -> None:
        """Let a message wait for the end of the answer that runs (`Conversation.queue`); with none running it is sent at once.

        What waits is sent in order, when an answer has ended by itself. Raises NotFound, NotSaved and Invalid.
        """
        await self._queueing.add(conversation, model, text, id, await self._attachments.chosen(files))

    async def unqueue(self, conversation: str, id: str) -> Waiting:
        """Take one back. Raises NotFound when it was sent meanwhile."""
        return await self._queueing.take(conversation, id)

    async def send_queued(self, conversation: str) -> None:
        """Send what waits after all, where its answer did not end by itself."""
        await self._queueing.go_on(conversation)

    async def retry(self, conversation: str, model: str, *, id: str | None = None) -> Asked:
        """Answer the last question that is shown again, as another branch."""
        return await self._asking.retry(conversation, model, id)

    async def regenerate(self, conversation: str, answer: str, model: str, *, id: str | None = None) -> Asked:
        """Another answer beside this one, whatever comes after it, perhaps by another model."""
        return await self._used(self._asking.regenerate(conversation, answer, model, id))

    async def edit(
        self, conversation: str, question: str, model: str, text: str, *, id: str | None = None, without: Collection[str] = ()
    ) -> Asked:
        """Another question in the place of this one, and its answer; the old one stays as a branch.

        It keeps its files, but for those whose hashes are in `without`.
        """
        return await self._asking.edit(conversation, question, model, text, id, without)

    async def go_on(self, conversation: str, answer: str, model: str, *, after: str) -> Asked:
        """Let an answer that was cut off go on from its end; `after` is the generation that was cut off.

        It stays one message: its node gets a new generation, and keeps what was said before. Raises Conflict, too, for one
        that has no text, ended by itself, or has messages after it.
        """
        return await self._asking.go_on(conversation, answer, model, after)

    async def open(self, conversation: str) -> Branch:
        """A conversation and the branch that is shown; replies that still run are there as far as they have come."""
        return await self._tree.open(conversation)

    async def choose(self, conversation: str, node: str) -> None:
        """Show the branch through this node, down to what was added to it last. Nothing that runs is disturbed."""
        await self._tree.choose(conversation, node)

    async def keep(self, conversation: str, answer: str) -> None:
        """Of the answers side by side go on from this one, with its model. The others stay as branches; those that run are stopped."""
        for generation in await self._tree.keep(conversation, answer):
            if self._generations.running(generation):
                await self._generations.stop(generation)

    async def spread(self, conversation: str, answer: str) -> None:
        """Show this answer and the others in its place side by side again."""
        await self._tree.spread(conversation, answer)

    async def prune(self, conversation: str, node: str) -> Pruned:
        """Take out a message and all that follows it; what `graft` wants to put it back. Raises Conflict while an answer runs."""
        return await self._pruning.prune(conversation, node)

    async def graft(self, conversation: str, pruned: Pruned) -> None:
        """Put back what was pruned. Raises NotFound when there is no place for it any more, and Conflict."""
        await self._pruning.graft(conversation, pruned)

    async def adjust(self, conversation: str, manner: Manner) -> None:
        """Ask in this manner from now on."""
        await self._tree.adjust(conversation, written(manner))

    async def rename(self, conversation: str, title: str) -> None:
        """A title that a person gives."""
        await self._order.rename(conversation, title)

    async def pin(self, conversation: str, pinned: bool = True) -> None:
        await self._order.pin(conversation, pinned)

    async def move(self, conversation: str, folder: str) -> None:
        """Into a folder, by its name; "" takes it out."""
        await self._order.move(conversation, folder)

    async def archive(self, conversation: str, archived: bool = True) -> None:
        await self._order.archive(conversation, archived)

    async def discard(self, conversation: str) -> None:
        """Hide it, stop what runs in it, and delete it when it is not brought back in time. Raises NotFound."""
        await self._deletion.discard(conversation)

    async def discard_all(self) -> Sequence[str]:
        """The same of every conversation; their ids."""
        return await self._deletion.discard_all()

    async def delete_all(self) -> None:
        """Every conversation, for good, the discarded ones too."""
        await self._deletion.delete_all()

    async def discarded(self, conversation: str) -> Conversation | None:
        """One that can still be brought back."""
        return await self._deletion.waiting(conversation)

    async def bring_back(self, conversation: str) -> None:
        """A discarded one, whole. Raises NotFound when it is too late."""
        await self._deletion.bring_back(conversation)

    async def delete(self, conversation: str) -> None:
        """A conversation and all its branches, for good. What runs in it is stopped. Raises NotFound when it was not there."""
        await self._deletion.delete(conversation)

    async def conversations(self) -> Sequence[Conversation]:
        """The one updated last first; the same object until something has changed."""
        return await self._order.list()

    async def search(self, query: str) -> Sequence[Hit]:
        """Conversations and messages with all words of a query, wherever in a word and in whatever case. No query is refused."""
        return await self._search.search(query)

    async def export(self, format: Format, conversations: Sequence[str] | None = None, render: Render | None = None) -> Document:
        """These conversations as one file, or all. `render` makes safe HTML of a model's Markdown, in a thread. Raises NotFound."""
        return await self._moving.export(format, conversations, render)

    async def bring_in(self, pieces: AsyncIterable[bytes], report: Report, progress: Callable[[int], None]) -> None:
        """Import what is in a file, given in pieces; of what was here already nothing changes. `progress` is told the bytes read so far.

        Raises Invalid when no conversation is in it, NotSaved. `report` says what came until then, and until this was cancelled.
        """
        await self._moving.bring_in(pieces, report, progress)

    def is_answering(self, conversation: str) -> bool:
        return self._asking.is_answering(conversation)

    def is_unseen(self, conversation: str) -> bool:
        """An answer has ended in it, and no page has shown it since."""
        return self._order.is_unseen(conversation)

    def seen(self, conversation: str) -> None:
        self._order.seen(conversation)

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed(conversation)` whenever a conversation gets a message, ends an answer, is changed or deleted.

        Returns the function that ends this.
        """
        return self._watchers.watch(changed)

    # Attached files

    @property
    def limits(self) -> Limits:
        return self._attachments.limits

    async def attach(self, name: str, body: bytes, progress: Progress = unheard) -> File:
        """Keep a file, which may then be sent by its hash. Raises TooLarge, NotSaved, and Invalid for what no model can be given."""
        return await self._attachments.take(name, body, progress)

    async def attachment(self, hash: str) -> tuple[str, bytes]:
        """The media type of a picture, application/octet-stream for all else, and the bytes. Raises NotFound."""
        return await self._attachments.open(hash)

    # Models

    @property
    def default_model(self) -> str:
        """What a person has chosen, while it can be asked, before what the settings say."""
        liked = "" if self._servers and self._servers.fixed_by("chat.model") else self._tastes.model
        return liked if self._catalogue.has(liked) else self._catalogue.default

    async def tastes(self) -> Tastes:
        """Presets, the model for new chats and the ones used last, to be read and changed."""
        await self._tastes.load()
        return self._tastes

    def cost(self, model: str, usage: Usage | None) -> Cost | None:
        """What a reply of this model cost, by the prices of settings."""
        return cost(self._prices, model, usage)

    def refuses(self, model: str) -> frozenset[str]:
        """The options that the server of this model cannot take, by their names in services.messages.Options, as far as is known."""
        return self._catalogue.refuses(model)

    @property
    def servers(self) -> Servers:
        """The model servers as they are set, to be seen, changed and tried out. Raises Conflict where nothing is `installed`."""
        if self._servers is None:
            raise Conflict("The settings of this process cannot be changed.")
        return self._servers

    @property
    def version(self) -> str:
        return version()

    async def places(self) -> list[Place]:
        """Where everything is kept, and how large it is."""
        return await asyncio.to_thread(places, self._installed.layers) if self._installed else []

    @property
    def alone(self) -> bool:
        """No model server but the built-in rehearsal can be asked."""
        return self._catalogue.alone

    def models(self) -> list[Listing]:
        return self._catalogue.listings()

    async def keep_models_fresh(self) -> None:
        """Ask the servers for their models again and again. Cancel it to end it."""
        await self._catalogue.keep_fresh()

    def watch_models(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed()` whenever models come or go. Returns the function that ends this."""
        return self._catalogue.watch(changed)

    async def refresh_models(self, older_than: float = 0.0, *, patient: bool = False) -> list[Listing]:
        """Ask the servers again, unless they were asked less than so many seconds ago."""
        await self._catalogue.refresh(older_than, patient=patient)
        return self._catalogue.listings()

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

    async def _used(self, asking: Awaitable[Asked]) -> Asked:
        asked = await asking
        replies = [node.reply.model for node in (asked.answer, *asked.beside) if node.reply]
        self._spawn(self._tastes.used(replies))
        return asked

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
