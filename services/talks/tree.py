"""What is there: the questions and answers of a conversation, and the branch that is shown. It asks no model."""

from collections.abc import Sequence
from typing import Unpack

from services.conversations import Branch, Changes, Conversation, Node, branch, tip
from services.errors import Invalid, NotFound
from services.store.store import Store
from services.talks.endings import Endings
from services.talks.watchers import Watchers

WIDEST = 6  # answers side by side
NOT_HERE = "This conversation is not here: it was deleted."


class Tree:
    """`deleted` are conversations that are gone, from the moment that somebody wanted it."""

    def __init__(self, store: Store, endings: Endings, watchers: Watchers) -> None:
        self._store = store
        self._endings = endings
        self._watchers = watchers
        self.deleted: set[str] = set()

    async def all(self, conversation: str) -> tuple[Conversation, Sequence[Node]]:
        """A conversation and all its nodes, replies as the store has them. Raises NotFound."""
        known = None if conversation in self.deleted else await self._store.get(conversation)
        if known is None or known.deleted:
            raise NotFound(NOT_HERE)
        return known, await self._store.nodes(conversation)

    async def open(self, conversation: str) -> Branch:
        known, nodes = await self.all(conversation)
        shown = branch(known, nodes)
        return shown._replace(
            nodes=[await self._endings.whole(known.id, node) for node in shown.nodes],
            beside=newest([await self._endings.whole(known.id, node) for node in shown.beside]),
        )

    async def choose(self, conversation: str, node: str) -> None:
        _, nodes = await self.all(conversation)
        find(nodes, node)
        await self._change(conversation, shown=tip(nodes, node))

    async def keep(self, conversation: str, answer: str) -> list[str]:
        """Go on from this answer, by its model. Returns the generations of the others in its place."""
        _, nodes = await self.all(conversation)
        kept = await self._endings.recalled(find(nodes, answer))
        if kept.generation is None:
            raise Invalid("Only an answer can be kept.")
        await self._change(conversation, shown=tip(nodes, answer), model=kept.reply.model if kept.reply else "")
        return [node.generation for node in nodes if node.parent == kept.parent and node.id != answer and node.generation]

    async def spread(self, conversation: str, answer: str) -> None:
        """Show an answer and the others in its place side by side again."""
        _, nodes = await self.all(conversation)
        question = find(nodes, answer).parent
        if sum(node.parent == question and node.generation is not None for node in nodes) < 2:
            raise Invalid("There is only one answer here.")
        await self._change(conversation, shown=question or "")

    async def adjust(self, conversation: str, manner: str) -> None:
        await self._change(conversation, manner=manner)

    async def _change(self, conversation: str, **changes: Unpack[Changes]) -> None:
        if not await self._store.change(conversation, **changes):
            raise NotFound(NOT_HERE)
        self._watchers.tell(conversation)


def newest(answers: Sequence[Node]) -> tuple[Node, ...]:
    """The last answer of each model, in the order in which the models were first asked; at most WIDEST of them, the newest ones."""
    places: dict[str, Node] = {}
    for node in answers:
        places[(node.reply.model if node.reply else "") or node.id] = node
    return tuple(places.values())[-WIDEST:]


def find(nodes: Sequence[Node], id: str) -> Node:
    """Raises NotFound."""
    for node in nodes:
        if node.id == id:
            return node
    raise NotFound("This message is not in the conversation.")
