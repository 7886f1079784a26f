"""In what order conversations lie: the one list that all pages share, and what people do to it.

The list is read once and then held; of what changes only the one conversation is read again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Unpack

from services.conversations import Changes, Conversation, cleaned
from services.errors import HeadraceError, Invalid, NotFound
from services.persons import LOCAL
from services.store.store import Store
from services.talks.tree import NOT_HERE, Tree
from services.talks.watchers import Watchers

LONGEST = 200  # characters of any title
FOLDER = 60  # characters of a folder's name
MANY = 50  # changes after which the whole list is read


class Order:
    def __init__(self, store: Store, tree: Tree, watchers: Watchers) -> None:
        self._store = store
        self._tree = tree
        self._watchers = watchers
        self._known: dict[str, Conversation] | None = None
        self._listing: tuple[Conversation, ...] = ()
        self._listings: dict[str, tuple[Conversation, ...]] = {}  # by owner
        self._stale: set[str] = set()
        self._reading = asyncio.Lock()  # who comes while it is read waits for what is then the truth
        self._unseen: set[str] = set()
        watchers.watch(self._stale.add)

    async def list(self, owner: str = LOCAL) -> Sequence[Conversation]:
        """Those of a person, the one updated last first; the same object until something has changed."""
        async with self._reading:
            while self._known is None or self._stale:
                await self._read()
        if owner not in self._listings:
            self._listings[owner] = tuple(known for known in self._listing if known.owner == owner)
        return self._listings[owner]

    async def _read(self) -> None:
        stale = set(self._stale)
        self._stale.clear()
        try:
            if self._known is None or len(stale) > MANY:
                self._known = {known.id: known for known in await self._store.list()}
            else:
                for id in stale:
                    known = await self._store.get(id)
                    if known is None or known.deleted:
                        self._known.pop(id, None)
                    else:
                        self._known[id] = known
        except HeadraceError:
            self._stale |= stale
            raise
        there = [known for known in self._known.values() if known.id not in self._tree.deleted]
        self._listing = tuple(sorted(there, key=lambda known: (-known.updated, known.id)))
        self._listings.clear()

    async def rename(self, conversation: str, title: str) -> None:
        await self._change(conversation, title=_line(title, LONGEST, "The title is empty."), named=True)

    async def pin(self, conversation: str, pinned: bool) -> None:
        await self._change(conversation, pinned=pinned)

    async def move(self, conversation: str, folder: str) -> None:
        await self._change(conversation, folder=_line(folder, FOLDER) if folder else "")

    async def rename_folder(self, owner: str, folder: str, name: str) -> None:
        name = _line(name, FOLDER)
        for known in await self.list(owner):
            if folder and known.folder == folder:
                with suppress(NotFound):  # deleted meanwhile
                    await self._change(known.id, folder=name)

    async def archive(self, conversation: str, archived: bool) -> None:
        await self._change(conversation, archived=archived)

    async def _change(self, conversation: str, **changes: Unpack[Changes]) -> None:
        if conversation in self._tree.deleted or not await self._store.change(conversation, **changes):
            raise NotFound(NOT_HERE)
        self._watchers.tell(conversation)

    # Answers that ended while nobody looked

    def ended(self, conversation: str) -> None:
        self._unseen.add(conversation)

    def seen(self, conversation: str) -> None:
        if conversation in self._unseen:
            self._unseen.discard(conversation)
            self._watchers.tell(conversation)

    def is_unseen(self, conversation: str) -> bool:
        return conversation in self._unseen


def _line(text: str, longest: int, otherwise: str = "The name is empty.") -> str:
    line = " ".join(cleaned(text).split())
    if not line:
        raise Invalid(otherwise)
    return line if len(line) <= longest else line[: longest - 1] + "…"
