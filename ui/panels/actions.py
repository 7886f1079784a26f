"""The row of quiet buttons under a message."""

from collections.abc import Callable

from nicegui import ui

from ui.theme import icon_button


def copy_button(text: Callable[[], str]) -> ui.button:
    """Copies what `text` gives at the moment of the click; shows a check for a moment."""
    button = icon_button("content_copy", "Copy")

    def copy() -> None:
        ui.clipboard.write(text())
        button.set_icon("check")
        ui.timer(1.5, lambda: button.set_icon("content_copy"), once=True)

    return button.on("click", copy)
