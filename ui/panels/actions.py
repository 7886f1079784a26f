"""The row under a message: which of its siblings it is, quiet buttons, and figures."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ui.language import phrase, say

Once = Callable[[str], Awaitable[object]]  # called with an id that stays the same when the button is pressed again

# Two presses of one button name the same message, so it is made once.
_NAMED = "(e) => { const button = e.currentTarget; button.dataset.id ??= newId(); emit(button.dataset.id); }"

# In the order of the row: icons of Material's font, and what assistive technology and tests call them.
ACTIONS = {
    "copy": ("content_copy", phrase("Copy")),
    "quote": ("format_quote", phrase("Quote")),
    "edit": ("edit", phrase("Edit")),
    "regenerate": ("refresh", phrase("Regenerate")),
    "another": ("swap_horiz", phrase("Ask another model")),
    "spread": ("view_column", phrase("Side by side")),
    "inspect": ("query_stats", phrase("Inspect")),
    "continue": ("play_arrow", phrase("Continue")),
    "delete": ("delete_outline", phrase("Delete")),
}


class Pressed(NamedTuple):
    """`id`: of what this button makes, the same however often it is pressed. `selected`: what is selected of the message, for `quote`."""

    id: str
    selected: str


Press = Callable[[Pressed], Awaitable[object]]


class Actions(Element, component=Path(__file__).parent.parent / "static" / "actions.js"):
    """`copied` gives the text of the message as Markdown; `do` has what its other buttons do, by their names in ACTIONS."""

    def __init__(self, copied: Callable[[], str], do: Mapping[str, Press], *, on_choose: Callable[[str], Awaitable[None]]) -> None:
        super().__init__()
        self._copied = copied
        self._do = do
        self._on_choose = on_choose
        self._siblings: Sequence[str] = ()
        self._hidden: frozenset[str] = frozenset()
        self._props["actions"] = self._buttons()
        self._props["words"] = {"previous": say("Previous branch"), "next": say("Next branch")}
        self._props["at"] = self._props["of"] = 1
        self._props["figures"] = ""
        self.on("press", self._pressed)
        self.on("step", self._step)

    def _buttons(self) -> list[dict[str, str]]:
        known = [name for name in ACTIONS if (name == "copy" or name in self._do) and name not in self._hidden]
        buttons = [{"name": name, "icon": ACTIONS[name][0], "label": say(ACTIONS[name][1])} for name in known]
        return [button | {"title": say("Copy (with Shift: as plain text)")} if button["name"] == "copy" else button for button in buttons]

    def hide(self, *names: str) -> None:
        """All others are shown."""
        if self._hidden != frozenset(names):
            self._hidden = frozenset(names)
            self._props["actions"] = self._buttons()

    def place(self, siblings: Sequence[str], here: str) -> None:
        """`< 2/3 >`: which of the messages in one place is shown. Not there while there is only one."""
        at, of = (siblings.index(here) + 1, len(siblings)) if len(siblings) > 1 else (1, 1)
        self._siblings = siblings
        if (self._props["at"], self._props["of"]) != (at, of):
            self._props["at"], self._props["of"] = at, of

    def figures(self, text: str) -> None:
        if self._props["figures"] != text:
            self._props["figures"] = text

    async def _pressed(self, event: GenericEventArguments) -> None:
        given = event.args if isinstance(event.args, dict) else {}
        name = str(given.get("name"))
        if name == "copy":
            self.run_method("give", self._copied())
        elif (do := self._do.get(name)) and name not in self._hidden:
            await do(Pressed(str(given.get("id")), str(given.get("selected") or "")))

    async def _step(self, event: GenericEventArguments) -> None:
        to = self._props["at"] - 1 + (1 if event.args == 1 else -1)
        if 0 <= to < len(self._siblings):
            await self._on_choose(self._siblings[to])


def once(button: ui.button, pressed: Once) -> ui.button:
    """Make a button call `pressed` with the id of what it makes."""

    async def press(event: GenericEventArguments) -> None:
        await pressed(str(event.args))

    return button.on("click", press, js_handler=_NAMED)
