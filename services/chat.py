"""The only door between what asks (screens, HTTP) and what answers (upstreams, logs, the store).

    start     a turn becomes a running generation          open      a conversation as far as it has come
    follow    the entries of a generation, from anywhere   send      a question in a conversation becomes a generation
    stop      from anywhere, at any moment                 generations   running and recent ones
    recall    one that may have ended long ago             restore   what an earlier process left

Leaving never cancels anything here; `left` carries out the policy a client chose when it started its turn.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec

from services.conversations import Conversation, Node, path
from services.errors import Conflict, Gone, Invalid, NotFound, RequestError
from services.events import Started
from services.generations.generation import Generation
from services.generations.journal import Journal
from services.generations.log import Follower
from services.generations.registry import KEEP, Generations, Retention, Summary
from services.messages import Message, Reply, Text, Turn
from services.models import Listing
from services.store.store import Store
from services.upstream.catalogue import Catalogue

__all__ = ["Chat", "Listing", "Retention", "Summary"]

log = logging.getLogger(__name__)

TITLE = 60
UNTOLD = 100  # generations that may have ended just before the process did, without their conversation knowing


class Chat:
    """`retention` says how long logs are kept once they have ended; at most `max_running` generations at once."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        journal: Journal,
        *,
        retention: Retention = KEEP,
        max_running: int = 1000,
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._generations = Generations(journal, self._ended, retention=retention, max_running=max_running)
        self._interrupted = self._generations.restore()
        self._watchers: list[Callable[[str], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[str] = set()  # conversations whose next question is on its way into the store

    async def restore(self) -> None:
        """Before anything is asked: what an earlier process did not bring into its conversation any more."""
        for id in dict.fromkeys([*self._generations.of_conversations(UNTOLD), *self._interrupted]):
            with suppress(RequestError):
                self._ended(await self._generations.recall(id))

    # Generations

    def start(self, turn: Turn) -> Started:
        """Start a generation. Its first entry, returned here, is in the log already; nobody waits for the rest.

        Raises UnknownModel, Invalid for a turn that says nothing, and Busy when too many are running or on shutdown.
        """
        _, start = self._prepare(turn, self._new_id())
        return start()

    def _prepare(self, turn: Turn, id: str) -> tuple[str, Callable[[], Started]]:
        """The model's full name, and what starts the generation. Raises what `start` raises."""
        self._generations.admit()
        if not turn.messages:
            raise Invalid('`messages` is empty: send at least one message, such as {"role": "user", "content": "Hello"}.')
        upstream, model = self._catalogue.resolve(turn.model)
        own = msgspec.structs.replace(turn, model=model)
        named = msgspec.structs.replace(turn, model=f"{upstream.name}/{model}")
        return named.model, lambda: self._generations.start(id, named, lambda _, emit: upstream.read(own, emit))

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

    def generations(self) -> list[Summary]:
        """Running generations, then finished ones, the newest first in each."""
        return self._generations.list()

    def latest(self, client: str, thread: str) -> Summary | None:
        """The newest generation of a thread, by the client's own name of it. None: there is none, or its log is no longer kept."""
        return self._generations.latest(client, thread)

    def _ended(self, generation: Generation) -> None:
        if generation.turn.conversation:
            self._spawn(self._keep_reply(generation.turn.conversation, generation))

    # Conversations

    async def send(self, conversation: str | None, model: str, text: str) -> tuple[str, Node, Node]:
        """Ask `text` in a conversation, a new one when it is None. Returns its id, the question and the running answer.

        Raises what `start` raises, NotFound, and Conflict while an answer of the conversation is running; then nothing
        was stored.
        """
        if not text.strip():
            raise Invalid("The message is empty.")
        async with self._one_at_a_time(conversation):
            known = await self._conversation(conversation) if conversation else _new_conversation(self._new_id(), text)
            _, branch = await self.open(known.id) if conversation else (known, [])
            question = Node(self._new_id(), branch[-1].id if branch else None, Message("user", (Text(text),)))
            return await self._ask(known, model, branch, question)

    async def retry(self, conversation: str, model: str) -> tuple[str, Node, Node]:
        """Answer the last question of a conversation again, as another branch. Returns and raises as `send` does."""
        async with self._one_at_a_time(conversation):
            known, branch = await self.open(conversation)
            while branch and branch[-1].message is None:
                branch.pop()
            if not branch:
                raise Conflict("There is no question to answer.")
            return await self._ask(known, model, branch[:-1], branch[-1])

    @asynccontextmanager
    async def _one_at_a_time(self, conversation: str | None) -> AsyncGenerator[None, None]:
        """Raises Conflict while an answer of the conversation runs, or another question is on its way into the store."""
        if conversation and (conversation in self._asking or self.is_answering(conversation)):
            raise Conflict("An answer in this conversation is still running. Stop it, or wait for its end.")
        self._asking.add(conversation or "")
        try:
            yield
        finally:
            self._asking.discard(conversation or "")

    async def _ask(self, known: Conversation, model: str, before: Sequence[Node], question: Node) -> tuple[str, Node, Node]:
        """Stored first, then started: an answer that ends at once finds its place, and a store that fails costs nothing."""
        messages = tuple(message for node in [*before, question] if (message := _message(node)) is not None)
        generation = self._new_id()
        turn = Turn(model, messages, conversation=known.id)
        named, start = self._prepare(turn, generation)
        answer = Node(self._new_id(), question.id, generation=generation)
        known = msgspec.structs.replace(known, updated=time.time(), model=named)
        await (self._store.create(known) if await self._store.get(known.id) is None else self._store.save(known))
        await self._store.put(known.id, question)
        await self._store.put(known.id, answer)
        start()
        await self._generations.recall(generation)
        self._changed(known.id)
        return known.id, question, self._with_reply(answer)

    async def open(self, conversation: str) -> tuple[Conversation, list[Node]]:
        """A conversation and the branch that is shown; replies that still run are there as far as they have come."""
        known = await self._conversation(conversation)
        branch = path(await self._store.nodes(conversation))
        for node in branch:
            if node.generation is not None and node.reply is None:
                with suppress(NotFound, Gone):
                    await self._generations.recall(node.generation)
        return known, [self._with_reply(node) for node in branch]

    async def conversations(self) -> Sequence[Conversation]:
        return await self._store.list()

    def is_answering(self, conversation: str) -> bool:
        return self._generations.answering(conversation)

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed(conversation)` whenever a conversation gets a message, or ends an answer.

        Returns the function that ends this.
        """
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def _changed(self, conversation: str) -> None:
        for changed in list(self._watchers):
            changed(conversation)

    async def _conversation(self, id: str) -> Conversation:
        known = await self._store.get(id)
        if known is None:
            raise NotFound("This conversation is not here: it was deleted, or ended when Headrace was restarted.")
        return known

    def _with_reply(self, node: Node) -> Node:
        if node.generation is None or node.reply is not None:
            return node
        try:
            return msgspec.structs.replace(node, reply=self.reply(node.generation))
        except (NotFound, Gone):
            return node

    async def _keep_reply(self, conversation: str, generation: Generation) -> None:
        for node in await self._store.nodes(conversation):
            if node.generation == generation.id and node.reply is None:
                await self._store.put(conversation, msgspec.structs.replace(node, reply=generation.reply))
        self._changed(conversation)

    # Models

    @property
    def default_model(self) -> str:
        return self._catalogue.default

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

    async def refresh_models(self, older_than: float = 0.0) -> list[Listing]:
        """Ask the servers again, unless they were asked less than so many seconds ago."""
        await self._catalogue.refresh(older_than)
        return self._catalogue.listings()

    # The end

    async def close(self, patience: float = 0.0) -> None:
        """Take nothing new, give what runs `patience` seconds to end, then mark it as interrupted."""
        await self._generations.close(patience)
        await asyncio.gather(*self._tasks)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _new_id() -> str:
        """128 bits: not to be guessed."""
        return secrets.token_hex(16)


def _message(node: Node) -> Message | None:
    """What a node contributes to the next turn: an answer that failed before its first word contributes nothing."""
    if node.message is not None:
        return node.message
    return node.reply.message if node.reply and node.reply.parts else None


def _new_conversation(id: str, text: str) -> Conversation:
    now = time.time()
    return Conversation(id, _title(text), now, now, "")


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE else line[: TITLE - 1].rstrip() + "…"
