"""The model servers: what each is and whether it answers, and the form to add or change one. It talks to nobody."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.models import Listing, Server, Trial
from ui.language import phrase, say, say_count
from ui.panels.fields import button, switch
from ui.panels.settings_server import DIALECTS, ServerForm, tell
from ui.theme import icon_button, text

ORIGINS = {
    "file": phrase("from settings.toml"),
    "both": phrase("settings.toml, changed here"),
    "variable": phrase("from the environment"),
    "builtin": phrase("built in"),
    "page": "",
}
STATES = {
    "running": phrase("answers"),
    "not running": phrase("does not run"),
    "refusing": phrase("refuses"),
    "unknown": phrase("not asked yet"),
}


class Intents(NamedTuple):
    """`save` and `try_out` return what is wrong by field; `try_out` of a saved server takes no fields."""

    save: Callable[[str, Mapping[str, Any], str | None], Awaitable[Mapping[str, str]]]
    try_out: Callable[[str, Mapping[str, Any] | None, str | None], Awaitable[Trial | Mapping[str, str]]]
    switch: Callable[[str, bool], Awaitable[None]]
    remove: Callable[[str], Awaitable[None]]


class Servers:
    def __init__(self, intents: Intents) -> None:
        self._intents = intents
        self._shown: Sequence[tuple[Server, Listing | None]] = ()
        self._tried: dict[str, Trial | None] = {}  # None: under way
        self._drawn: object = None
        self._fixed = ui.label("").classes("hr-fixed")
        self._list = ui.element("ul").classes("hr-server-list")
        self._form = ServerForm(on_save=intents.save, on_try=intents.try_out)
        self._add = button(say("Add a server"), strong=True).on("click", partial(self._form.open, None))

    def show(self, servers: Sequence[tuple[Server, Listing | None]], fixed: str | None) -> None:
        """Every server with what it told last, if it is asked; `fixed` is what names them all, if they cannot be changed here."""
        if (servers, self._tried) == self._drawn:
            return
        self._shown, self._drawn = servers, (servers, dict(self._tried))
        with self._list.client:  # what was pressed to come here may be drawn anew, too
            self._fixed.set_text(say("Set by the {place}.", place=fixed) if fixed else "")
            self._fixed.set_visibility(bool(fixed))
            self._add.set_visibility(not fixed)
            self._list.clear()
            with self._list:
                for server, listing in servers:
                    self._line(server, listing)
            ui.run_javascript("refocus('.hr-server-list')")

    def _line(self, server: Server, listing: Listing | None) -> None:
        with ui.element("li").classes("hr-server").props(f'data-state="{listing.state if listing else "off"}"'):
            with ui.element("div").classes("hr-server-head"):
                ui.element("span").classes("hr-server-dot").props('aria-hidden="true"')
                text("h3", server.name)
                text("span", _state(server, listing)).classes("hr-server-state")
                ui.element("div").classes("hr-grow")
                if listing:
                    test = button(say("Test")).classes("hr-button-small").on("click", partial(self._try, server.name))
                    test.props["aria-label"] = say("Test {name}", name=server.name)
                if not server.fixed and server.origin != "builtin":
                    self._button("edit", say("Edit {name}", name=server.name), partial(self._form.open, server))
                if server.origin == "page":
                    self._button("delete", say("Remove {name}", name=server.name), partial(self._intents.remove, server.name))
                if server.origin == "both":
                    reset = say("Reset {name} to settings.toml", name=server.name)
                    self._button("undo", reset, partial(self._intents.remove, server.name))
                box = switch(say("Use {name}", name=server.name), server.enabled)
                box.on("change", partial(self._switch, server.name), js_handler="(e) => emit(e.target.checked)")
                if server.fixed:
                    box.props("disabled")
            ui.label(_about(server)).classes("hr-hint")
            if listing and listing.problem:
                ui.label(listing.problem).classes("hr-wrong")
            if server.name in self._tried:
                tell(self._tried[server.name])

    @staticmethod
    def _button(icon: str, name: str, pressed: Callable[[], Any]) -> None:
        icon_button(icon, name).on("click", pressed)

    async def _switch(self, name: str, event: GenericEventArguments) -> None:
        await self._intents.switch(name, bool(event.args))

    async def _try(self, name: str) -> None:
        self._tried[name] = None
        self._draw()
        tried = await self._intents.try_out(name, None, None)
        if isinstance(tried, Trial):
            self._tried[name] = tried
        self._draw()

    def _draw(self) -> None:
        self.show(self._shown, next((server.fixed for server, _ in self._shown if server.origin == "variable"), None))


def _state(server: Server, listing: Listing | None) -> str:
    if not server.enabled:
        return say("switched off")
    if listing is None:
        return say("left out: this is Headrace itself")
    if listing.models:
        return say_count(len(listing.models), "{n} model", "{n} models")
    return say(STATES[listing.state])


def _about(server: Server) -> str:
    key = "" if not server.key else say("key set") if server.key == "set" else server.key
    parts = [DIALECTS.get(server.dialect, server.dialect) if server.origin != "builtin" else "", server.base_url, key]
    return " · ".join(part for part in [*parts, say(ORIGINS[server.origin]) if ORIGINS[server.origin] else ""] if part)
