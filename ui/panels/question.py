"""What a person asked: plain text in a quiet bubble, newlines kept, very long text collapsed."""

from nicegui import ui

from ui.panels.actions import copy_button

LONG = 1200


class Question:
    def __init__(self, text: str) -> None:
        with ui.element("article").classes("hr-msg hr-user").props('data-role="user"') as self._box:
            bubble = ui.label(text).classes("hr-bubble")
            if len(text) > LONG or text.count("\n") > 18:
                bubble.classes("hr-long").on("click", js_handler="(e) => e.currentTarget.classList.remove('hr-long')")
            with ui.element("div").classes("hr-actions"):
                copy_button(lambda: text)

    def set_last(self, last: bool) -> None:
        pass

    def delete(self) -> None:
        self._box.delete()
