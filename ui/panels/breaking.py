"""A conversation that is broken on purpose: which fault, in the drawer, and a chip beside the composer while it is on. It knows no chat."""

import json
from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from ui.language import say
from ui.theme import text

CHOOSE = "(e) => emit(e.target.value)"


class Breaking:
    """`faults` by name, with what each does; `on_fault("")` ends it."""

    def __init__(self, faults: Mapping[str, str], *, on_fault: Callable[[str], Awaitable[None]]) -> None:
        self._faults = faults
        self._on_fault = on_fault
        with ui.element("div").classes("hr-knob hr-knob-wide hr-breaking") as self._box:
            label = text("label", say("Break this conversation's stream on purpose"))
            self._select = ui.element("select")
            label.props["for"] = self._select.html_id
            with self._select:
                for value, words in [("", say("No")), *((name, name) for name in faults)]:
                    TextElement(tag="option", text=words).props["value"] = value
            self._select.on("change", self._choose, js_handler=CHOOSE)
            self._note = ui.label("").classes("hr-knob-note").props('role="status" lang="en"')
            self._select.props["aria-describedby"] = self._note.html_id

    def build_chip(self) -> None:
        with ui.element("button").props('type="button"').classes("hr-fault") as self._chip:
            text("span", say("Stop breaking the stream:")).classes("hr-unseen")
            self._name = text("code", "")
        self._chip.on("click", self._end)
        self._chip.set_visibility(False)

    def show(self, fault: str, breakable: bool) -> None:
        """`breakable`: the model that is chosen can be broken at all."""
        self._box.set_visibility(breakable)
        self._note.set_text(self._faults.get(fault, fault) or say("Of the built-in model, to see what the page makes of it."))
        self._chip.set_visibility(breakable and bool(fault))
        self._name.text = fault
        ui.run_javascript(
            f"const box = document.getElementById({json.dumps(self._select.html_id)}); if (box) box.value = {json.dumps(fault)};"
        )

    async def _choose(self, event: GenericEventArguments) -> None:
        fault = str(event.args)
        if not fault or fault in self._faults:
            await self._on_fault(fault)

    async def _end(self) -> None:
        await self._on_fault("")
