"""What is asked in a conversation: a question, or another answer, becomes a generation.

At most one answer of a conversation runs at a time, or those of several models to one question that were started together; what
would start another one meanwhile is refused with Conflict, and nothing is stored. All else may be done at any moment. What is asked
is stored before its generation starts, in one transaction: an answer that ends at once finds its place, and a store that fails
costs no model anything.

Who asks may name the node that it makes (32 hexadecimal digits). Asking the same again, while it is on its way or afterwards, joins
what the first one started.
"""

import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import msgspec

from services.attachments.attachments import Attachments
from services.conversations import Conversation, Node, attached, beside, cleaned, contribution, path
from services.errors import Conflict, HeadraceError, Invalid, NotFound
from services.events import Started
from services.generations.registry import Generations
from services.manner import read
from services.messages import File, Message, Part, Text, Turn
from services.persons import LOCAL
from services.store.store import Store
from services.talks.endings import Endings
from services.talks.naming import named_after
from services.talks.once import Asked, Once, new_id
from services.talks.tree import NOT_HERE, Tree, find
from services.talks.watchers import Watchers

MOST = 4  # models that are asked side by side

# For model servers that would begin a new message after one of their own.
GO_ON = (
    "Your last message was cut off. Go on exactly where it ends, in the middle of a word if need be. "
    "Repeat nothing of it, and write nothing but its continuation."
)


class Prepared(NamedTuple):
    """A generation that may start. `prefills`: its server takes a last message of the assistant as the beginning of the answer.

    `sees`: the model can be shown pictures, None where nobody says. It is started with what the model hears in place of the turn's
    messages, which name attached files.
    """

    model: str  # the full name
    prefills: bool
    sees: bool | None
    start: Callable[[Turn, tuple[Message, ...]], Started]


Prepare = Callable[[str, str, str], Prepared]  # a generation's id, a model, who asks; raises what Chat.start raises


