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
        self._lines: dict[str, Line] = {}
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
            for name in self._lines.keys() - {server.name for server, _ in servers}:
                self._lines.pop(name).box.delete()
            for place, (server, listing) in enumerate(servers):
                self._line(place, server, listing)
            ui.run_javascript("refocus('.hr-server-list')")

    def _line(self, place: int, server: Server, listing: Listing | None) -> None:
        line = self._lines.get(server.name)
        if line is None or not line.fits(server):
            if line:
                line.box.delete()
            with self._list:
                line = self._lines[server.name] = Line(server, self._intents, self._try, self._form.open)
        if self._list.default_slot.children.index(line.box) != place:
            line.box.move(target_index=place)
        line.show(server, listing)
        if server.name in self._tried:
            line.tell(self._tried[server.name])

    async def _try(self, name: str) -> None:
        self._tried[name] = None
        self._draw()
        tried = await self._intents.try_out(name, None, None)
        if isinstance(tried, Trial):
            self._tried[name] = tried
        self._draw()

    def _draw(self) -> None:
        self.show(self._shown, next((server.fixed for server, _ in self._shown if server.origin == "variable"), None))


class Line:
    """One server. Its buttons stay while its state comes in: one that is just being pressed must not be another by then."""

    def __init__(
        self,
        server: Server,
        intents: Intents,
        on_try: Callable[[str], Awaitable[None]],
        on_edit: Callable[[Server], None],
    ) -> None:
        self._server = server
        self._kind = _kind(server)
        self._told: object = ...
        name = server.name
        with ui.element("li").classes("hr-server") as self.box:
            with ui.element("div").classes("hr-server-head"):
                ui.element("span").classes("hr-server-dot").props('aria-hidden="true"')
                text("h3", name)
                self._state = text("span", "").classes("hr-server-state")
                ui.element("div").classes("hr-grow")
                self._test = button(say("Test")).classes("hr-button-small").on("click", partial(on_try, name))
                self._test.props["aria-label"] = say("Test {name}", name=name)
                if not server.fixed and server.origin != "builtin":
                    icon_button("edit", say("Edit {name}", name=name)).on("click", lambda: on_edit(self._server))
                if server.origin == "page":
                    icon_button("delete", say("Remove {name}", name=name)).on("click", partial(intents.remove, name))
                if server.origin == "both":
                    reset = say("Reset {name} to settings.toml", name=name)
                    icon_button("undo", reset).on("click", partial(intents.remove, name))
                box = switch(say("Use {name}", name=name), server.enabled)
                box.on("change", self._switched(intents), js_handler="(e) => emit(e.target.checked)")
                if server.fixed:
                    box.props("disabled")
            self._about = ui.label("").classes("hr-hint")
            self._problem = ui.label("").classes("hr-wrong")
            self._trial = ui.element("div")

    def _switched(self, intents: Intents) -> Callable[[GenericEventArguments], Awaitable[None]]:
        async def switched(event: GenericEventArguments) -> None:
            await intents.switch(self._server.name, bool(event.args))

        return switched

    def fits(self, server: Server) -> bool:
        """Whether it has the buttons of this one."""
        return self._kind == _kind(server)

    def show(self, server: Server, listing: Listing | None) -> None:
        self._server = server
        self.box.props(f'data-state="{listing.state if listing else "off"}"')
        self._state.text = _state(server, listing)
        self._test.set_visibility(listing is not None)
        self._about.set_text(_about(server))
        self._problem.set_text(listing.problem if listing and listing.problem else "")
        self._problem.set_visibility(bool(self._problem.text))

    def tell(self, tried: Trial | None) -> None:
        if tried == self._told:
            return
        self._told = tried
        self._trial.clear()
        with self._trial:
            tell(tried)


def _kind(server: Server) -> tuple[object, ...]:
    return server.fixed, server.origin, server.enabled


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
