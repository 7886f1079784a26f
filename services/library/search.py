"""Searching all conversations: their titles, and what was said in them."""

from collections.abc import Sequence
from typing import NamedTuple

from services.conversations import Conversation
from services.library.order import Order
from services.persons import LOCAL
from services.store.finding import Snippet, look, sought
from services.store.store import Store

MOST = 40  # results
TITLES = 15  # of them


class Hit(NamedTuple):
    """A conversation with the words in its title, or a message of it; `snippet`: pieces of that text, and whether each was sought."""

    conversation: Conversation
    node: str | None
    snippet: Snippet


class Search:
    def __init__(self, store: Store, order: Order) -> None:
        self._store = store
        self._order = order

    async def search(self, query: str, owner: str = LOCAL) -> Sequence[Hit]:
        """Titles before messages; in each what fits best, and the newest first among equals."""
        there = await self._order.list(owner)
        words = sought(query)
        titles = [(found[0], Hit(known, None, found[1])) for known in there if (found := look(words, known.title))]
        titles.sort(key=lambda ranked: -ranked[0])
        hits = [hit for _, hit in titles[:TITLES]]
        if words:
            by_id = {known.id: known for known in there}
            messages = await self._store.search(query, MOST, owner)
            hits += [Hit(by_id[each.conversation], each.node, each.snippet) for each in messages if each.conversation in by_id]
        return hits[:MOST]