class Asking:
    def __init__(
        self,
        store: Store,
        generations: Generations,
        endings: Endings,
        tree: Tree,
        watchers: Watchers,
        attachments: Attachments,
        prepare: Prepare,
    ) -> None:
        self._store = store
        self._generations = generations
        self._endings = endings
        self._tree = tree
        self._watchers = watchers
        self._attachments = attachments
        self._prepare = prepare
        self._once = Once(store, endings)
        self._busy: set[str] = set()  # conversations in which something is on its way into the store

    async def send(
        self,
        conversation: str | None,
        models: Sequence[str],
        text: str,
        id: str | None,
        manner: str,
        files: Sequence[File] = (),
        owner: str = LOCAL,
    ) -> Asked:
        """`manner` and `owner` are those of a new conversation; one that is there has its own."""
        said = _said(text, files)
        if not 1 <= len(set(models)) == len(models) <= MOST:
            raise Invalid(f"From one to {MOST} different models can be asked at once.")
        return await self._once.ask(id, lambda id: self._send(conversation, models, said, id, manner, owner), said.text)

    async def _send(self, conversation: str | None, models: Sequence[str], said: Message, id: str, manner: str, owner: str) -> Asked:
        if conversation is None:
            now = time.time()
            new = Conversation(new_id(), _title(said), now, now, "", manner=manner, owner=owner)
            return await self._ask(new, models, [], Node(id, None, said), new=True)
        async with self.alone(conversation):
            shown = await self._tree.open(conversation)
            if shown.beside:
                raise Conflict("Keep one of these answers first: the conversation goes on from it.")
            before = shown.nodes
            return await self._ask(shown.conversation, models, before, Node(id, before[-1].id if before else None, said))

    async def edit(self, conversation: str, question: str, model: str, text: str, id: str | None, without: Collection[str] = ()) -> Asked:
        text = cleaned(text)
        return await self._once.ask(id, lambda id: self._edit(conversation, question, model, text, id, without), text)

    async def _edit(self, conversation: str, question: str, model: str, text: str, id: str, without: Collection[str]) -> Asked:
        async with self.alone(conversation):
            known, nodes = await self._tree.all(conversation)
            old = find(nodes, question)
            if old.message is None and not (old.damaged and old.generation is None):
                raise Invalid("Only a question can be edited.")
            kept = [part for part in old.message.parts if not isinstance(part, Text)] if old.message else []
            said = _said(text, [part for part in kept if not (isinstance(part, File) and part.hash in without)])
            return await self._ask(known, [model], path(nodes, question)[:-1], Node(id, old.parent, said))

    async def retry(self, conversation: str, model: str, id: str | None) -> Asked:
        return await self._once.ask(id, lambda id: self._again(conversation, None, model, id))

    async def regenerate(self, conversation: str, answer: str, model: str, id: str | None) -> Asked:
        return await self._once.ask(id, lambda id: self._again(conversation, answer, model, id))

    async def _again(self, conversation: str, answer: str | None, model: str, id: str) -> Asked:
        """Another answer, named `id`, to the question of an answer, or to the last question that is shown."""
        async with self.alone(conversation):
            known, nodes = await self._tree.all(conversation)
            if answer is not None and find(nodes, answer).generation is None:
                raise Invalid("Only an answer can be regenerated.")
            before = path(nodes, answer or known.shown)
            while before and before[-1].message is None:
                before.pop()
            if not before:
                raise Conflict("There is no question to answer.")
            return await self._ask(known, [model], before[:-1], before[-1], answer=id, beside=bool(beside(known, nodes)))

    async def go_on(self, conversation: str, answer: str, model: str, after: str) -> Asked:
        return await self._once.nameless(self._go_on(conversation, answer, model, after))

    async def _go_on(self, conversation: str, answer: str, model: str, after: str) -> Asked:
        """`after` is the generation that was cut off: asking twice goes on once."""
        async with self.alone(conversation):
            known, nodes = await self._tree.all(conversation)
            old = await self._endings.recalled(find(nodes, answer))
            before = [await self._endings.recalled(node) for node in path(nodes, answer)[:-1]]
            if old.generation != after and before:
                return Asked(conversation, before[-1], old)
            if not before or not old.may_go_on:
                raise Conflict("This answer cannot be continued: it was not cut off, or has no text yet. Regenerate it instead.")
            if any(node.parent == old.id for node in nodes):
                raise Conflict("This answer cannot be continued: there are messages after it.")
            return await self._ask(known, [model], before[:-1], before[-1], going_on=old, beside=bool(beside(known, nodes)))

    async def _ask(
        self,
        known: Conversation,
        models: Sequence[str],
        before: Sequence[Node],
        question: Node,
        *,
        answer: str = "",
        going_on: Node | None = None,
        new: bool = False,
        beside: bool = False,
    ) -> Asked:
        """`beside`: the answer grows beside others of which none has been kept, and so do those of several models."""
        manner = read(known.manner)
        prepared = {new_id(): model for model in models}
        ready = {generation: self._prepare(generation, model, known.owner) for generation, model in prepared.items()}
        first = next(iter(ready.values()))
        spoken = [await self._endings.recalled(node) for node in [*before, question]]
        messages = [Message("system", (Text(manner.system),))] if manner.system.strip() else []
        messages += [message for node in spoken if (message := contribution(node)) is not None]
        if going_on is None:
            nodes = [Node(answer or new_id(), question.id, generation=generation) for generation in ready]
        else:
            nodes = [Node(going_on.id, question.id, generation=next(iter(ready)), said=going_on.parts)]
            messages += [said] if (said := contribution(going_on)) else []
            messages += [] if first.prefills else [Message("user", (Text(GO_ON),))]
        heard = [await self._attachments.resolved(messages, model=each.model, sees=each.sees) for each in ready.values()]
        fresh = nodes if answer or going_on else [question, *nodes]
        shown = question.id if beside or len(nodes) > 1 else nodes[0].id
        if new:
            await self._store.create(msgspec.structs.replace(known, model=first.model, shown=shown), fresh)
        elif not await self._store.change(known.id, fresh, model=first.model, shown=shown, updated=time.time()):
            raise NotFound(NOT_HERE)
        if known.id in self._tree.deleted:
            raise NotFound(NOT_HERE)
        self._attachments.sent(attached([question]))
        turn = Turn("", tuple(messages), manner.options, conversation=known.id, owner=known.owner, fault=manner.fault)
        self._start(turn, nodes, ready, heard)
        for generation in ready:
            with suppress(NotFound):  # one that did not start: its node says so
                await self._generations.recall(generation)
        self._watchers.tell(known.id)
        answers = [self._endings.so_far(node) for node in nodes]
        return Asked(known.id, question, answers[0], tuple(answers[1:]))

    def _start(self, turn: Turn, nodes: Sequence[Node], ready: Mapping[str, Prepared], heard: Sequence[tuple[Message, ...]]) -> None:
        """All of them at once: what is refused is refused by the first one, before anybody was asked. Raises what that one raises."""
        for node, (generation, prepared), messages in zip(nodes, ready.items(), heard, strict=True):
            self._endings.expect(generation, node)
            try:
                prepared.start(msgspec.structs.replace(turn, model=prepared.model), messages)
            except HeadraceError:
                self._endings.forget(generation)
                if node is nodes[0]:
                    raise

    @asynccontextmanager
    async def alone(self, conversation: str) -> AsyncGenerator[None, None]:
        """Raises Conflict while an answer of the conversation runs, or something else is on its way into the store."""
        if self.is_busy(conversation):
            raise Conflict("An answer in this conversation is still running. Stop it, or wait for its end.")
        self._busy.add(conversation)
        try:
            yield
        finally:
            self._busy.discard(conversation)

    def is_busy(self, conversation: str) -> bool:
        """An answer runs in it, or something else is on its way into the store."""
        return conversation in self._busy or self.is_answering(conversation)

    def is_answering(self, conversation: str) -> bool:
        return self._generations.answering(conversation)

    async def close(self) -> None:
        """Let what is on its way arrive, or be refused: nothing starts after this, if nothing is admitted any more."""
        await self._once.close()


def _said(text: str, files: Sequence[Part]) -> Message:
    """A question: what was attached to it, and its words, if it has any."""
    text = cleaned(text)
    if not text.strip() and not files:
        raise Invalid("The message is empty.")
    return Message("user", (*files, *([Text(text)] if text.strip() else [])))


def _title(said: Message) -> str:
    """Of its words, or of the names of its files."""
    return named_after(said.text if said.text.strip() else ", ".join(part.name for part in said.parts if isinstance(part, File)))
