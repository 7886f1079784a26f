"""One line at the bottom of the window about something that is done, and the button that undoes it."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import background_tasks, ui

from ui.language import say

SECONDS = 10.0


class Toast:
    """At most one is shown; a later one takes its place."""

    def __init__(self) -> None:
        self._undo: Callable[[], Awaitable[None]] | None = None
        self._shown = 0
        with ui.element("div").classes("hr-toast").props("role=status") as self._box:
            self._text = ui.label().classes("hr-chat-title")
            self._button = ui.button(say("Undo"), color=None, on_click=self._press).props("flat dense no-caps").classes("hr-ask")
        self._button.set_visibility(False)

    def show(self, text: str, undo: Callable[[], Awaitable[None]]) -> None:
        self._undo = undo
        self._shown += 1
        self._text.set_text(text)
        self._button.set_visibility(True)
        self._box.classes(add="hr-shown")
        background_tasks.create(self._wait(self._shown), name="toast")

    def hide(self) -> None:
        self._undo = None
        self._text.set_text("")
        self._button.set_visibility(False)
        self._box.classes(remove="hr-shown")

    async def _wait(self, number: int) -> None:
        await asyncio.sleep(SECONDS)
        if self._shown == number and not self._box.is_deleted:
            with self._box.client:
                self.hide()

    async def _press(self) -> None:
        undo = self._undo
        self.hide()
        if undo is not None:
            await undo()
