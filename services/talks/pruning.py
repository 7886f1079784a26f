"""Messages taken out of a conversation, with all that follows them, and put back if that was a mistake."""

from typing import NamedTuple

from services.conversations import Node, tip
from services.errors import NotFound
from services.store.store import Store
from services.talks.asking import Asking
from services.talks.tree import NOT_HERE, Tree, find
from services.talks.watchers import Watchers


class Pruned(NamedTuple):
    """What was taken out, parents before their children, and what was shown before."""

    nodes: tuple[Node, ...]
    shown: str


class Pruning:
    def __init__(self, store: Store, tree: Tree, asking: Asking, watchers: Watchers) -> None:
        self._store = store
        self._tree = tree
        self._asking = asking
        self._watchers = watchers

    async def prune(self, conversation: str, node: str) -> Pruned:
        """What is shown then is what is left in the place of `node`, or ends above it. Raises NotFound, Conflict while an answer runs."""
        async with self._asking.alone(conversation):
            known, nodes = await self._tree.all(conversation)
            cut = find(nodes, node)
            below = {cut.id}
            for each in nodes:  # parents come before their children
                if each.parent in below:
                    below.add(each.id)
            left = [each for each in nodes if each.id not in below]
            places = [each.id for each in nodes if each.parent == cut.parent]
            siblings = [id for id in places[: places.index(cut.id)][::-1] + places if id != cut.id]
            shown = tip(left, siblings[0]) if siblings else cut.parent or ""
            if known.shown and known.shown not in below:
                shown = known.shown
            if not await self._store.cut(conversation, sorted(below), shown):
                raise NotFound(NOT_HERE)
        self._watchers.tell(conversation)
        return Pruned(tuple(each for each in nodes if each.id in below), known.shown or "")

    async def graft(self, conversation: str, pruned: Pruned) -> None:
        """Put it back. Raises NotFound when the conversation is gone, Conflict while an answer runs."""
        async with self._asking.alone(conversation):
            _, nodes = await self._tree.all(conversation)
            if pruned.nodes and pruned.nodes[0].parent is not None:
                find(nodes, pruned.nodes[0].parent)
            if not await self._store.change(conversation, pruned.nodes, shown=pruned.shown):
                raise NotFound(NOT_HERE)
        self._watchers.tell(conversation)
