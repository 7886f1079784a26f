"""The store of throw-away use: conversations end with the process. Rows are packed as in a database, so that both forget the same."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Unpack

import msgspec

from services.conversations import Changes, Conversation, Node, attached, changed, clean, cleaned
from services.persons import LOCAL
from services.store.finding import Found, ranked, sought, text_of
from services.store.rows import packed, unpacked


class Row(NamedTuple):
    parent: str | None
    generation: str | None
    body: bytes


class MemoryStore:
    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}
        self._rows: dict[str, dict[str, Row]] = {}
        self._files: dict[str, set[str]] = {}  # by conversation
        self._preferences: dict[str, dict[str, str]] = {}
        self._access: dict[str, dict[str, bytes]] = {}

    async def create(self, conversation: Conversation, nodes: Sequence[Node] = ()) -> None:
        self._conversations[conversation.id] = clean(conversation)
        self._rows[conversation.id] = {}
        self._put(conversation.id, nodes)

    async def change(self, id: str, nodes: Sequence[Node] = (), **changes: Unpack[Changes]) -> bool:
        if id not in self._conversations:
            return False
        self._conversations[id] = msgspec.structs.replace(self._conversations[id], **changed(changes))
        self._put(id, nodes)
        return True

    async def get(self, id: str) -> Conversation | None:
        return self._conversations.get(id)

    async def list(self, *, deleted: bool = False) -> Sequence[Conversation]:
        found = [conversation for conversation in self._conversations.values() if conversation.deleted is deleted]
        return sorted(found, key=lambda conversation: conversation.updated, reverse=True)

    async def delete(self, id: str) -> bool:
        self._rows.pop(id, None)
        self._files.pop(id, None)
        return self._conversations.pop(id, None) is not None

    async def put(self, conversation: str, node: Node) -> bool:
        if conversation not in self._rows:
            return False
        self._put(conversation, [node])
        return True

    async def settle(self, conversation: str, node: Node) -> bool:
        row = self._rows.get(conversation, {}).get(node.id)
        return row is not None and row.generation == node.generation and await self.put(conversation, node)

    async def cut(self, conversation: str, nodes: Collection[str], shown: str) -> bool:
        for node in nodes:
            self._rows.get(conversation, {}).pop(node, None)
        return await self.change(conversation, shown=shown)

    def _put(self, conversation: str, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self._rows[conversation][node.id] = Row(node.parent, node.generation, packed(node))
        self._files.setdefault(conversation, set()).update(attached(nodes))

    async def nodes(self, conversation: str) -> Sequence[Node]:
        return [unpacked(id, *row) for id, row in self._rows.get(conversation, {}).items()]

    async def find(self, node: str) -> str | None:
        return next((id for id, rows in self._rows.items() if node in rows), None)

    async def refer(self, conversation: str, hashes: Collection[str]) -> bool:
        if conversation in self._rows:
            self._files.setdefault(conversation, set()).update(hashes)
        return conversation in self._rows

    async def files(self, conversation: str | None = None) -> set[str]:
        return set().union(*self._files.values()) if conversation is None else set(self._files.get(conversation, ()))

    async def holds(self, owner: str, hash: str) -> bool | None:
        holders = {self._conversations[id].owner for id, hashes in self._files.items() if hash in hashes}
        return owner in holders if holders else None

    async def search(self, query: str, most: int = 50, owner: str = LOCAL) -> Sequence[Found]:
        mine = [known for known in await self.list() if known.owner == owner]
        found = [(known.id, node) for known in mine for node in reversed(await self.nodes(known.id))]
        return ranked(sought(query), ((conversation, node.id, text_of(node)) for conversation, node in found), most)

    async def preferences(self, person: str) -> Mapping[str, str]:
        return dict(self._preferences.get(person, {}))

    async def prefer(self, person: str, name: str, value: str | None) -> None:
        if value is None:
            self._preferences.get(person, {}).pop(name, None)
        else:
            self._preferences.setdefault(person, {})[name] = cleaned(value)

    async def access(self, kind: str) -> Mapping[str, bytes]:
        return dict(self._access.get(kind, {}))

    async def admit(self, kind: str, id: str, body: bytes | None) -> None:
        if body is None:
            self._access.get(kind, {}).pop(id, None)
        else:
            self._access.setdefault(kind, {})[id] = body

    async def close(self) -> None:
        pass
