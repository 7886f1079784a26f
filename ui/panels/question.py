"""What a person asked: plain text in a quiet bubble, newlines kept, very long text collapsed."""

from nicegui import ui

from ui.panels.actions import copy_button

LONG = 1200  # characters
_UNFOLD = """(e) => {
    const folded = e.currentTarget.parentElement.querySelector('.hr-bubble').classList.toggle('hr-long');
    e.currentTarget.setAttribute('aria-expanded', !folded);
    e.currentTarget.querySelector('.block').textContent = folded ? 'Show more' : 'Show less';
}"""


class Question:
    def __init__(self, text: str) -> None:
        with ui.element("article").classes("hr-msg hr-user").props('data-role="user"') as self._box:
            bubble = ui.label(text).classes("hr-bubble")
            if len(text) > LONG or text.count("\n") > 18:
                bubble.classes("hr-long")
                more = ui.button("Show more", color=None).props('flat dense no-caps aria-expanded="false"').classes("hr-more")
                more.on("click", js_handler=_UNFOLD)
            with ui.element("div").classes("hr-actions"):
                copy_button(lambda: text)

    def set_last(self, last: bool) -> None:
        pass

    def delete(self) -> None:
        self._box.delete()
