"""What a store of conversations must do.

What is written is there, in one piece, when the call returns. Texts come back without NUL and halves of characters. A row that cannot be
read comes back as a damaged node, and never keeps the others from opening. Every method raises NotSaved when the database
cannot do it now.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, Unpack

from services.conversations import Changes, Conversation, Node
from services.persons import LOCAL
from services.store.finding import Found


class Store(Protocol):
    async def create(self, conversation: Conversation, nodes: Sequence[Node] = ()) -> None: ...

    async def change(self, id: str, nodes: Sequence[Node] = (), **changes: Unpack[Changes]) -> bool:
        """Change what is given, and `put` nodes. False: the conversation is not there (any more), and nothing was written."""

    async def get(self, id: str) -> Conversation | None: ...

    async def list(self, *, deleted: bool = False) -> Sequence[Conversation]:
        """All conversations, the one updated last first: those that are marked as deleted, or all others."""

    async def delete(self, id: str) -> bool:
        """A conversation and its nodes. False: it was not there."""

    async def put(self, conversation: str, node: Node) -> bool:
        """Add a node, or replace the one with its id. False, and nothing written: the conversation was deleted meanwhile."""

    async def settle(self, conversation: str, node: Node) -> bool:
        """Replace a node, unless it is the work of another generation by now, or gone: then nothing is written, and it is False."""

    async def cut(self, conversation: str, nodes: Collection[str], shown: str) -> bool:
        """Take these nodes out of a conversation, and show this one. False: it is not there (any more)."""

    async def nodes(self, conversation: str) -> Sequence[Node]:
        """All nodes in the order they were added."""

    async def find(self, node: str) -> str | None:
        """The conversation that a node is in."""

    async def refer(self, conversation: str, hashes: Collection[str]) -> bool:
        """These attached files belong to it until it is deleted, as those of its nodes do by themselves. False: it is not there."""

    async def files(self, conversation: str | None = None) -> set[str]:
        """The hashes of the attached files of one conversation, or of all."""

    async def holds(self, owner: str, hash: str) -> bool | None:
        """Whether a conversation of this person has this file; None: no conversation has."""

    async def search(self, query: str, most: int = 50, owner: str = LOCAL) -> Sequence[Found]:
        """Messages with all words of a query in conversations of `owner`, at most EACH of one: the best first, then the newest."""

    async def preferences(self, person: str) -> Mapping[str, str]:
        """What a person has set, by name."""

    async def prefer(self, person: str, name: str, value: str | None) -> None:
        """None forgets it."""

    async def access(self, kind: str) -> Mapping[str, bytes]:
        """What is kept of one kind of those who may come in, by id (services/people)."""

    async def admit(self, kind: str, id: str, body: bytes | None) -> None:
        """Keep one; None forgets it."""

    async def close(self) -> None: ...
