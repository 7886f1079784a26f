"""What a store of conversations must do."""

from collections.abc import Sequence
from typing import Protocol

from services.conversations import Conversation, Node


class Store(Protocol):
    async def create(self, conversation: Conversation) -> None: ...

    async def save(self, conversation: Conversation) -> None:
        """Replace what is known about a conversation, not its messages."""

    async def get(self, id: str) -> Conversation | None: ...

    async def list(self) -> Sequence[Conversation]:
        """All conversations, the one updated last first."""

    async def delete(self, id: str) -> None: ...

    async def put(self, conversation: str, node: Node) -> None:
        """Add a node, or replace the one with its id. A conversation deleted meanwhile is not brought back."""

    async def nodes(self, conversation: str) -> Sequence[Node]:
        """All nodes in the order they were added."""
