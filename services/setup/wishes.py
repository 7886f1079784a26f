"""How a person likes the page, kept in the store's preferences."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec

from services.errors import HeadraceError, Invalid
from services.persons import LOCAL
from services.store.store import Store
from services.wishes import Wishes, wishes

NAME = "page"


class Liking:
    """Read once; until the store can be read, nothing is wished, nor kept: it would be written over what is there."""

    def __init__(self, store: Store, person: str = LOCAL) -> None:
        self._store = store
        self._person = person
        self._known: Wishes | None = None
        self._changing = asyncio.Lock()  # all of it is kept together: a change is made of what was there before it
        self._watchers: list[Callable[[], None]] = []

    async def get(self) -> Wishes:
        with suppress(HeadraceError):
            return await self._read()
        return Wishes()

    async def _read(self) -> Wishes:
        if self._known is None:
            self._known = wishes((await self._store.preferences(self._person)).get(NAME, ""))
        return self._known

    async def change(self, name: str, value: str) -> Wishes:
        """This one, all else as it is, whoever has changed that. Raises Invalid, and NotSaved."""
        async with self._changing:
            try:
                wanted = msgspec.convert({**msgspec.to_builtins(await self._read()), name: value}, Wishes)
            except msgspec.ValidationError as exc:
                raise Invalid(f"{value[:40]!r} cannot be wished: {exc}.") from exc
            await self._store.prefer(self._person, NAME, msgspec.json.encode(wanted).decode())
            self._known = wanted
        for changed in tuple(self._watchers):
            changed()
        return wanted

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed()` after every change. Returns the function that ends this."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)
