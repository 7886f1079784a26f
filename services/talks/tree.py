"""What is there: the questions and answers of a conversation, and the branch that is shown. It asks no model."""

from collections.abc import Sequence
from typing import Unpack

from services.conversations import Branch, Changes, Conversation, Node, branch, cleaned, tip
from services.errors import HeadraceError, Invalid, NotFound
from services.generations.registry import Generations
from services.store.store import Store
from services.talks.endings import Endings
from services.talks.watchers import Watchers

LONGEST = 200  # characters of any title
NOT_HERE = "This conversation is not here: it was deleted."


class Tree:
    """`deleted` are conversations that are gone, from the moment that somebody wanted it."""

    def __init__(self, store: Store, generations: Generations, endings: Endings, watchers: Watchers) -> None:
        self._store = store
        self._generations = generations
        self._endings = endings
        self._watchers = watchers
        self.deleted: set[str] = set()

    async def all(self, conversation: str) -> tuple[Conversation, Sequence[Node]]:
        """A conversation and all its nodes, replies as the store has them. Raises NotFound."""
        known = None if conversation in self.deleted else await self._store.get(conversation)
        if known is None:
            raise NotFound(NOT_HERE)
        return known, await self._store.nodes(conversation)

    async def open(self, conversation: str) -> Branch:
        known, nodes = await self.all(conversation)
        shown = branch(known, nodes)
        return shown._replace(nodes=[await self._endings.whole(known.id, node) for node in shown.nodes])

    async def choose(self, conversation: str, node: str) -> None:
        _, nodes = await self.all(conversation)
        find(nodes, node)
        await self._change(conversation, shown=tip(nodes, node))

    async def list(self) -> Sequence[Conversation]:
        return await self._store.list()

    async def rename(self, conversation: str, title: str) -> None:
        title = " ".join(cleaned(title).split())
        if not title:
            raise Invalid("The title is empty.")
        await self._change(conversation, title=title if len(title) <= LONGEST else title[: LONGEST - 1] + "…", named=True)

    async def _change(self, conversation: str, **changes: Unpack[Changes]) -> None:
        if not await self._store.change(conversation, **changes):
            raise NotFound(NOT_HERE)
        self._watchers.tell(conversation)

    async def delete(self, conversation: str) -> None:
        """Its running answer is stopped, what is on its way to it arrives nowhere, and the logs of its answers go, too."""
        self.deleted.add(conversation)
        try:
            there = await self._store.delete(conversation)
        except HeadraceError:
            self.deleted.discard(conversation)
            raise
        await self._generations.forget(conversation)
        self._watchers.tell(conversation)
        if not there:
            raise NotFound(NOT_HERE)


def find(nodes: Sequence[Node], id: str) -> Node:
    """Raises NotFound."""
    for node in nodes:
        if node.id == id:
            return node
    raise NotFound("This message is not in the conversation.")
