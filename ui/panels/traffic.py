"""What programs ask just now, and asked last: a section of the sidebar that leads to the inspector. It talks to nobody."""

from collections.abc import Sequence
from typing import NamedTuple

from nicegui import ui

from ui.language import say
from ui.theme import text

# Folded or not is this browser's own affair.
_FOLDED = "(e) => localStorage.setItem('headrace.traffic', e.target.open ? '' : 'folded')"
_FOLD = "if (localStorage.getItem('headrace.traffic') === 'folded') document.querySelector('.hr-traffic')?.removeAttribute('open');"


class Asked(NamedTuple):
    """One generation: who asks, which model, and whether it still runs."""

    id: str
    client: str
    model: str
    running: bool


class Traffic:
    def __init__(self) -> None:
        self._shown: Sequence[Asked] = ()
        self._lines: dict[str, ui.element] = {}
        self._spinners: dict[str, ui.element] = {}
        with ui.element("details").classes("hr-traffic").props("open").on("toggle", js_handler=_FOLDED) as self._section:
            text("summary", say("API")).classes("hr-day")
            self._list = ui.element("ul")
        self._section.set_visibility(False)
        ui.run_javascript(_FOLD)

    def show(self, asked: Sequence[Asked]) -> None:
        if asked == self._shown:
            return
        self._shown = asked
        self._section.set_visibility(bool(asked))
        there = {each.id for each in asked}
        for id in [id for id in self._lines if id not in there]:
            self._lines.pop(id).delete()
            del self._spinners[id]
        for place, each in enumerate(asked):
            if each.id not in self._lines:
                self._add(each)
                self._lines[each.id].move(target_index=place)
            self._spinners[each.id].set_visibility(each.running)

    def _add(self, asked: Asked) -> None:
        with self._list:
            line = ui.element("li").classes("hr-traffic-line").props(f'data-generation="{asked.id}"')
        with line, ui.element("a").classes("hr-chat").props(f'href="/inspect/{asked.id}"') as link:
            link.props["title"] = say("{client} asks {model}", client=asked.client, model=asked.model)
            text("span", asked.model.partition("/")[2]).classes("hr-chat-title")
            text("span", asked.client).classes("hr-traffic-client")
            spinner = ui.element("span").classes("hr-spinner").props('role="img"')
            spinner.props["aria-label"] = say("answering")
        self._lines[asked.id], self._spinners[asked.id] = line, spinner
