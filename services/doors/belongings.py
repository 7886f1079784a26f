"""Whose what is, at the door: somebody else's conversation or file is not there, and nobody is told of it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress

from services.attachments.attachments import Attachments, Given, Limits
from services.attachments.names import file_name
from services.attachments.pdf import Progress, unheard
from services.errors import HeadraceError, Invalid, NotFound
from services.generations.registry import Generations
from services.library.owning import Owners
from services.messages import File
from services.people.people import People
from services.persons import Who
from services.store.store import Store
from services.talks.once import Asked
from services.talks.tree import NOT_HERE
from services.talks.watchers import Watchers

ATTACHED = 10_000  # files of which it is remembered who has attached them


class Belongings:
    """Part of services.chat.Chat, which makes the rooms."""

    _store: Store
    _attachments: Attachments
    _generations: Generations
    _watchers: Watchers
    _owners: Owners
    _people: People
    _who: Who
    _attached: dict[tuple[str, str], None]  # (person, hash) of what may not have been sent yet, the last one last
    _spawn: Callable[[Coroutine[None, None, None]], None]

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed(conversation)` whenever a conversation gets a message, ends an answer, is changed or deleted.

        Returns the function that ends this.
        """
        person = self._who.person

        def tell(conversation: str) -> None:
            owner = self._owners.known(conversation)
            if owner is None:
                self._spawn(ask(conversation))
            elif owner == person:
                changed(conversation)

        async def ask(conversation: str) -> None:
            with suppress(HeadraceError):
                if await self._owners.of(conversation) == person and tell in watching:
                    changed(conversation)

        watching = {tell}
        unwatch = self._watchers.watch(tell)

        def end() -> None:
            watching.clear()
            unwatch()

        return end

    def _own_generation(self, id: str) -> None:
        """Raises NotFound, as for one that is not there, when it is somebody else's."""
        if self._generations.owner(id) not in (self._who.person, None):
            raise NotFound(f"There is no generation {id[:80]!r}.")

    # Attached files

    @property
    def limits(self) -> Limits:
        return self._attachments.limits

    async def attach(self, name: str, body: bytes, progress: Progress = unheard) -> File:
        """Keep a file, which may then be sent by its hash. Raises TooLarge, NotSaved, and Invalid for what no model can be given."""
        file = await self._attachments.take(name, body, progress)
        self._attached[self._who.person, file.hash] = None
        while len(self._attached) > ATTACHED:
            del self._attached[next(iter(self._attached))]
        return file

    async def attachment(self, hash: str) -> tuple[str, bytes]:
        """The media type of a picture, application/octet-stream for all else, and the bytes. Raises NotFound."""
        if not await self._holds(hash):
            raise NotFound("This file is not here any more.")
        return await self._attachments.open(hash)

    async def _holds(self, hash: str) -> bool:
        """It is in a conversation of who asks, or was attached by them; what belongs to nobody is nobody's."""
        person = self._who.person
        if self._people.open or (person, hash) in self._attached:
            return True
        return bool(await self._store.holds(person, hash))

    async def _chosen(self, files: Sequence[Given]) -> tuple[File, ...]:
        for each in files:
            if not await self._holds(each.hash):
                raise NotFound(f"{file_name(each.name)} is not here any more. Attach it again.")
        return await self._attachments.chosen(files)

    # Whose it is

    async def _own(self, conversation: str) -> None:
        """Raises NotFound, as for one that is not there, when it is somebody else's."""
        if await self._owners.of(conversation) not in (self._who.person, None):
            raise NotFound(NOT_HERE)

    async def _asked(self, asking: Awaitable[Asked]) -> Asked:
        """A message's id is the client's own word, and it may be that of a message of somebody else's."""
        asked = await asking
        if await self._owners.of(asked.conversation) not in (self._who.person, None):
            raise Invalid("This id belongs to another message.")
        return asked
