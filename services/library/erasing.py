"""All that is of a person who was taken out, deleted for good: conversations and their files, replies, recordings, what they like."""

import asyncio
from collections.abc import Collection
from contextlib import suppress

from services.attachments.attachments import Attachments
from services.errors import NotFound
from services.generations.registry import Generations
from services.library.deletion import Deletion
from services.recordings.keeper import Recordings
from services.store.store import Store


class Erasing:
    """`recordings` are those of the local person, by whom all others' are found."""

    def __init__(
        self, store: Store, deletion: Deletion, generations: Generations, attachments: Attachments, recordings: Recordings
    ) -> None:
        self._store = store
        self._deletion = deletion
        self._generations = generations
        self._attachments = attachments
        self._recordings = recordings

    async def erase(self, person: str, attached: Collection[str]) -> None:
        """`attached`: hashes of files that they, and nobody else, may have been about to send.

        Raises NotSaved: then some of it is still there, and to be erased again.
        """
        await self._generations.forget_all(person)
        await self._deletion.delete_all(person)
        self._attachments.unwanted(attached)
        await self._attachments.drop(attached, self._store.files)
        recordings = self._recordings.of(person)
        for name in await asyncio.to_thread(recordings.look):
            with suppress(NotFound):
                await asyncio.to_thread(recordings.drop, name)
        for name in await self._store.preferences(person):
            await self._store.prefer(person, name, None)
