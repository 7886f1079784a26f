"""How a person likes the page, kept in the store's preferences."""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from services.errors import HeadraceError
from services.persons import LOCAL
from services.store.store import Store
from services.wishes import Wishes, wishes

NAME = "page"


class Liking:
    """Read once; until the store can be read, nothing is wished."""

    def __init__(self, store: Store, person: str = LOCAL) -> None:
        self._store = store
        self._person = person
        self._known: Wishes | None = None
        self._watchers: list[Callable[[], None]] = []

    async def get(self) -> Wishes:
        if self._known is None:
            with suppress(HeadraceError):
                self._known = wishes((await self._store.preferences(self._person)).get(NAME, ""))
        return self._known or Wishes()

    async def put(self, wanted: Wishes) -> None:
        """Raises NotSaved."""
        await self._store.prefer(self._person, NAME, msgspec.json.encode(wanted).decode())
        self._known = wanted
        for changed in tuple(self._watchers):
            changed()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed()` after every change. Returns the function that ends this."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)
