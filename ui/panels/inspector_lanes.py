"""The timeline of the inspector: the list whose rows are asked for by range. It talks to nobody."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ui.language import say

LANES = ("", "upstream", "events", "readers", "stalls")


class Lanes(Element, component=Path(__file__).parent.parent / "static" / "inspect.js"):
    """`on_range(from)` wants rows, `on_pick(at)` one of them closer, `on_find(text, lane)` only those that have this text in this lane."""

    def __init__(
        self,
        *,
        on_range: Callable[[int], Awaitable[None]],
        on_pick: Callable[[int], Awaitable[None]],
        on_find: Callable[[str, str], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._on_range, self._on_pick, self._on_find = on_range, on_pick, on_find
        self._version = 0
        self._props["own"] = f"row-{self.id}-"  # begins the ids of its rows: there may be two lists on a page
        self._props["words"] = _words()
        self._keep(0, ())
        self.on("range", self._range)
        self.on("pick", self._pick)
        self.on("find", self._find)

    def show(self, total: int, since: int, readers: Sequence[str], *, anew: bool = False) -> None:
        """There are so many rows; those from number `since` on are others than before. `anew`: all of them are."""
        self._version += anew
        with self._props.suspend_updates():
            self._keep(total, readers)
        self.run_method("told", {"total": total, "since": since, "version": self._version, "readers": list(readers)})

    def give(self, start: int, rows: Sequence[dict[str, Any]]) -> None:
        self.run_method("rows", {"version": self._version, "from": start, "rows": list(rows)})

    def closer(self, at: int, blocks: Sequence[dict[str, Any]]) -> None:
        self.run_method("closer", {"version": self._version, "at": at, "blocks": list(blocks)})

    def go(self, at: int) -> None:
        """Choose a row and bring it into view."""
        self.run_method("go", at)

    def _keep(self, total: int, readers: Sequence[str]) -> None:
        self._props["start"] = {"total": total, "version": self._version, "readers": list(readers)}

    async def _range(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"version": self._version, "from": int(start)} if start >= 0:
                await self._on_range(start)

    async def _pick(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"version": self._version, "at": int(at)} if at >= 0:
                await self._on_pick(at)

    async def _find(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"text": str(text), "lane": str(lane)} if lane in LANES:
                await self._on_find(text, lane)


def _words() -> dict[str, Any]:
    upstream, events, readers = say("Model server"), say("Events"), say("Clients")
    return {
        "search": say("Search bytes and events"),
        "show": say("Show"),
        "lanes": [
            ["", say("All lanes")],
            ["upstream", upstream],
            ["events", events],
            ["readers", readers],
            ["stalls", say("After a stall")],
        ],
        "closerLanes": [["upstream", upstream], ["events", events], ["readers", readers]],
        "count": say("Rows: {n}", n="{n}"),
        "timeline": say("Timeline"),
        "time": say("Time"),
        "upstream": upstream,
        "events": events,
        "nobody": say("No client reads it"),
        "closer": say("The row that is chosen"),
        "form": say("How bytes are shown"),
        "text": say("Text"),
        "hex": say("Hex"),
        "copy": say("Copy"),
        "close": say("Close"),
    }
