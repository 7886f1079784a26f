"""The store of throw-away use: conversations end with the process."""

from collections.abc import Sequence

from services.conversations import Conversation, Node


class MemoryStore:
    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}
        self._nodes: dict[str, dict[str, Node]] = {}

    async def create(self, conversation: Conversation) -> None:
        self._conversations[conversation.id] = conversation
        self._nodes[conversation.id] = {}

    async def save(self, conversation: Conversation) -> None:
        if conversation.id in self._conversations:
            self._conversations[conversation.id] = conversation

    async def get(self, id: str) -> Conversation | None:
        return self._conversations.get(id)

    async def list(self) -> Sequence[Conversation]:
        return sorted(self._conversations.values(), key=lambda conversation: conversation.updated, reverse=True)

    async def delete(self, id: str) -> None:
        self._conversations.pop(id, None)
        self._nodes.pop(id, None)

    async def put(self, conversation: str, node: Node) -> None:
        if conversation in self._nodes:
            self._nodes[conversation][node.id] = node

    async def nodes(self, conversation: str) -> Sequence[Node]:
        return list(self._nodes.get(conversation, {}).values())
