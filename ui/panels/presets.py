"""Presets: a model, a system prompt and parameters under a name. It knows no chat; what is wanted goes to its callbacks."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.manner import Preset
from ui.language import say
from ui.panels.parameters import VALUE, fill, option

# What is written in the name's field, with the press.
NAMED = "(e) => emit(e.currentTarget.closest('.hr-presets').querySelector('input').value)"
ENTER = "(e) => { if (e.key === 'Enter' && !e.isComposing) { e.preventDefault(); emit(e.target.value); } }"


class Presets:
    """`on_save` keeps the present model and manner under a name."""

    def __init__(
        self,
        *,
        on_choose: Callable[[str], Awaitable[None]],
        on_save: Callable[[str], Awaitable[None]],
        on_rename: Callable[[str, str], Awaitable[None]],
        on_delete: Callable[[str], Awaitable[None]],
        on_standard: Callable[[str], Awaitable[None]],
    ) -> None:
        self._on_choose, self._on_save, self._on_rename, self._on_delete = on_choose, on_save, on_rename, on_delete
        self._on_standard = on_standard
        self._chosen = ""
        self._is_standard = False
        self._presets: Sequence[Preset] = ()
        self._named = ""
        with ui.element("div").classes("hr-presets"):
            with ui.element("div").classes("hr-knob hr-knob-wide"):
                label = ui.element("label")
                with label:
                    ui.label(say("Preset"))
                self._select = ui.element("select").on("change", self._choose, js_handler=VALUE)
                label.props["for"] = self._select.html_id
            self._name = ui.element("input").props('type="text" maxlength="80" autocomplete="off"')
            self._name.props["aria-label"] = self._name.props["placeholder"] = say("Name of the preset")
            self._name.on("keydown", self._save, js_handler=ENTER)
            with ui.element("div").classes("hr-tools"):
                self._button(say("Save as preset"), say("Save as preset")).on("click", self._save, js_handler=NAMED)
                self._rename_button = self._button(say("Rename"), say("Rename preset")).on("click", self._rename, js_handler=NAMED)
                self._standard = self._button(say("Set as default"), say("Set as default for new chats")).on("click", self._set_standard)
                self._delete_button = self._button(say("Delete"), say("Delete preset")).on("click", self._delete).classes("hr-delete")

    @staticmethod
    def _button(text: str, name: str) -> ui.button:
        button = ui.button(text, color=None).props("flat dense no-caps")
        button.props["aria-label"] = name
        return button

    def show(self, presets: Sequence[Preset], chosen: str, *, standard: str) -> None:
        """`chosen` and `standard` are ids, or nothing."""
        known = {preset.id: preset for preset in presets}
        self._chosen = chosen if chosen in known else ""
        if presets != self._presets or not self._select.default_slot.children:
            self._presets = presets
            self._select.clear()
            with self._select:
                option("", say("None"))
                for preset in presets:
                    option(preset.id, preset.name)
        for button in (self._rename_button, self._delete_button):
            button.set_visibility(bool(self._chosen))
        self._is_standard = bool(self._chosen) and self._chosen == standard
        self._standard.set_visibility(bool(self._chosen))
        self._standard.set_text(say("No longer the default") if self._is_standard else say("Set as default"))
        words = say("No longer the default for new chats") if self._is_standard else say("Set as default for new chats")
        if self._standard.props.get("aria-label") != words:
            self._standard.props["aria-label"] = words
        fill({self._select.html_id: self._chosen}, forced=True)
        name = known[self._chosen].name if self._chosen else ""
        if name != self._named:  # else what is written there may be the name of the next one
            self._named = name
            fill({self._name.html_id: name}, forced=True)

    async def _choose(self, event: GenericEventArguments) -> None:
        await self._on_choose(str(event.args))

    async def _save(self, event: GenericEventArguments) -> None:
        await self._on_save(str(event.args))

    async def _rename(self, event: GenericEventArguments) -> None:
        await self._on_rename(self._chosen, str(event.args))

    async def _set_standard(self) -> None:
        await self._on_standard("" if self._is_standard else self._chosen)

    async def _delete(self) -> None:
        await self._on_delete(self._chosen)
