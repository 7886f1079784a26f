"""Where everything is kept, and the way to delete it all. It talks to nobody."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui

from services.models import Place
from ui.language import phrase, say, say_number
from ui.panels.dialog import Dialog
from ui.panels.fields import Field, button
from ui.theme import text

KINDS = {
    "conversations": phrase("Conversations"),
    "replies": phrase("Recent replies"),
    "files": phrase("Attached files"),
    "recordings": phrase("Recordings"),
    "settings": phrase("Settings of this page"),
}
WORD = phrase("delete")


class Data:
    """`build_moves` puts import and export where it is called."""

    def __init__(self, *, build_moves: Callable[[], None], on_delete: Callable[[], Awaitable[None]]) -> None:
        self._on_delete = on_delete
        self._places = ui.element("dl").classes("hr-places")
        build_moves()
        self._dialog = Dialog()
        self._buttons = ui.element("div").classes("hr-buttons hr-buttons-left")
        with self._buttons:
            button(say("Delete all conversations…"), bad=True).on("click", self._ask)

    def show(self, places: Sequence[Place]) -> None:
        self._places.clear()
        with self._places:
            for place in places:
                with ui.element("div"):
                    text("dt", say(KINDS[place.what]))
                    text("dd", place.where).classes("hr-path")
                    text("dd", "" if place.bytes is None else _size(place.bytes)).classes("hr-size")

    def _ask(self) -> None:
        with self._dialog.open(say("Delete all conversations"), say("Delete everything"), self._delete, bad=True):
            ui.label(
                say("All conversations, the files in them and all presets are deleted for good, from every device. This cannot be undone.")
            )
            stays = say("What stays: recordings, API keys, model servers and their keys, and how you like this page.")
            ui.label(stays).classes("hr-hint").style("margin-bottom: 12px")
            self._word = Field("word", say("Type “{word}” to go on", word=say(WORD)))

    async def _delete(self, typed: dict[str, Any]) -> None:
        if str(typed.get("word")).strip().casefold() != say(WORD).casefold():
            self._word.set_error(say("Type “{word}”, or cancel.", word=say(WORD)))
            return
        self._dialog.close()
        await self._on_delete()


def _size(size: int) -> str:
    for unit, bytes in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= bytes:
            return f"{say_number(size / bytes, 1)} {unit}"
    return f"{say_number(size)} B"
