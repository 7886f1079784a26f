"""All conversations: what may be asked in them, and where its answer goes. Behind services.chat, the door.

At most one answer of a conversation runs at a time; what would start another one is refused with Conflict, and nothing is stored. All
else may be done at any moment. What is asked is stored before its generation starts, in one transaction: an answer that ends at once
finds its place, and a store that fails costs no model anything.

Who asks may name the node that it makes (32 hexadecimal digits). Asking the same again, while it is on its way or afterwards, joins
what the first one started.
"""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import msgspec

from services.conversations import Branch, Conversation, Node, branch, cleaned, contribution, path, tip
from services.errors import Conflict, Gone, HeadraceError, Invalid, NotFound
from services.events import Started
from services.generations.generation import Generation
from services.generations.registry import Generations
from services.messages import Message, Problem, Reply, Text, Turn
from services.store.store import Store

log = logging.getLogger(__name__)

TITLE = 60  # characters of a title that was made of the first question
LONGEST = 200  # characters of any title
ID = re.compile(r"[0-9a-f]{32}")

# For model servers that would begin a new message after one of their own.
GO_ON = (
    "Your last message was cut off. Go on exactly where it ends, in the middle of a word if need be. "
    "Repeat nothing of it, and write nothing but its continuation."
)


class Asked(NamedTuple):
    """What was asked, and where its answer grows."""

    conversation: str
    question: Node
    answer: Node


class Prepared(NamedTuple):
    """A generation that may start. `prefills`: its server takes a last message of the assistant as the beginning of the answer."""

    model: str  # the full name
    prefills: bool
    start: Callable[[Turn], Started]


Prepare = Callable[[str, str], Prepared]  # a generation's id, a model; raises what Chat.start raises


