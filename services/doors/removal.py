"""What the door says of people who are taken out: what is theirs stays for when they are let in again, or is erased."""

from services.doors.belongings import Belongings
from services.doors.preferences import Preferences
from services.library.erasing import Erasing


class Removal(Belongings, Preferences):
    """Part of services.chat.Chat, which makes the rooms. For admins: others get Forbidden."""

    _erasing: Erasing

    async def remove_person(self, id: str, *, erase: bool) -> None:
        """They are out at once; with `erase`, what is theirs is deleted, too. Raises NotFound, Invalid for the first person, NotSaved."""
        await self._people.remove(self._who, id)
        if erase:
            await self.erase_person(id)

    async def erase_person(self, id: str) -> None:
        """All that is of somebody who was removed. Raises NotFound, and NotSaved: then some of it is still there."""
        self._people.gone(self._who, id)
        others = {hash for person, hash in self._attached if person != id}
        await self._erasing.erase(id, {hash for person, hash in self._attached if person == id} - others)
        for person, hash in list(self._attached):
            if person == id:
                del self._attached[person, hash]
        self._tastes.pop(id, None)
        self._wishes.pop(id, None)
        await self._people.forget(self._who, id)
