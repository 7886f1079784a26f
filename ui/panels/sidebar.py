"""The list of conversations. It draws what it is shown and says which one is wanted."""

import datetime
from collections.abc import Callable, Sequence
from itertools import groupby

from nicegui import ui

from services.conversations import Conversation
from ui.theme import TOGGLE_SIDEBAR, icon_button


class Sidebar:
    def __init__(self, *, on_new: Callable[[], None], on_open: Callable[[str], None]) -> None:
        self._on_open = on_open
        with ui.element("div").classes("hr-side-head"):
            ui.label("Headrace").classes("hr-brand")
            icon_button("menu_open", "Close sidebar").on("click", js_handler=TOGGLE_SIDEBAR)
        new = ui.button("New chat", icon="edit_square", color=None, on_click=on_new)
        new.props('flat no-caps align="left" aria-label="New chat" title="New chat (Ctrl+Shift+O)"').classes("hr-new")
        self._list = ui.element("div").classes("hr-chats")

    def show(self, conversations: Sequence[Conversation], current: str | None, answering: Callable[[str], bool]) -> None:
        self._list.clear()
        with self._list:
            for day, group in groupby(conversations, key=lambda conversation: _day(conversation.updated)):
                ui.label(day).classes("hr-day")
                for conversation in group:
                    self._line(conversation, conversation.id == current, answering(conversation.id))

    def _line(self, conversation: Conversation, current: bool, answering: bool) -> None:
        link = ui.link(target=f"/c/{conversation.id}").classes("hr-chat").props('aria-current="page"' if current else "")
        link.on(
            "click",
            lambda: self._on_open(conversation.id),
            js_handler="(e) => { if (!e.ctrlKey && !e.metaKey) { e.preventDefault(); emit(); } }",
        )
        with link:
            ui.label(conversation.title).classes("hr-chat-title")
            if answering:
                ui.element("span").classes("hr-spinner").props('role="img" aria-label="answering"')


def _day(moment: float) -> str:
    days = (datetime.date.today() - datetime.date.fromtimestamp(moment)).days
    return "Today" if days <= 0 else "Yesterday" if days == 1 else "Last 7 days" if days < 7 else "Older"
