"""Conversations out to files and in from files: what services.exchange makes of them, and the store. What takes long is done in threads."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import aclosing, suppress

import msgspec

from services.attachments.attachments import Attachments
from services.conversations import Conversation, Node, attached
from services.errors import NotFound, RequestError
from services.exchange.exporting import File, Format, exported
from services.exchange.importing import Imported, Importer, Report, Skipped
from services.exchange.page import Render
from services.library.archives import ZIP, unpacked
from services.library.deletion import Deletion
from services.library.order import Order
from services.library.owning import Owners, apart, without
from services.persons import LOCAL
from services.store.store import Store
from services.talks.endings import Endings
from services.talks.tree import Tree
from services.talks.watchers import Watchers

TAKEN = "It has messages that are here already, in another conversation."


class Moving:
    def __init__(
        self,
        store: Store,
        attachments: Attachments,
        order: Order,
        deletion: Deletion,
        tree: Tree,
        endings: Endings,
        watchers: Watchers,
        owners: Owners,
    ) -> None:
        self._store = store
        self._attachments = attachments
        self._order = order
        self._deletion = deletion
        self._tree = tree
        self._endings = endings
        self._watchers = watchers
        self._owners = owners

    async def export(self, format: Format, conversations: Sequence[str] | None, render: Render | None, owner: str = LOCAL) -> File:
        """All that a person has, or these."""
        ids = [known.id for known in await self._order.list(owner)] if conversations is None else conversations
        talks: list[tuple[Conversation, Sequence[Node]]] = []
        for id in ids:
            try:
                known, nodes = await self._tree.all(id)
            except NotFound:
                if conversations is not None:
                    raise
                continue  # deleted since
            recalled = [await self._endings.recalled(node) for node in nodes]
            talks.append((known, await self._attachments.embedded(recalled) if format == "html" else recalled))
        files = await self._attachments.bodies([attached(nodes) for _, nodes in talks]) if format == "headrace" else {}
        return await asyncio.to_thread(exported, format, talks, render, files)

    async def bring_in(self, pieces: AsyncIterable[bytes], report: Report, progress: Callable[[int], None], owner: str = LOCAL) -> None:
        first, whole = await _begun(pieces)
        if not first.startswith(ZIP):
            await self._bring_in(whole, report, progress, owner)
            return
        async with aclosing(unpacked(whole, progress)) as files:
            async for file in files:
                await self._bring_in(file, report, lambda _: None, owner)

    async def _bring_in(self, pieces: AsyncIterable[bytes], report: Report, progress: Callable[[int], None], owner: str) -> None:
        importer = Importer(time.time())
        async for piece in pieces:
            for found in await asyncio.to_thread(lambda piece: list(importer.feed(piece)), piece):
                await self._take(found, report, owner)
            progress(importer.read)
        for found in await asyncio.to_thread(lambda: list(importer.finish())):
            await self._take(found, report, owner)

    async def _take(self, found: Imported | Skipped, report: Report, owner: str) -> None:
        if isinstance(found, Skipped):
            report.add(found)
            return
        found = await self._theirs(found, owner)
        conversation = found.conversation
        if await self._is_here(conversation.id):
            report.add_known()
        elif found.kind == "headrace" and await self._is_taken(found.nodes):
            report.add(Skipped(found.kind, conversation.title, TAKEN))
        else:
            for body in found.files:
                with suppress(RequestError):  # no longer what it was, or too large for here: its message names it all the same
                    await self._attachments.take("file", body)
            await self._store.create(conversation, found.nodes)
            self._owners.note(conversation.id, owner)
            self._attachments.sent(attached(found.nodes))
            self._tree.deleted.discard(conversation.id)
            report.add(found)
            self._watchers.tell(conversation.id)

    async def _theirs(self, found: Imported, owner: str) -> Imported:
        """Whoever else has the same: nobody learns of it, and nobody is kept from having it, too.

        A file that it only names is none of theirs unless it came with it, or they have it already: a name must not be enough.
        """
        known = await self._store.get(found.conversation.id)
        if (known.owner if known else LOCAL) != owner:
            found = apart(found, owner)
        found = found._replace(conversation=msgspec.structs.replace(found.conversation, owner=owner))
        given = {hashlib.sha256(body).hexdigest() for body in found.files}
        strange = {hash for hash in attached(found.nodes) - given if await self._store.holds(owner, hash) is False}
        return without(found, strange) if strange else found

    async def _is_here(self, conversation: str) -> bool:
        """One that was thrown away and might still be brought back is deleted first: the file has it whole."""
        known = await self._store.get(conversation)
        if known is not None and (known.deleted or conversation in self._tree.deleted):
            await self._deletion.delete(conversation)
            return False
        return known is not None

    async def _is_taken(self, nodes: Sequence[Node]) -> bool:
        """A store knows a message by its id alone, and this file may have been written by anybody."""
        for node in nodes:
            if await self._store.find(node.id) is not None:
                return True
        return False


async def _begun(pieces: AsyncIterable[bytes]) -> tuple[bytes, AsyncGenerator[bytes, None]]:
    """The first piece, and all of them."""
    rest = aiter(pieces)
    first = await anext(rest, b"")

    async def whole() -> AsyncGenerator[bytes, None]:
        yield first
        async for piece in rest:
            yield piece

    return first, whole()
