"""The button that keeps a reply as a named recording, and what it asks first. It talks to nobody."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from ui.language import say
from ui.panels.dialog import Dialog
from ui.panels.fields import Field, button
from ui.theme import text


class Keep:
    """`on_keep(name, request)` keeps it, with what was asked or without, and returns what is wrong, if anything is."""

    def __init__(self, suggested: str, on_keep: Callable[[str, bool], Awaitable[str]]) -> None:
        self._suggested = suggested
        self._on_keep = on_keep
        self.button = button(say("Keep as recording")).on("click", self._ask)

    def build_dialog(self) -> None:
        self._dialog = Dialog()

    def _ask(self) -> None:
        with self._dialog.open(say("Keep as recording"), say("Keep"), self._send):
            ui.label(say("What the model server sent, byte for byte and with its times, becomes a file that can be played again."))
            self._name = Field("name", say("Name"), hint=say("Letters, digits and . _ -"), value=self._suggested)
            with ui.element("label").classes("hr-tick"):
                ui.element("input").props('type="checkbox" name="request" ^checked')
                text("span", say("With what was asked"))
            ui.label(say("It never has headers or keys. Only you see it.")).classes("hr-hint")

    async def _send(self, given: dict[str, Any]) -> None:
        name = str(given.get("name", "")).strip()
        problem = await self._on_keep(name, "request" in given)
        self._name.set_error(problem)
        if not problem:
            self._dialog.close()
            ui.notify(say("Kept as {name}.", name=name), position="top")
