"""The keys that the page knows: as a list, and as the dialog that Ctrl+/ opens everywhere. It talks to nobody."""

from collections.abc import Sequence

from nicegui import ui

from ui.island import Island
from ui.language import phrase, say
from ui.theme import icon_button, text

CTRL, SHIFT = phrase("Ctrl"), phrase("Shift")
SEND, BREAK = phrase("Send the message"), phrase("New line")
KEYS: Sequence[tuple[str, Sequence[str]]] = (
    (phrase("Stop the answer"), ("Esc",)),
    (phrase("Edit the last message, in an empty box"), ("↑",)),
    (phrase("Go to the message box"), (SHIFT, "Esc")),
    (phrase("New chat"), (CTRL, SHIFT, "O")),
    (phrase("Search"), (CTRL, "K")),
    (phrase("Show or hide the sidebar"), (CTRL, "B")),
    (phrase("Copy the last answer"), (CTRL, SHIFT, "C")),
    (phrase("Copy its last code block"), (CTRL, SHIFT, ";")),
    (phrase("Show these keys"), (CTRL, "/")),
)
EVERYWHERE = ("New chat", "Show these keys")


def keys(enter: str) -> None:
    """Those of the chat. `enter` is what it does: it `sends`, or `breaks` the line."""
    sends = (("Enter",), (SHIFT, "Enter")) if enter == "sends" else ((CTRL, "Enter"), ("Enter",))
    _list(((SEND, sends[0]), (BREAK, sends[1]), *KEYS))


def _list(listed: Sequence[tuple[str, Sequence[str]]]) -> None:
    with ui.element("dl").classes("hr-key-list"):
        for meaning, combination in listed:
            with ui.element("div"):
                text("dt", say(meaning))
                with ui.element("dd"):
                    for key in combination:
                        text("kbd", say(key) if key in (CTRL, SHIFT) else key).props("data-ctrl" if key == CTRL else "")


def keys_dialog(enter: str | None = None) -> None:
    """One for each page; window.js opens it. Without `enter` the page is not the chat, and knows fewer keys."""
    with Island("dialog").classes("hr-keys") as dialog:
        dialog.props["aria-label"] = say("Keyboard shortcuts")
        with ui.element("div").classes("hr-keys-head"):
            text("h2", say("Keyboard shortcuts"))
            icon_button("close", say("Close")).on("click", js_handler="() => showKeys()")
        if enter is None:
            _list([(meaning, combination) for meaning, combination in KEYS if meaning in EVERYWHERE])
        else:
            keys(enter)
