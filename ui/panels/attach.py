"""The files of the message that is being written, as chips above the box. The browser has them (attach.js); they are sent to a route."""

from collections.abc import Callable
from pathlib import Path

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ui.language import say, say_number


class Attach(Element, component=Path(__file__).parent.parent / "static" / "attach.js"):
    """`limits` as the settings have them, by name. `on_refused` is called with a sentence."""

    def __init__(self, limits: dict[str, int], *, on_refused: Callable[[str], None]) -> None:
        super().__init__()
        self._on_refused = on_refused
        self._props["limits"] = limits
        self._props["words"] = {
            "list": say("Attached files"),
            "remove": say("Remove {name}", name="{name}"),
            "pasted": say("Pasted text.txt"),
            "asText": say("Keep as text"),
            "undo": say("A long text is sent as a file; {ctrl}+Z keeps it as text", ctrl=say("Ctrl")),
            "sending": say("Sending…"),
            "reading": say("Reading page {read} of {pages}", read="{read}", pages="{pages}"),
            "pages": say("{pages} pages", pages="{pages}"),
            "latin": say("not UTF-8, read as Latin-1"),
            "drop": say("Drop files to attach them"),
            "many": say("One message can have {n} files.", n=say_number(limits["files"])),
            "large": say("{name} is larger than {limit}, which is the most that can be attached.", name="{name}", limit="{limit}"),
            "lost": say("{name} did not reach the server. Attach it again.", name="{name}"),
        }
        self.on("refused", self._refused)

    def _refused(self, event: GenericEventArguments) -> None:
        self._on_refused(str(event.args)[:500])
