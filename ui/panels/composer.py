"""Where a person writes. It knows no conversation: what is written goes to `on_send`, a press on stop to `on_stop`."""

import json
from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

# Enter sends, Shift+Enter breaks the line, and Enter that ends an IME composition (keyCode 229 in Safari) does neither.
# While a reply runs nothing is sent, and nothing that was written is lost.
_KEYDOWN = """(e) => {
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing || e.keyCode === 229) return;
    e.preventDefault();
    const text = e.target.value;
    if (!text.trim() || e.target.closest('.hr-composer').classList.contains('hr-running')) return;
    e.target.value = '';
    e.target.dispatchEvent(new Event('input'));
    emit(text);
}"""
_GROW = "(e) => { const s = e.target.style; s.height = 'auto'; s.height = e.target.scrollHeight + 'px'; }"
_SEND = """(e) => {
    const box = e.currentTarget.closest('.hr-composer').querySelector('textarea');
    box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', cancelable: true}));
    box.focus();
}"""


class Composer:
    def __init__(
        self,
        *,
        on_send: Callable[[str], Awaitable[None]],
        on_stop: Callable[[], Awaitable[None]],
        on_model: Callable[[str], Awaitable[None]],
    ) -> None:
        self._on_send = on_send
        self._on_stop = on_stop
        self._on_model = on_model
        self._quiet = False
        with ui.element("div").classes("hr-composer") as self._box:
            self._text = ui.element("textarea").classes("hr-input")
            self._text.props('rows="1" placeholder="Message" aria-label="Message" autofocus enterkeyhint="send" data-gramm="false"')
            self._text.on("keydown", self._send, js_handler=_KEYDOWN).on("input", js_handler=_GROW)
            with ui.element("div").classes("hr-tools"):
                self._picker = ui.select([], on_change=self._pick).classes("hr-model")
                self._picker.props('borderless dense options-dense aria-label="Model" popup-content-class="hr-menu-list"')
                ui.element("div").classes("hr-grow")
                ui.button(icon="arrow_upward", color=None).classes("hr-send").props('round unelevated aria-label="Send" title="Send"').on(
                    "click", js_handler=_SEND
                )
                self._stop_button = ui.button(icon="stop", color=None, on_click=self._stop).classes("hr-stop")
                self._stop_button.props('round unelevated aria-label="Stop" title="Stop (Esc)"')

    @property
    def model(self) -> str:
        return str(self._picker.value or "")

    def offer(self, models: Mapping[str, str], chosen: str) -> None:
        """Fill the picker: full names to labels, and the one that is chosen. Tells nobody."""
        if chosen not in models:
            models = {**models, chosen: chosen} if chosen else models
        self._quiet = True
        self._picker.set_options(dict(models), value=chosen or None)
        self._quiet = False

    def set_running(self, running: bool) -> None:
        self._box.classes(add="hr-running") if running else self._box.classes(remove="hr-running")

    def give_back(self, text: str) -> None:
        """Put a text that could not be sent back where it was written, unless something else stands there by now."""
        selector = json.dumps(f"#{self._text.html_id}")
        ui.run_javascript(
            f"const box = document.querySelector({selector});"
            f"if (box && !box.value) {{ box.value = {json.dumps(text)}; box.dispatchEvent(new Event('input')); }}"
        )

    async def _send(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, str):
            await self._on_send(event.args)

    async def _stop(self) -> None:
        await self._on_stop()

    async def _pick(self, event: ValueChangeEventArguments[str | None]) -> None:
        if not self._quiet and event.value:
            await self._on_model(str(event.value))
