"""What a page has to do with who may come in: keys of one's own, and, for admins, people."""

from collections.abc import Awaitable

from nicegui import ui

from services.chat import Chat
from services.errors import HeadraceError
from services.persons import LOCAL
from ui.language import say, say_all
from ui.panels.settings_keys import Keys, Wanted
from ui.panels.settings_people import Doings, Password, People


class Access:
    """Of one page; the two parts are built where they shall stand."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._access = chat.people
        self._who = chat.who

    @property
    def sees_people(self) -> bool:
        return self._who.admin and not self._access.open

    @property
    def has_password(self) -> bool:
        """One that can be changed here: the first person's stands in the settings."""
        return self._access.terms.kind == "password" and self._who.person != LOCAL

    def build_password(self) -> None:
        Password(self._change_password)

    async def _change_password(self, now: str, password: str) -> None:
        try:
            await self._access.change_password(self._who, now, password)
        except HeadraceError as exc:
            raise ValueError(exc.message) from exc
        ui.notify(say("Your password is changed. Wherever else you were logged in, you are not any more."), position="top")

    async def build_keys(self) -> None:
        try:
            await self._access.load()
        except HeadraceError as exc:  # the rest of the page is there all the same
            ui.label(exc.message).classes("hr-wrong")
            return
        lead = [say("For programs that ask in your name, at the addresses of the API.")]
        if self._access.open:
            lead.append(say("There is no login here, so on this computer none is needed."))
        ui.label(say_all(lead)).classes("hr-lead")
        self._keys = Keys(admin=self._who.admin, on_make=self._make, on_revoke=self._revoke)
        self._keys.show(self._access.keys(self._who))

    def build_people(self) -> None:
        ui.label(say("Everybody has conversations, files and keys of their own.")).classes("hr-lead")
        doings = Doings(self._add, self._set_password, self._set_admin, self._remove, self._let_in, self._erase)
        self._people = People(doings, passwords=self._access.terms.kind == "password")
        self._show_people()

    def _show_people(self) -> None:
        self._people.show(self._access.all(self._who), self._access.removed(self._who), self._who.person)

    async def _make(self, wanted: Wanted) -> str:
        """The key itself. Raises ValueError."""
        try:
            _, token = await self._access.make_key(self._who, *wanted)
        except HeadraceError as exc:
            raise ValueError(exc.message) from exc
        self._keys.show(self._access.keys(self._who))
        return token

    async def _revoke(self, key: str) -> None:
        try:
            await self._access.revoke(self._who, key)
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
        self._keys.show(self._access.keys(self._who))

    async def _add(self, name: str, password: str, admin: bool) -> None:
        await self._do(self._access.add(self._who, name, password, admin=admin))

    async def _set_password(self, person: str, password: str) -> None:
        await self._do(self._access.set_password(self._who, person, password))

    async def _set_admin(self, person: str, admin: bool) -> None:
        await self._do(self._access.set_admin(self._who, person, admin))

    async def _remove(self, person: str, erase: bool) -> None:
        await self._do(self._chat.remove_person(person, erase=erase))

    async def _let_in(self, person: str) -> None:
        await self._do(self._access.let_in(self._who, person))

    async def _erase(self, person: str) -> None:
        await self._do(self._chat.erase_person(person))

    async def _do(self, work: Awaitable[object]) -> None:
        """Raises ValueError."""
        try:
            await work
        except HeadraceError as exc:
            raise ValueError(exc.message) from exc
        finally:  # some of it may be done
            self._show_people()
