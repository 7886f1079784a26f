"""Where a person writes. It knows no conversation: what is written goes to `on_send`, with an id; a press on stop to `on_stop`."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments

from ui.language import say, say_number

MOST = 200_000  # characters; the page's socket carries no message of more than 1 MB

# Enter sends, Shift+Enter breaks the line, and Enter that ends an IME composition (keyCode 229 in Safari) does neither.
# While a reply runs, or nobody is connected, nothing is sent; and what was written stays until the server has taken it. Its id stays
# with it, over a reload and a lost server, too: sent again it is the same message.
_KEYDOWN = """(e) => {
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing || e.keyCode === 229) return;
    e.preventDefault();
    const box = e.target, text = box.value;
    const busy = box.dataset.sent !== undefined || box.closest('.hr-composer').classList.contains('hr-running');
    if (!text.trim() || busy || !window.socket?.connected) return;
    if (text.length > MOST) { emit({long: text.length}); return; }
    const key = 'sent ' + location.pathname, sent = JSON.parse(sessionStorage.getItem(key));
    const id = sent?.text === text ? sent.id : newId();
    sessionStorage.setItem(key, JSON.stringify({text, id}));
    box.dataset.sent = location.pathname;
    setTimeout(() => delete box.dataset.sent, 5000);
    emit({text, id});
}""".replace("MOST", str(MOST))
# The draft outlives a reload; every conversation has its own.
_GROW = """(e) => {
    const box = e.target;
    box.style.height = 'auto';
    box.style.height = box.scrollHeight + 'px';
    sessionStorage.setItem('draft ' + location.pathname, box.value);
}"""
_RESTORE = """
    const box = document.getElementById(ID);
    const draft = sessionStorage.getItem('draft ' + location.pathname);
    if (box && draft && !box.value) { box.value = draft; box.dispatchEvent(new Event('input')); }
"""
_LEFT = "delete document.getElementById(ID).dataset.sent;"
_TAKEN = """
    const box = document.getElementById(ID);
    sessionStorage.removeItem('draft ' + box.dataset.sent);
    sessionStorage.removeItem('sent ' + box.dataset.sent);
    delete box.dataset.sent;
    box.value = '';
    box.dispatchEvent(new Event('input'));
"""
_KNOWN = """
    const box = document.getElementById(ID), key = 'sent ' + location.pathname, sent = JSON.parse(sessionStorage.getItem(key));
    if (sent && IDS.includes(sent.id)) {
        sessionStorage.removeItem(key);
        if (box.value === sent.text) { box.value = ''; box.dispatchEvent(new Event('input')); }
    }
"""
_SEND = """(e) => {
    const box = e.currentTarget.closest('.hr-composer').querySelector('textarea');
    box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', cancelable: true}));
    box.focus();
}"""


class Composer:
    def __init__(
        self,
        *,
        on_send: Callable[[str, str], Awaitable[bool]],
        on_stop: Callable[[], Awaitable[None]],
        on_model: Callable[[str], Awaitable[None]],
    ) -> None:
        self._on_send = on_send
        self._on_stop = on_stop
        self._on_model = on_model
        self._quiet = False
        with ui.element("div").classes("hr-composer") as self._box:
            self._text = ui.element("textarea").classes("hr-input")
            self._text.props('rows="1" autofocus enterkeyhint="send" data-gramm="false"')
            self._text.props["placeholder"] = self._text.props["aria-label"] = say("Message")
            self._text.on("keydown", self._send, js_handler=_KEYDOWN).on("input", js_handler=_GROW)
            with ui.element("div").classes("hr-tools"):
                self._picker = ui.select([], on_change=self._pick).classes("hr-model")
                self._picker.props('borderless dense options-dense popup-content-class="hr-menu-list"')
                self._picker.props["aria-label"] = say("Model")
                ui.element("div").classes("hr-grow")
                send = ui.button(icon="arrow_upward", color=None).classes("hr-send").props("round unelevated").on("click", js_handler=_SEND)
                send.props["aria-label"] = send.props["title"] = say("Send")
                stop = ui.button(icon="stop", color=None, on_click=self._stop).classes("hr-stop").props("round unelevated")
                stop.props["aria-label"], stop.props["title"] = say("Stop"), f"{say('Stop')} (Esc)"

        ui.run_javascript(_RESTORE.replace("ID", json.dumps(self._text.html_id)))

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

    def known(self, ids: Sequence[str]) -> None:
        """These messages are in the conversation: one of them that is still in the box was taken when its server was lost."""
        ui.run_javascript(_KNOWN.replace("IDS", json.dumps(list(ids))).replace("ID", json.dumps(self._text.html_id)))

    def set_running(self, running: bool) -> None:
        self._box.classes(add="hr-running") if running else self._box.classes(remove="hr-running")

    async def _send(self, event: GenericEventArguments) -> None:
        """The text is taken out of the box only once `on_send` has accepted it."""
        sent = event.args if isinstance(event.args, dict) else {}
        if "long" in sent:
            long = say("This message has {n} characters; {most} can be sent.", n=say_number(int(sent["long"])), most=say_number(MOST))
            ui.notify(long, type="warning", position="top")
            return
        accepted = await self._on_send(str(sent.get("text")), str(sent.get("id")))
        ui.run_javascript((_TAKEN if accepted else _LEFT).replace("ID", json.dumps(self._text.html_id)))

    async def _stop(self) -> None:
        await self._on_stop()

    async def _pick(self, event: ValueChangeEventArguments[str | None]) -> None:
        if not self._quiet and event.value:
            await self._on_model(str(event.value))
