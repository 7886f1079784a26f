"""A small form over the page, in the browser's own dialog: it is made anew each time it opens. It talks to nobody."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from ui.language import say
from ui.panels.fields import button
from ui.theme import text

SEND = "(e) => { e.preventDefault(); emit(Object.fromEntries(new FormData(e.target.closest('form')))); }"  # its fields, by name
CLOSE = "(e) => e.target.closest('dialog').close()"

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Dialog:
    def __init__(self) -> None:
        self._box = ui.element("dialog").classes("hr-dialog")

    @contextmanager
    def open(self, title: str, does: str = "", on_send: Send | None = None, *, bad: bool = False) -> Iterator[None]:
        """An empty form, to be filled: `with dialog.open(...): Field(...)`. `does` are the words on the button that sends it.

        `on_send` is given what is in its fields, by their names, and closes it where all is well. Without it there are no buttons.
        """
        self._box.clear()
        self._box.props["aria-label"] = title
        with self._box, ui.element("form").classes("hr-form").props('autocomplete="off"') as form:
            text("h2", title)
            yield
            self._wrong = ui.label().classes("hr-wrong").props('role="alert"')
            if on_send:
                buttons(does, bad=bad)
        if send := on_send:

            async def sent(event: GenericEventArguments) -> None:
                await send(event.args if isinstance(event.args, dict) else {})

            form.on("submit", sent, js_handler=SEND)
        self._box.client.run_javascript(f"{{ const box = getHtmlElement({self._box.id}); if (!box.open) box.showModal(); }}")

    def refuse(self, sentence: str) -> None:
        """What is wrong, where no field is to blame."""
        self._wrong.set_text(sentence)

    def close(self) -> None:
        self._box.client.run_javascript(f"getHtmlElement({self._box.id}).close()")

    def clear(self) -> None:
        """What it has shown is not to stay on the page."""
        self._box.clear()


def buttons(does: str, *, bad: bool = False) -> None:
    """The end of a form in a dialog: the way out, and the way on."""
    with ui.element("div").classes("hr-buttons"):
        ui.element("div").classes("hr-grow")
        button(say("Cancel")).on("click", js_handler=CLOSE)
        button(does, strong=not bad, bad=bad).props('type="submit"')
