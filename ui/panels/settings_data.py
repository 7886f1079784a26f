"""Where everything is kept, and the way to delete it all. It talks to nobody."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.models import Place
from ui.language import phrase, say, say_number
from ui.panels.fields import Field, button
from ui.theme import text

KINDS = {
    "conversations": phrase("Conversations"),
    "replies": phrase("Recent replies"),
    "files": phrase("Attached files"),
    "settings": phrase("Settings of this page"),
}
WORD = phrase("delete")
_DELETE = "(e) => { e.preventDefault(); emit(Object.fromEntries(new FormData(e.target.closest('form')))); }"
_CLOSE = "(e) => e.target.closest('dialog').close()"


class Data:
    """`build_moves` puts import and export where it is called."""

    def __init__(self, *, build_moves: Callable[[], None], on_delete: Callable[[], Awaitable[None]]) -> None:
        self._on_delete = on_delete
        self._places = ui.element("dl").classes("hr-places")
        build_moves()
        self._dialog = ui.element("dialog").classes("hr-dialog")
        self._dialog.props["aria-label"] = say("Delete all conversations")
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
        self._dialog.clear()
        with self._dialog, ui.element("form").classes("hr-form") as form:
            text("h2", say("Delete all conversations"))
            ui.label(
                say("All conversations, the files in them and all presets are deleted for good, from every device. This cannot be undone.")
            )
            ui.label(say("What stays: model servers and their keys, and how you like this page.")).classes("hr-hint").style(
                "margin-bottom: 12px"
            )
            self._word = Field("word", say("Type “{word}” to go on", word=say(WORD)))
            with ui.element("div").classes("hr-buttons"):
                ui.element("div").classes("hr-grow")
                button(say("Cancel")).on("click", js_handler=_CLOSE)
                button(say("Delete everything"), bad=True).props('type="submit"')
            form.on("submit", self._delete, js_handler=_DELETE)
        ui.run_javascript(f"getHtmlElement({self._dialog.id}).showModal()")

    async def _delete(self, event: GenericEventArguments) -> None:
        typed = event.args.get("word") if isinstance(event.args, dict) else ""
        if str(typed).strip().casefold() != say(WORD).casefold():
            self._word.set_error(say("Type “{word}”, or cancel.", word=say(WORD)))
            return
        ui.run_javascript(f"getHtmlElement({self._dialog.id}).close()")
        await self._on_delete()


def _size(size: int) -> str:
    for unit, bytes in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= bytes:
            return f"{say_number(size / bytes, 1)} {unit}"
    return f"{say_number(size)} B"
