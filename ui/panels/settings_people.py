"""People who may come in: the list of them, and the forms to add one, to give a new password, to take one out. It talks to nobody."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.persons import LOCAL, Person
from ui.language import say
from ui.panels.dialog import SEND, Dialog
from ui.panels.fields import Field, button
from ui.theme import text

Done = Callable[[dict[str, Any]], Awaitable[None]]  # with what is in the fields of a form, by name


class Doings(NamedTuple):
    """Each raises ValueError with a sentence."""

    add: Callable[[str, str, bool], Awaitable[None]]  # name, password, admin
    set_password: Callable[[str, str], Awaitable[None]]
    set_admin: Callable[[str, bool], Awaitable[None]]
    remove: Callable[[str, bool], Awaitable[None]]  # and whether to erase what is theirs
    let_in: Callable[[str], Awaitable[None]]  # somebody who was removed
    erase: Callable[[str], Awaitable[None]]


class Password:
    """One's own. `on_change` is given the one that holds and the new one, and raises ValueError with a sentence."""

    def __init__(self, on_change: Callable[[str, str], Awaitable[None]]) -> None:
        self._on_change = on_change
        with ui.element("form").classes("hr-own-password").props('autocomplete="off"') as form:
            self._now = Field("now", say("The password that you have now"))
            self._now.box.props('type="password" required').props["autocomplete"] = "current-password"
            _password(say("New password"))
            button(say("Change it"), strong=True).props('type="submit"')
        form.on("submit", self._change, js_handler=SEND)

    async def _change(self, event: GenericEventArguments) -> None:
        typed = event.args if isinstance(event.args, dict) else {}
        self._now.set_error("")
        try:
            await self._on_change(str(typed.get("now") or ""), str(typed.get("password") or ""))
        except ValueError as exc:
            self._now.set_error(str(exc))
            return
        ui.run_javascript("document.querySelector('.hr-own-password').reset()")


class People:
    """`passwords`: people come in by one, and so are made here."""

    def __init__(self, doings: Doings, *, passwords: bool) -> None:
        self._doings = doings
        self._passwords = passwords
        self._first: Field | None = None  # of the form that is open
        self._list = ui.element("ul").classes("hr-server-list")
        self._dialog = Dialog()
        if passwords:
            button(say("Add a person…"), strong=True).on("click", self._add)

    def show(self, people: Sequence[Person], removed: Sequence[Person], me: str) -> None:
        self._list.clear()
        with self._list:
            for person in people:
                self._line(person, me)
            for person in removed:
                self._removed_line(person)

    def _line(self, person: Person, me: str) -> None:
        with ui.element("li").classes("hr-server"), ui.element("div").classes("hr-server-head"):
            text("h3", person.name)
            about = [say("admin") if person.admin else "", say("you") if person.id == me else ""]
            text("span", " · ".join(each for each in about if each)).classes("hr-server-state")
            ui.element("div").classes("hr-grow")
            if person.id == LOCAL:
                return
            if self._passwords:
                self._button(say("New password"), say("New password for {name}", name=person.name), partial(self._renew, person))
                role = say("No admin any more") if person.admin else say("Make admin")
                self._button(role, f"{role}: {person.name}", partial(self._set_admin, person))
            self._button(say("Remove"), say("Remove {name}", name=person.name), partial(self._remove, person))

    def _removed_line(self, person: Person) -> None:
        with ui.element("li").classes("hr-server"), ui.element("div").classes("hr-server-head"):
            text("h3", person.name)
            text("span", say("removed")).classes("hr-server-state")
            ui.element("div").classes("hr-grow")
            self._button(say("Let in again"), say("Let {name} in again", name=person.name), partial(self._let_in, person))
            self._button(say("Delete their data"), say("Delete what is {name}'s", name=person.name), partial(self._erase, person))

    @staticmethod
    def _button(words: str, name: str, pressed: Callable[[], object]) -> None:
        made = button(words).classes("hr-button-small").on("click", pressed)
        made.props["aria-label"] = name

    def _add(self) -> None:
        with self._form(say("Add a person"), say("Add"), self._added):
            self._first = name = Field("name", say("Name"))
            name.box.props('required maxlength="80"')
            _password(say("Password"))
            with ui.element("label").classes("hr-check"):
                ui.element("input").props('type="checkbox" name="admin" value="yes"')
                text("span", say("Admin: may change model servers and people"))

    async def _added(self, typed: dict[str, Any]) -> None:
        await self._doings.add(str(typed.get("name") or ""), str(typed.get("password") or ""), bool(typed.get("admin")))

    def _renew(self, person: Person) -> None:
        async def renewed(typed: dict[str, Any]) -> None:
            await self._doings.set_password(person.id, str(typed.get("password") or ""))

        with self._form(say("New password for {name}", name=person.name), say("Save"), renewed):
            self._first = _password(say("Password"))

    def _remove(self, person: Person) -> None:
        async def removed(typed: dict[str, Any]) -> None:
            await self._doings.remove(person.id, bool(typed.get("erase")))

        with self._form(say("Remove {name}", name=person.name), say("Remove"), removed, bad=True):
            ui.label(say("They are logged out at once, their keys are revoked, and only an admin can let them in again."))
            with ui.element("label").classes("hr-check"):
                ui.element("input").props('type="checkbox" name="erase" value="yes"')
                text("span", say("Delete their conversations, files, replies, recordings and presets, too, for good"))

    def _let_in(self, person: Person) -> None:
        async def let_in(typed: dict[str, Any]) -> None:
            await self._doings.let_in(person.id)

        with self._form(say("Let {name} in again", name=person.name), say("Let in"), let_in):
            ui.label(say("They have what is still here of theirs, but none of their keys."))

    def _erase(self, person: Person) -> None:
        async def erased(typed: dict[str, Any]) -> None:
            await self._doings.erase(person.id)

        with self._form(say("Delete what is {name}'s", name=person.name), say("Delete for good"), erased, bad=True):
            ui.label(say("Their conversations, files, replies, recordings and presets are deleted for good."))

    async def _set_admin(self, person: Person) -> None:
        try:
            await self._doings.set_admin(person.id, not person.admin)
        except ValueError as exc:
            with self._list.client:
                ui.notify(str(exc), type="warning", position="top")

    def _form(self, title: str, does: str, done: Done, *, bad: bool = False) -> AbstractContextManager[None]:
        """To be filled, and to be done. What is refused is said at its first field, or at its end where it has none."""
        self._first = None

        async def sent(typed: dict[str, Any]) -> None:
            try:
                await done(typed)
            except ValueError as exc:
                self._first.set_error(str(exc)) if self._first else self._dialog.refuse(str(exc))
                return
            self._dialog.close()

        return self._dialog.open(title, does, sent, bad=bad)


def _password(label: str) -> Field:
    field = Field("password", label, hint=say("At least 8 characters. It is kept as a hash only."))
    field.box.props('type="password" required minlength="8"').props["autocomplete"] = "new-password"
    return field
