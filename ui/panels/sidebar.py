"""The list of conversations. It draws what it is shown, and of that only what changed, and says what is wanted of which one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ui.language import say
from ui.theme import TOGGLE_SIDEBAR, icon_button

Line = tuple[str, bool, str, bool, bool, bool]  # title, pinned, folder, archived, answering, unseen
Section = tuple[str, Sequence[str], int]  # a key below or `/` and a folder's name; ids; how many there are in all
ACTS = ("rename", "folder", "pin", "move", "archive", "place", "export", "delete")


class Shown(NamedTuple):
    """`rest` is how many lines are there besides those that are shown."""

    sections: Sequence[Section]
    lines: Mapping[str, Line]
    current: str | None
    rest: int


class Sidebar:
    """`on_act(what, id, value)` for what ACTS names, `folder` with a folder's name as its id, `place` with the key of a section, or
    "dated"; `on_more`: more lines are wanted; `on_fold`: these sections are open. Where it leads, the browser goes by itself.
    """

    def __init__(
        self,
        *,
        on_act: Callable[[str, str, object], Awaitable[None]],
        on_more: Callable[[], Awaitable[None]],
        on_fold: Callable[[set[str]], Awaitable[None]],
    ) -> None:
        with ui.element("div").classes("hr-side-head"):
            ui.label("Headrace").classes("hr-brand")
            icon_button("menu_open", say("Close sidebar")).on("click", js_handler=TOGGLE_SIDEBAR)
        self._new = _wide_button("edit_square", say("New chat"), "Ctrl+Shift+O").classes("hr-new").props('data-to="/"')
        self._new.on("click", js_handler="newChat")
        _wide_button("search", say("Search"), "Ctrl+K").classes("hr-search").on(
            "click", js_handler="() => dispatchEvent(new Event('hr-search'))"
        )
        self.above = ui.element("div").classes("hr-side-above")  # for what is listed besides conversations
        self._lines = Lines(on_act=on_act, on_more=on_more, on_fold=on_fold)

    def lead_to(self, address: str) -> None:
        """Where a new chat begins."""
        self._new.props["data-to"] = address

    def show(self, shown: Shown) -> None:
        self._lines.show(shown)


def _wide_button(icon: str, name: str, keys: str) -> ui.button:
    button = ui.button(name, icon=icon, color=None).props('flat no-caps align="left"').classes("hr-wide")
    button.props["aria-label"], button.props["title"] = name, f"{name} ({keys})"
    return button


class Lines(Element, component=Path(__file__).parent.parent / "static" / "shelf.js"):
    """The props always hold everything, so a page that is built or loaded again shows the truth; `change` only saves work."""

    def __init__(
        self,
        *,
        on_act: Callable[[str, str, object], Awaitable[None]],
        on_more: Callable[[], Awaitable[None]],
        on_fold: Callable[[set[str]], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._on_act = on_act
        self._shown = Shown([], {}, None, 0)
        with self._props.suspend_updates():
            self._props["words"] = _words()
            self._keep()
        self.on("act", self._act)
        self.on("more", on_more)

        async def fold(event: GenericEventArguments) -> None:
            if isinstance(event.args, list):
                await on_fold({str(key) for key in event.args})

        self.on("fold", fold)

    def show(self, shown: Shown) -> None:
        """Sends what is another than before."""
        before, self._shown = self._shown, shown
        if before == shown:
            return
        with self._props.suspend_updates():
            self._keep()
        changed = {id: line for id, line in shown.lines.items() if before.lines.get(id) != line}
        gone = [id for id in before.lines if id not in shown.lines]
        sections = shown.sections if before.sections != shown.sections else None
        self.run_method("change", {"lines": changed, "gone": gone, "sections": sections, "current": shown.current, "rest": shown.rest})

    def _keep(self) -> None:
        sections, lines, current, rest = self._shown
        self._props["start"] = {"sections": sections, "lines": lines, "current": current, "rest": rest}

    async def _act(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"what": str(what), "id": str(id)} if what in ACTS:
                await self._on_act(what, id, event.args.get("value"))


def _words() -> dict[str, str]:
    return {
        "pinned": say("Pinned"),
        "today": say("Today"),
        "yesterday": say("Yesterday"),
        "week": say("Last 7 days"),
        "older": say("Older"),
        "archived": say("Archive"),
        "answering": say("answering"),
        "unseen": say("new answer"),
        "more": say("Show more"),
        "Options": say("Options of {title}", title="{title}"),  # filled in there
        "Title": say("Title"),
        "Rename": say("Rename"),
        "Pin": say("Pin"),
        "Unpin": say("Unpin"),
        "Move to folder": say("Move to folder"),
        "No folder": say("No folder"),
        "New folder": say("New folder"),
        "Folder name": say("Folder name"),
        "Rename folder": say("Rename folder"),
        "Archive": say("Move to archive"),
        "Unarchive": say("Take out of archive"),
        "Export": say("Export"),
        "Delete": say("Delete"),
    }
