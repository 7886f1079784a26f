"""Running and recent replies as a table that keeps itself up to date. It talks to nobody."""

import datetime
from collections.abc import Sequence
from typing import Protocol

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from services.messages import ReplyState
from ui.language import say, say_number
from ui.panels.inspector_rows import time
from ui.panels.inspector_states import STATES
from ui.theme import text


class Known(Protocol):
    """What the list of generations tells of one."""

    @property
    def id(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def created(self) -> int: ...
    @property
    def state(self) -> ReplyState: ...
    @property
    def client(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def ttft_ms(self) -> float | None: ...
    @property
    def ms(self) -> float | None: ...


class Generations:
    def __init__(self) -> None:
        self._lines: dict[str, tuple[ui.element, list[TextElement]]] = {}
        with ui.element("table").classes("hr-inspect-list") as self._table:
            with ui.element("thead"), ui.element("tr"):
                for name in (
                    say("Model"),
                    say("Client"),
                    say("State"),
                    say("First token"),
                    say("Tokens per second"),
                    say("Events"),
                    say("Started"),
                ):
                    text("th", name).props('scope="col"')
            self._body = ui.element("tbody")
        self._nothing = ui.label(say("Nothing yet. Whatever is asked, here or by a program, appears at once.")).classes("hr-lead")

    def show(self, replies: Sequence[Known]) -> None:
        self._table.set_visibility(bool(replies))
        self._nothing.set_visibility(not replies)
        there = {reply.id for reply in replies}
        for id in [id for id in self._lines if id not in there]:
            self._lines.pop(id)[0].delete()
        for place, reply in enumerate(replies):
            if reply.id not in self._lines:
                self._lines[reply.id] = self._add(reply)
                self._lines[reply.id][0].move(target_index=place)
            line, cells = self._lines[reply.id]
            line.props(f'data-state="{reply.state}"')
            for cell, words in zip(cells, _words(reply), strict=True):
                if cell.text != words:
                    cell.text = words

    def _add(self, reply: Known) -> tuple[ui.element, list[TextElement]]:
        with self._body, ui.element("tr").props(f'data-generation="{reply.id}"') as line:
            with ui.element("td"):
                text("a", reply.model).props(f'href="/inspect/{reply.id}"')
            return line, [text("td", "") for _ in range(6)]


def _words(reply: Known) -> tuple[str, ...]:
    rate = "–"
    if reply.ttft_ms is not None and reply.ms is not None and reply.ms > reply.ttft_ms and reply.seq > 10:
        rate = say_number(reply.seq / (reply.ms - reply.ttft_ms) * 1000, 1)
    return (
        reply.client,
        say(STATES[reply.state]),
        "–" if reply.ttft_ms is None else time(reply.ttft_ms),
        rate,
        say_number(reply.seq),
        clock(reply.created),
    )


def clock(created: int) -> str:
    """The time of day of a moment in Unix seconds."""
    return f"{datetime.datetime.fromtimestamp(created):%H:%M:%S}"
