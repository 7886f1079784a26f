"""The row of quiet buttons under a message."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from ui.language import say
from ui.theme import icon_button

Once = Callable[[str], Awaitable[object]]  # called with an id that stays the same when the button is pressed again

# Two presses of one button name the same message, so it is made once.
_NAMED = "(e) => { const button = e.currentTarget; button.dataset.id ??= newId(); emit(button.dataset.id); }"


def copy_button(text: Callable[[], str]) -> ui.button:
    """Copies what `text` gives at the moment of the click; shows a check for a moment."""
    button = icon_button("content_copy", say("Copy"))

    def copy() -> None:
        ui.clipboard.write(text())
        button.set_icon("check")
        ui.timer(1.5, lambda: button.set_icon("content_copy"), once=True)

    return button.on("click", copy)


def once(button: ui.button, pressed: Once) -> ui.button:
    """Make a button call `pressed` with the id of what it makes."""

    async def press(event: GenericEventArguments) -> None:
        await pressed(str(event.args))

    return button.on("click", press, js_handler=_NAMED)


class Switch:
    """`< 2/3 >`: which of the messages in one place is shown. Not there while there is only one."""

    def __init__(self, *, on_choose: Callable[[str], Awaitable[None]]) -> None:
        self._on_choose = on_choose
        self._shown: tuple[Sequence[str], str] = ((), "")
        self._box = ui.element("div").classes("hr-switch")

    def show(self, siblings: Sequence[str], here: str) -> None:
        if self._shown == (siblings, here):
            return
        self._shown = (siblings, here)
        self._box.clear()
        if len(siblings) < 2:
            return
        at = siblings.index(here)
        with self._box:
            self._step("chevron_left", say("Previous branch"), siblings[at - 1] if at else None)
            ui.label(f"{at + 1}/{len(siblings)}")
            self._step("chevron_right", say("Next branch"), siblings[at + 1] if at + 1 < len(siblings) else None)

    def _step(self, icon: str, name: str, to: str | None) -> None:
        button = icon_button(icon, name).on("click", partial(self._on_choose, to or ""))
        button.set_enabled(to is not None)
