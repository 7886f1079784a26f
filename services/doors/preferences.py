"""What the door says of what a person likes."""

from services.persons import Who
from services.setup.wishes import Liking
from services.store.store import Store
from services.talks.tastes import Tastes


class Preferences:
    """Part of services.chat.Chat, which makes the rooms."""

    _store: Store
    _who: Who
    _tastes: dict[str, Tastes]  # by person
    _wishes: dict[str, Liking]

    async def tastes(self) -> Tastes:
        """Presets, the model for new chats and the ones used last, to be read and changed."""
        await self._liked.load()
        return self._liked

    @property
    def _liked(self) -> Tastes:
        if self._who.person not in self._tastes:
            self._tastes[self._who.person] = Tastes(self._store, self._who.person)
        return self._tastes[self._who.person]

    @property
    def wishes(self) -> Liking:
        """How the page is liked."""
        if self._who.person not in self._wishes:
            self._wishes[self._who.person] = Liking(self._store, self._who.person)
        return self._wishes[self._who.person]
