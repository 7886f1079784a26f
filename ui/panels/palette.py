"""The search over all conversations: what is typed is asked for, what is found is shown and can be gone to."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ui.language import say, say_count

LONGEST = 200  # characters of a query


class Result(NamedTuple):
    """`address` is where it leads, NEW to an empty chat. Texts are in pieces, of which every second one is what was looked for."""

    address: str
    title: Sequence[str]
    when: str
    text: Sequence[str]


NEW = "new"


class Palette(Element, component=Path(__file__).parent.parent / "static" / "palette.js"):
    """`on_look(query)` gives the results; an empty query asks for what to offer. The window's event `hr-search` opens it."""

    def __init__(self, *, on_look: Callable[[str], Awaitable[Sequence[Result]]]) -> None:
        super().__init__()
        self._on_look = on_look
        self._last = 0
        self._props["words"] = {"name": say("Search conversations"), "results": say("Results"), "close": say("Close")}
        self.on("look", self._look)

    async def _look(self, event: GenericEventArguments) -> None:
        match event.args:
            case {"number": int(number), "query": str(query)}:
                self._last = number
                results = await self._on_look(query[:LONGEST])
                if number == self._last:  # who has typed on meanwhile is waiting for something else
                    self.run_method("answer", number, [tuple(result) for result in results], _status(query, len(results)))


def _status(query: str, results: int) -> str:
    if not query.strip():
        return ""
    return say_count(results, "{n} result", "{n} results") if results else say("Nothing was found.")


def pieces(snippet: Sequence[tuple[str, bool]]) -> list[str]:
    """Plain, marked, plain, marked and so on, from pieces in any order."""
    told = [""]
    for piece, marked in snippet:
        if marked == (len(told) % 2 == 0):
            told[-1] += piece
        else:
            told.append(piece)
    return told
