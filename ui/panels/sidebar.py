"""The list of conversations. It draws what it is shown and says which one is wanted, renamed or deleted."""

import datetime
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import groupby

from nicegui import ui

from services.conversations import Conversation
from ui.language import say
from ui.theme import TOGGLE_SIDEBAR, icon_button


class Sidebar:
    def __init__(
        self,
        *,
        on_new: Callable[[], None],
        on_open: Callable[[str], None],
        on_rename: Callable[[str, str], Awaitable[None]],
        on_delete: Callable[[str], Awaitable[None]],
    ) -> None:
        self._on_open = on_open
        self._on_rename = on_rename
        self._on_delete = on_delete
        self._chosen = ""  # whose options are open
        with ui.element("div").classes("hr-side-head"):
            ui.label("Headrace").classes("hr-brand")
            icon_button("menu_open", say("Close sidebar")).on("click", js_handler=TOGGLE_SIDEBAR)
        new = ui.button(say("New chat"), icon="edit_square", color=None, on_click=on_new)
        new.props('flat no-caps align="left"').classes("hr-new")
        new.props["aria-label"], new.props["title"] = say("New chat"), f"{say('New chat')} (Ctrl+Shift+O)"
        self._list = ui.element("div").classes("hr-chats")
        self._build_options()

    def _build_options(self) -> None:
        """One dialog for all of them: the list may be drawn anew while it is open."""
        with ui.dialog() as self._options, ui.element("div").classes("hr-options"):
            self._title = ui.input(say("Title")).props('outlined dense maxlength="200"').classes("hr-title")
            self._title.on("keydown.enter", self._rename)
            with ui.element("div").classes("hr-tools"):
                ui.button(say("Delete"), color=None, on_click=self._delete).props("flat dense no-caps").classes("hr-delete")
                ui.element("div").classes("hr-grow")
                ui.button(say("Cancel"), color=None, on_click=self._options.close).props("flat dense no-caps")
                ui.button(say("Rename"), color=None, on_click=self._rename).props("flat dense no-caps").classes("hr-ask")

    def _open_options(self, conversation: Conversation) -> None:
        self._chosen = conversation.id
        self._title.set_value(conversation.title)
        self._options.open()

    async def _rename(self) -> None:
        self._options.close()
        await self._on_rename(self._chosen, str(self._title.value or ""))

    async def _delete(self) -> None:
        self._options.close()
        await self._on_delete(self._chosen)

    def show(self, conversations: Sequence[Conversation], current: str | None, answering: Callable[[str], bool]) -> None:
        self._list.clear()
        with self._list:
            for day, group in groupby(conversations, key=lambda conversation: _day(conversation.updated)):
                ui.label(day).classes("hr-day")
                for conversation in group:
                    self._line(conversation, conversation.id == current, answering(conversation.id))

    def _line(self, conversation: Conversation, current: bool, answering: bool) -> None:
        with ui.element("div").classes("hr-chat-line"):
            self._link(conversation, current, answering)
            icon_button("more_horiz", say("Options of {title}", title=conversation.title)).classes("hr-chat-more").on(
                "click", partial(self._open_options, conversation)
            )

    def _link(self, conversation: Conversation, current: bool, answering: bool) -> None:
        link = ui.link(target=f"/c/{conversation.id}").classes("hr-chat").props('aria-current="page"' if current else "")
        link.on(
            "click",
            lambda: self._on_open(conversation.id),
            js_handler="(e) => { if (!e.ctrlKey && !e.metaKey) { e.preventDefault(); emit(); } }",
        )
        with link:
            ui.label(conversation.title).classes("hr-chat-title")
            if answering:
                ui.element("span").classes("hr-spinner").props('role="img"').props["aria-label"] = say("answering")


def _day(moment: float) -> str:
    days = (datetime.date.today() - datetime.date.fromtimestamp(moment)).days
    return say("Today" if days <= 0 else "Yesterday" if days == 1 else "Last 7 days" if days < 7 else "Older")
