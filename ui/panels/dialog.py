"""A small form over the page, in the browser's own dialog: it is filled anew each time it opens. It talks to nobody."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from ui.language import say
from ui.panels.fields import button
from ui.theme import text

_SEND = "(e) => { e.preventDefault(); emit(Object.fromEntries(new FormData(e.target.closest('form')))); }"
_CLOSE = "(e) => e.target.closest('dialog').close()"


class Dialog:
    def __init__(self) -> None:
        self._box = ui.element("dialog").classes("hr-dialog")

    def open(
        self, title: str, build: Callable[[], None], send: str, on_send: Callable[[dict[str, Any]], Awaitable[None]], *, bad: bool = False
    ) -> None:
        """`build` makes the fields; `on_send` is given what is in them, by name, and closes it where all is well."""
        self._box.clear()
        self._box.props["aria-label"] = title

        async def sent(event: GenericEventArguments) -> None:
            await on_send(event.args if isinstance(event.args, dict) else {})

        with self._box, ui.element("form").classes("hr-form") as form:
            text("h2", title)
            build()
            with ui.element("div").classes("hr-buttons"):
                ui.element("div").classes("hr-grow")
                button(say("Cancel")).on("click", js_handler=_CLOSE)
                button(send, strong=not bad, bad=bad).props('type="submit"')
            form.on("submit", sent, js_handler=_SEND)
        ui.run_javascript(f"getHtmlElement({self._box.id}).showModal()")

    def close(self) -> None:
        ui.run_javascript(f"getHtmlElement({self._box.id}).close()")