class Talks:
    def __init__(self, store: Store, generations: Generations, prepare: Prepare) -> None:
        self._store = store
        self._generations = generations
        self._prepare = prepare
        self._watchers: list[Callable[[str], None]] = []
        self._busy: set[str] = set()  # conversations in which something is on its way into the store
        self._asking: set[asyncio.Task[Asked]] = set()
        self._joined: dict[str, asyncio.Task[Asked]] = {}  # by the name that who asked gave
        self._answers: dict[str, Node] = {}  # running answers, by generation
        self._deleted: set[str] = set()

    # Asking

    async def send(self, conversation: str | None, model: str, text: str, id: str | None) -> Asked:
        text = _said(text)
        return await self._once(id, lambda id: self._send(conversation, model, text, id), text)

    async def _send(self, conversation: str | None, model: str, text: str, id: str) -> Asked:
        if conversation is None:
            now = time.time()
            new = Conversation(_new_id(), _title(text), now, now, "")
            return await self._ask(new, model, [], Node(id, None, Message("user", (Text(text),))), new=True)
        async with self._alone(conversation):
            known, before, _ = await self.open(conversation)
            return await self._ask(known, model, before, Node(id, before[-1].id if before else None, Message("user", (Text(text),))))

    async def edit(self, conversation: str, question: str, model: str, text: str, id: str | None) -> Asked:
        text = _said(text)
        return await self._once(id, lambda id: self._edit(conversation, question, model, text, id), text)

    async def _edit(self, conversation: str, question: str, model: str, text: str, id: str) -> Asked:
        async with self._alone(conversation):
            known, nodes = await self._all(conversation)
            old = _find(nodes, question)
            if old.message is None and not (old.damaged and old.generation is None):
                raise Invalid("Only a question can be edited.")
            return await self._ask(known, model, path(nodes, question)[:-1], Node(id, old.parent, Message("user", (Text(text),))))

    async def retry(self, conversation: str, model: str, id: str | None) -> Asked:
        return await self._once(id, lambda id: self._again(conversation, None, model, id))

    async def regenerate(self, conversation: str, answer: str, model: str, id: str | None) -> Asked:
        return await self._once(id, lambda id: self._again(conversation, answer, model, id))

    async def _again(self, conversation: str, answer: str | None, model: str, id: str) -> Asked:
        """Another answer, named `id`, to the question of an answer, or to the last question that is shown."""
        async with self._alone(conversation):
            known, nodes = await self._all(conversation)
            if answer is not None and _find(nodes, answer).generation is None:
                raise Invalid("Only an answer can be regenerated.")
            before = path(nodes, answer or known.shown)
            while before and before[-1].message is None:
                before.pop()
            if not before:
                raise Conflict("There is no question to answer.")
            return await self._ask(known, model, before[:-1], before[-1], answer=id)

    async def go_on(self, conversation: str, answer: str, model: str, after: str) -> Asked:
        return await asyncio.shield(self._spawn(self._go_on(conversation, answer, model, after)))

    async def _go_on(self, conversation: str, answer: str, model: str, after: str) -> Asked:
        """`after` is the generation that was cut off: asking twice goes on once."""
        async with self._alone(conversation):
            known, nodes = await self._all(conversation)
            old = await self._recalled(_find(nodes, answer))
            before = [await self._recalled(node) for node in path(nodes, answer)[:-1]]
            if old.generation != after and before:
                return Asked(conversation, before[-1], old)
            if not before or not old.may_go_on:
                raise Conflict("This answer cannot be continued: it was not cut off, or has no text yet. Regenerate it instead.")
            if any(node.parent == old.id for node in nodes):
                raise Conflict("This answer cannot be continued: there are messages after it.")
            return await self._ask(known, model, before[:-1], before[-1], going_on=old)

    async def _ask(
        self,
        known: Conversation,
        model: str,
        before: Sequence[Node],
        question: Node,
        *,
        answer: str = "",
        going_on: Node | None = None,
        new: bool = False,
    ) -> Asked:
        generation = _new_id()
        prepared = self._prepare(generation, model)
        spoken = [await self._recalled(node) for node in [*before, question]]
        messages = [message for node in spoken if (message := contribution(node)) is not None]
        if going_on is None:
            node = Node(answer or _new_id(), question.id, generation=generation)
        else:
            node = Node(going_on.id, question.id, generation=generation, said=going_on.parts)
            messages += [said] if (said := contribution(going_on)) else []
            messages += [] if prepared.prefills else [Message("user", (Text(GO_ON),))]
        turn = Turn(model, tuple(messages), conversation=known.id)
        fresh = [node] if answer or going_on else [question, node]
        if new:
            await self._store.create(msgspec.structs.replace(known, model=prepared.model, shown=node.id), fresh)
        elif not await self._store.change(known.id, fresh, model=prepared.model, shown=node.id, updated=time.time()):
            raise NotFound(_NOT_HERE)
        if known.id in self._deleted:
            raise NotFound(_NOT_HERE)
        self._answers[generation] = node
        try:
            prepared.start(turn)
        except HeadraceError:
            del self._answers[generation]
            raise
        await self._generations.recall(generation)
        self.changed(known.id)
        return Asked(known.id, question, self._with_reply(node))

    async def _once(self, id: str | None, ask: Callable[[str], Awaitable[Asked]], text: str | None = None) -> Asked:
        """What `id` names is asked for once; who asks again joins. Goes on when who asked has left."""
        if id is not None and not ID.fullmatch(id):
            raise Invalid(f"A message's id is 32 hexadecimal digits, not {id[:80]!r}.")
        task = self._joined.get(id) if id else None
        if task is None:
            task = self._spawn(self._known_or_new(id or _new_id(), ask))
            if id:
                self._joined[id] = task
                task.add_done_callback(lambda _: self._joined.pop(id, None))
        asked = await asyncio.shield(task)
        if text is not None and asked.question.message is not None and asked.question.message.text != text:
            raise Invalid("This id belongs to another message.")
        return asked

    def _spawn(self, asking: Coroutine[None, None, Asked]) -> "asyncio.Task[Asked]":
        task = asyncio.get_running_loop().create_task(asking)
        self._asking.add(task)
        task.add_done_callback(self._asked)
        return task

    def _asked(self, task: "asyncio.Task[Asked]") -> None:
        self._asking.discard(task)
        if not task.cancelled() and (exc := task.exception()):  # who asked is told, unless they have left
            log.info("a question was not taken: %s", exc)

    async def close(self) -> None:
        """Let what is on its way arrive, or be refused: nothing starts after this, if nothing is admitted any more."""
        while self._asking:
            await asyncio.wait(self._asking)

    async def _known_or_new(self, id: str, ask: Callable[[str], Awaitable[Asked]]) -> Asked:
        conversation = await self._store.find(id)
        if conversation is None:
            return await ask(id)
        nodes = await self._store.nodes(conversation)
        node = _find(nodes, id)
        question = _find(nodes, node.parent or "") if node.generation else node
        answers = [other for other in nodes if other.parent == question.id]
        if not answers:
            raise Conflict("This message is here already, without an answer.")
        return Asked(conversation, question, await self._recalled(node if node.generation else answers[0]))

    @asynccontextmanager
    async def _alone(self, conversation: str) -> AsyncGenerator[None, None]:
        """Raises Conflict while an answer of the conversation runs, or something else is on its way into the store."""
        if conversation in self._busy or self.is_answering(conversation):
            raise Conflict("An answer in this conversation is still running. Stop it, or wait for its end.")
        self._busy.add(conversation)
        try:
            yield
        finally:
            self._busy.discard(conversation)

    # Looking, and putting in order

    async def open(self, conversation: str) -> Branch:
        known, nodes = await self._all(conversation)
        shown = branch(known, nodes)
        return shown._replace(nodes=[await self._whole(known.id, node) for node in shown.nodes])

    async def list(self) -> Sequence[Conversation]:
        return await self._store.list()

    async def choose(self, conversation: str, node: str) -> None:
        _, nodes = await self._all(conversation)
        _find(nodes, node)
        await self._change(conversation, shown=tip(nodes, node))

    async def rename(self, conversation: str, title: str) -> None:
        title = " ".join(cleaned(title).split())
        if not title:
            raise Invalid("The title is empty.")
        await self._change(conversation, title=title if len(title) <= LONGEST else title[: LONGEST - 1] + "…")

    async def _change(self, conversation: str, *, title: str | None = None, shown: str | None = None) -> None:
        if not await self._store.change(conversation, title=title, shown=shown):
            raise NotFound(_NOT_HERE)
        self.changed(conversation)

    async def delete(self, conversation: str) -> None:
        """Its running answer is stopped, what is on its way to it arrives nowhere, and the logs of its answers go, too."""
        self._deleted.add(conversation)
        try:
            there = await self._store.delete(conversation)
        except HeadraceError:
            self._deleted.discard(conversation)
            raise
        await self._generations.forget(conversation)
        self.changed(conversation)
        if not there:
            raise NotFound(_NOT_HERE)

    def is_answering(self, conversation: str) -> bool:
        return self._generations.answering(conversation)

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def changed(self, conversation: str) -> None:
        for changed in list(self._watchers):
            changed(conversation)

    async def _all(self, conversation: str) -> tuple[Conversation, Sequence[Node]]:
        known = None if conversation in self._deleted else await self._store.get(conversation)
        if known is None:
            raise NotFound(_NOT_HERE)
        return known, await self._store.nodes(conversation)

    # Replies

    async def ended(self, generation: Generation) -> None:
        """Keep the reply in its conversation. A store that cannot do it now is asked again when the conversation is opened."""
        node = self._answers.get(generation.id)
        conversation = generation.turn.conversation
        if node is None or conversation is None:
            self._generations.told(generation.id)
            return
        await self._keep(conversation, msgspec.structs.replace(node, reply=generation.reply))
        del self._answers[generation.id]
        self.changed(conversation)

    async def restored(self, generation: Generation) -> None:
        """The same for one that ended in an earlier process, or with it, long before its log is dropped. Raises NotSaved."""
        conversation = generation.turn.conversation
        for node in await self._store.nodes(conversation) if conversation else ():
            if conversation and node.generation == generation.id and node.reply is None and not node.damaged:
                await self._keep(conversation, msgspec.structs.replace(node, reply=generation.reply))
                return
        self._generations.told(generation.id)

    async def _keep(self, conversation: str, node: Node) -> None:
        """Late or not: an answer that has gone on meanwhile is not overwritten. Until it is done the log is not dropped."""
        try:
            await self._store.settle(conversation, node)
            self._generations.told(node.generation or "")
        except HeadraceError as exc:
            log.error("the reply of generation %s is not in its conversation yet: %s", node.generation, exc)

    def _with_reply(self, node: Node) -> Node:
        """The answer as far as it has come."""
        if node.generation is None or node.reply is not None or node.damaged:
            return node
        try:
            return msgspec.structs.replace(node, reply=self._generations.reply(node.generation))
        except (NotFound, Gone):
            return node

    async def _whole(self, conversation: str, node: Node) -> Node:
        """The same, and stored if it has ended and was not: the store was busy then, or the process ended too soon."""
        whole = await self._recalled(node)
        reply = whole.reply if whole is not node else None
        if reply and reply.seq and reply.state not in ("waiting", "streaming") and node.generation not in self._answers:
            await self._keep(conversation, whole)
        return whole

    async def _recalled(self, node: Node) -> Node:
        """The same for one that may have ended in an earlier process. Of one that nobody knows any more, what is left of it."""
        if node.generation is not None and node.reply is None and not node.damaged:
            with suppress(NotFound, Gone):
                await self._generations.recall(node.generation)
        node = self._with_reply(node)
        if node.generation is None or node.reply is not None or node.damaged:
            return node
        lost = Problem("interrupted", "Headrace was ended while this answer was running, and nothing of it was kept.", retryable=True)
        return msgspec.structs.replace(node, reply=Reply(node.generation, "", 0, "interrupted", 0, problem=lost))


_NOT_HERE = "This conversation is not here: it was deleted."


def _find(nodes: Sequence[Node], id: str) -> Node:
    for node in nodes:
        if node.id == id:
            return node
    raise NotFound("This message is not in the conversation.")


def _said(text: str) -> str:
    text = cleaned(text)
    if not text.strip():
        raise Invalid("The message is empty.")
    return text


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE else line[: TITLE - 1].rstrip() + "…"


def _new_id() -> str:
    """128 bits: not to be guessed."""
    return secrets.token_hex(16)
