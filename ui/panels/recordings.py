"""Recordings as a list: play, download, rename, delete. It talks to nobody."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol

from nicegui import ui
from nicegui.events import GenericEventArguments

from ui.language import phrase, say, say_number
from ui.panels.dialog import Dialog
from ui.panels.fields import Field, button
from ui.panels.inspector_rows import time
from ui.theme import icon_button, text

PACES = {
    "": phrase("with its own timing"),
    "@10x": phrase("ten times as fast"),
    "@instant": phrase("at once"),
    "@step": phrase("step by step"),
}
MODEL = "rehearsal/replay:"


class Known(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def dialect(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def reads(self) -> int: ...
    @property
    def ms(self) -> float: ...
    @property
    def timed(self) -> bool: ...
    @property
    def question(self) -> str: ...
    @property
    def problem(self) -> str | None: ...


class Recordings:
    """`on_play(name, model)` begins a chat; `on_rename(name, to)` and `on_delete(name)` return what is wrong, if anything is."""

    def __init__(
        self,
        *,
        on_play: Callable[[str, str], Awaitable[None]],
        on_rename: Callable[[str, str], Awaitable[str]],
        on_delete: Callable[[str], Awaitable[str]],
        on_import: Callable[[], None],
    ) -> None:
        self._on_play, self._on_rename, self._on_delete = on_play, on_rename, on_delete
        self._shown: Sequence[Known] | None = None
        self._pace = ""
        with ui.element("section").classes("hr-recordings") as section:
            section.props["aria-label"] = say("Recordings")
            with ui.element("div").classes("hr-recordings-head"):
                text("h2", say("Recordings"))
                ui.element("div").classes("hr-grow")
                with ui.element("div").classes("hr-recordings-pace"):
                    text("span", say("Play")).props('aria-hidden="true"')
                    with ui.element("select").classes("hr-lanes-kind") as box:
                        for value, words in PACES.items():
                            text("option", say(words)).props["^value"] = value
                box.props["aria-label"] = say("Play")
                box.on("change", self._set_pace, js_handler="(e) => emit(e.target.value)")
                button(say("Import…")).on("click", on_import)
            self._nothing = ui.label(
                say("Replies that are kept are here: open one and press “Keep as recording”, or import a file. Each is a model.")
            ).classes("hr-lead")
            with ui.element("table").classes("hr-inspect-list hr-recordings-list") as self._table:
                with ui.element("thead"), ui.element("tr"):
                    for name in (say("Name"), say("Question"), say("Dialect"), say("Length"), say("Reads"), say("Actions")):
                        text("th", name).props('scope="col"')
                self._body = ui.element("tbody")
        self._dialog = Dialog()

    def show(self, recordings: Sequence[Known]) -> None:
        if recordings == self._shown:
            return
        self._shown = recordings
        self._table.set_visibility(bool(recordings))
        self._nothing.set_visibility(not recordings)
        self._body.clear()
        with self._body:
            for one in recordings:
                self._add(one)

    def _add(self, one: Known) -> None:
        with ui.element("tr").props(f'data-recording="{one.name}"'):
            text("td", one.name)
            length = "" if one.problem else time(one.ms) if one.timed else say("no times")
            text("td", one.question[:200] or one.model).classes("hr-recordings-asked")
            kind = text("td", one.problem or (one.dialect if one.status == 200 else f"{one.dialect} · {one.status}"))
            if one.problem:
                kind.classes("hr-wrong")
            text("td", length)
            text("td", "" if one.problem else say_number(one.reads))
            with ui.element("td"), ui.element("div").classes("hr-recordings-does"):
                if not one.problem:
                    icon_button("play_arrow", say("Play {name}", name=one.name)).on("click", partial(self._play, one.name))
                load = icon_button("download", say("Download {name}", name=one.name))
                load.props(f'href="/recordings/{one.name}" download')
                icon_button("edit", say("Rename {name}", name=one.name)).on("click", partial(self._rename, one.name))
                icon_button("delete_outline", say("Delete {name}", name=one.name)).on("click", partial(self._delete, one.name))

    def _set_pace(self, event: GenericEventArguments) -> None:
        self._pace = event.args if event.args in PACES else ""

    async def _play(self, name: str) -> None:
        await self._on_play(name, f"{MODEL}{name}{self._pace}")

    def _rename(self, name: str) -> None:
        async def send(given: dict[str, Any]) -> None:
            problem = await self._on_rename(name, str(given.get("name", "")).strip())
            self._field.set_error(problem)
            if not problem:
                self._dialog.close()

        with self._dialog.open(say("Rename {name}", name=name), say("Rename"), send):
            self._field = Field("name", say("Name"), hint=say("Letters, digits and . _ -"), value=name)

    def _delete(self, name: str) -> None:
        async def send(given: dict[str, Any]) -> None:
            self._dialog.close()
            if problem := await self._on_delete(name):
                ui.notify(problem, type="warning", position="top")

        with self._dialog.open(say("Delete {name}", name=name), say("Delete"), send, bad=True):
            ui.label(say("The file is deleted for good. What was played of it stays."))
