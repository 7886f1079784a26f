"""The messages that wait above the composer, in order, and why they wait when nothing runs. It talks to nobody."""

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from services.waiting import Line, Waiting
from ui.language import phrase, say, say_count
from ui.theme import icon_button

WHY = {
    "stopped": phrase("Not sent, because the answer was stopped."),
    "failed": phrase("Not sent, because the answer failed."),
    "interrupted": phrase("Not sent, because Headrace was ended meanwhile."),
}


class Queued:
    """`on_back` and `on_remove` take the id of a message: to write on at it, or to forget it. `on_go`: send them after all."""

    def __init__(
        self,
        *,
        on_back: Callable[[str], Awaitable[None]],
        on_remove: Callable[[str], Awaitable[None]],
        on_go: Callable[[], Awaitable[None]],
    ) -> None:
        self._on_back = on_back
        self._on_remove = on_remove
        self._on_go = on_go
        self._shown: tuple[Line, bool] = (Line(), False)
        self._box = ui.element("section").classes("hr-queue")
        self._box.props["aria-label"] = say("Messages that wait")
        self._box.set_visibility(False)

    def show(self, line: Line, answering: bool) -> None:
        before, self._shown = self._shown, (line, answering)
        if before == (line, answering) or not (line.waiting or before[0].waiting):
            return
        self._box.clear()
        self._box.set_visibility(bool(line.waiting))
        with self._box:
            if line.waiting and not answering:
                self._held(line.held or "interrupted")
            with ui.element("ol"):
                for each in line.waiting:
                    self._line(each)

    def _held(self, why: str) -> None:
        with ui.element("div").classes("hr-queue-held").props('role="status"'):
            ui.label(say(WHY[why]) if why in WHY else say("Not sent: {reason}", reason=why)).classes("hr-queue-why")
            ui.button(say("Send now"), color=None, on_click=self._on_go).props("flat dense no-caps").classes("hr-queue-go")

    def _line(self, each: Waiting) -> None:
        with ui.element("li").classes("hr-queued"):
            ui.icon("schedule").props('aria-hidden="true"')
            ui.label(each.text or ", ".join(file.name for file in each.files)).classes("hr-queued-text")
            if each.files and each.text:
                ui.label(say_count(len(each.files), "{n} file", "{n} files")).classes("hr-queued-files")
            icon_button("edit", say("Edit waiting message")).classes("hr-queued-edit").on("click", partial(self._on_back, each.id))
            icon_button("close", say("Remove waiting message")).on("click", partial(self._on_remove, each.id))
