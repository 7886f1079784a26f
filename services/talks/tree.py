"""What is there: the questions and answers of a conversation, and the branch that is shown. It asks no model."""

from collections.abc import Sequence

from services.conversations import Branch, Conversation, Node, branch, tip
from services.errors import NotFound
from services.store.store import Store
from services.talks.endings import Endings
from services.talks.watchers import Watchers

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
        return shown._replace(nodes=[await self._endings.whole(known.id, node) for node in shown.nodes])

    async def choose(self, conversation: str, node: str) -> None:
        _, nodes = await self.all(conversation)
        find(nodes, node)
        if not await self._store.change(conversation, shown=tip(nodes, node)):
            raise NotFound(NOT_HERE)
        self._watchers.tell(conversation)


def find(nodes: Sequence[Node], id: str) -> Node:
    """Raises NotFound."""
    for node in nodes:
        if node.id == id:
            return node
    raise NotFound("This message is not in the conversation.")
