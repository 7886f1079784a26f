"""Conversations that are thrown away: hidden at once, and gone for good when the time to bring them back is over.

Until then the store has them, marked; a process that ends meanwhile leaves it to the next one to delete them.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from services.attachments.attachments import Attachments
from services.conversations import Conversation
from services.errors import HeadraceError, NotFound
from services.generations.registry import Generations
from services.persons import LOCAL
from services.store.store import Store
from services.talks.tree import NOT_HERE, Tree
from services.talks.watchers import Watchers

log = logging.getLogger(__name__)

SWEEP = 21_600.0  # seconds between two looks for attached files that nobody refers to
UNDO = 12.0  # seconds to bring one back: the page offers it for 10


class Deletion:
    def __init__(
        self, store: Store, attachments: Attachments, generations: Generations, tree: Tree, watchers: Watchers, undo: float = UNDO
    ) -> None:
        self._store = store
        self._attachments = attachments
        self._generations = generations
        self._tree = tree
        self._watchers = watchers
        self._undo = undo
        self._sweeping: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Task[None]] = {}

    async def discard(self, conversation: str) -> None:
        """Hide it and stop what runs in it. Raises NotFound when it is not there, NotSaved when it stays."""
        if conversation in self._tree.deleted:
            raise NotFound(NOT_HERE)
        self._tree.deleted.add(conversation)
        try:
            if not await self._store.change(conversation, deleted=True):
                raise NotFound(NOT_HERE)
        except HeadraceError:
            self._tree.deleted.discard(conversation)
            raise
        self._waiting[conversation] = asyncio.get_running_loop().create_task(self._wait(conversation))
        self._watchers.tell(conversation)
        await self._stop(conversation)

    async def discard_all(self, owner: str = LOCAL) -> Sequence[str]:
        """All of a person; their ids."""
        gone = []
        for known in await self._store.list():
            if known.owner != owner:
                continue
            try:
                await self.discard(known.id)
                gone.append(known.id)
            except NotFound:
                continue
        return gone

    async def waiting(self, conversation: str) -> Conversation | None:
        """One that can still be brought back."""
        return await self._store.get(conversation) if conversation in self._waiting else None

    async def bring_back(self, conversation: str) -> None:
        """Raises NotFound when the time was over."""
        task = self._waiting.pop(conversation, None)
        if task is None:
            raise NotFound(NOT_HERE)
        task.cancel()
        try:
            if not await self._store.change(conversation, deleted=False):
                raise NotFound(NOT_HERE)
        except HeadraceError:
            self._waiting[conversation] = asyncio.get_running_loop().create_task(self._wait(conversation))
            raise
        self._tree.deleted.discard(conversation)
        self._watchers.tell(conversation)

    async def delete(self, conversation: str) -> None:
        """For good. What runs is stopped, what is on its way to it arrives nowhere, and the logs of its answers go, too."""
        if task := self._waiting.pop(conversation, None):
            task.cancel()
        was_hidden = conversation in self._tree.deleted
        self._tree.deleted.add(conversation)
        try:
            files = await self._store.files(conversation)
            there = await self._store.delete(conversation)
        except HeadraceError:
            if not was_hidden:
                self._tree.deleted.discard(conversation)
            raise
        await self._generations.forget(conversation)
        if files:
            await self._attachments.drop(files, self._store.files)
        self._watchers.tell(conversation)
        if not there:
            raise NotFound(NOT_HERE)

    async def delete_all(self, owner: str = LOCAL) -> None:
        for known in [*await self._store.list(), *await self._store.list(deleted=True)]:
            if known.owner == owner:
                with suppress(NotFound):
                    await self.delete(known.id)

    async def restore(self) -> None:
        """Delete what an earlier process did not come to."""
        try:
            for known in await self._store.list(deleted=True):
                if known.id not in self._tree.deleted:
                    await self.delete(known.id)
        except HeadraceError as exc:
            log.error("what was thrown away earlier is not deleted yet: %s", exc)

    def keep_swept(self) -> None:
        """Drop the attached files that no conversation refers to, now and every few hours. `close` ends it."""
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep())

    async def _sweep(self) -> None:
        while True:
            try:
                await self._attachments.sweep(self._store.files)
            except HeadraceError as exc:
                log.error("attached files that nobody refers to are still there: %s", exc)
            await asyncio.sleep(SWEEP)

    async def close(self) -> None:
        tasks = [*self._waiting.values(), *([self._sweeping] if self._sweeping else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self, conversation: str) -> None:
        await asyncio.sleep(self._undo)
        self._waiting.pop(conversation, None)
        try:
            await self.delete(conversation)
        except HeadraceError as exc:
            log.error("conversation %s is not deleted before the next start: %s", conversation, exc)

    async def _stop(self, conversation: str) -> None:
        for each in self._generations.list():
            if each.conversation == conversation and each.state in ("waiting", "streaming"):
                await self._generations.stop(each.id)
