"""Whose what is: conversations, as a question that is asked often, and imported ones that two people have."""

from collections import OrderedDict
from collections.abc import Collection

import msgspec

from services.conversations import Node
from services.exchange.importing import Imported
from services.exchange.loose import identity
from services.messages import File, Message
from services.store.store import Store

KNOWN = 100_000  # conversations
NOWHERE = "0" * 64  # the hash of no file


class Owners:
    """An owner never changes, so what was once read holds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, str] = OrderedDict()

    async def of(self, conversation: str) -> str | None:
        """None: there is no such conversation. Raises NotSaved."""
        if conversation not in self._known:
            known = await self._store.get(conversation)
            if known is None:
                return None
            self._known[conversation] = known.owner
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
        return self._known[conversation]

    def note(self, conversation: str, owner: str) -> None:
        """One that was made anew under an id that somebody else's had."""
        self._known[conversation] = owner

    def known(self, conversation: str) -> str | None:
        """The same without asking the store: None, too, where nobody has asked yet."""
        return self._known.get(conversation)


def apart(found: Imported, owner: str) -> Imported:
    """The same with other ids, which are the same whenever this person imports it."""

    def renamed(id: str | None) -> str | None:
        return id and identity(owner, id)

    nodes = tuple(msgspec.structs.replace(node, id=renamed(node.id), parent=renamed(node.parent)) for node in found.nodes)
    known = found.conversation
    return found._replace(conversation=msgspec.structs.replace(known, id=renamed(known.id), shown=renamed(known.shown)), nodes=nodes)


def without(found: Imported, hashes: Collection[str]) -> Imported:
    """The same, and these files are named in it, but not there."""

    def told(node: Node) -> Node:
        if node.message is None:
            return node
        parts = tuple(
            msgspec.structs.replace(part, hash=NOWHERE) if isinstance(part, File) and part.hash in hashes else part
            for part in node.message.parts
        )
        return msgspec.structs.replace(node, message=Message(node.message.role, parts))

    return found._replace(nodes=tuple(map(told, found.nodes)))
