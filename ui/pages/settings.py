"""The settings page, at `/settings`: model servers, what a person likes, keys, data. What is changed holds at once.

A mistake is told where it was made: the settings' own sentence stands at its field.
"""

from collections.abc import Awaitable, Mapping
from typing import Any

from nicegui import background_tasks, ui

from services.chat import Chat
from services.errors import HeadraceError, Rejected
from services.models import Listing, Trial
from ui.language import say
from ui.pages.access import Access
from ui.pages.asking import Mine
from ui.pages.docs import documents
from ui.pages.moves import Moves
from ui.panels.settings_data import Data
from ui.panels.settings_general import General, heading
from ui.panels.settings_servers import Intents, Servers
from ui.panels.shortcuts import keys, keys_dialog
from ui.theme import change_to, icon_button, notices, put_on, text


def register(mine: Mine) -> None:
    @ui.page("/settings", response_timeout=30)
    async def settings() -> None:
        await SettingsPage(mine()).build()


class SettingsPage:
    """One browser tab."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._client = ui.context.client
        self._gone = False
        self._access = Access(chat)

    async def build(self) -> None:
        self._wishes = await self._chat.wishes.get()
        put_on(self._wishes)
        ui.page_title(say("Settings"))
        with ui.element("div").classes("hr-settings"):
            self._navigation()
            with ui.element("div").classes("hr-settings-main").props('tabindex="-1"'):
                text("h1", say("Settings"))
                await self._build_sections()
                self._about()
        keys_dialog()
        notices()
        self._client.on_delete(self._leave)
        self._unwatch = self._chat.watch_models(self._models_changed)
        self._show_servers()
        self._general.show(self._wishes)
        self._show_titles()
        await self._show_models()
        background_tasks.create(self._show_places(), name="look at the disk")
        background_tasks.create(self._chat.refresh_models(5.0), name="refresh models")

    def _navigation(self) -> None:
        sections = {
            **({"servers": say("Model servers")} if self._chat.who.admin else {}),
            "general": say("General"),
            "keys": say("Keyboard shortcuts"),
            "access": say("API keys"),
            **({"password": say("Your password")} if self._access.has_password else {}),
            **({"people": say("People")} if self._access.sees_people else {}),
            "data": say("Data"),
            "about": say("About"),
        }
        with ui.element("nav").classes("hr-settings-nav") as nav:
            nav.props["aria-label"] = say("Settings")
            with ui.element("div").classes("hr-settings-back"):
                icon_button("arrow_back", say("Back to the chat")).on("click", js_handler="() => goBack()")
                ui.label("Headrace").classes("hr-brand")
            for id, name in sections.items():
                text("a", name).props(f'href="#{id}"')

    async def _build_sections(self) -> None:
        if self._chat.who.admin:
            with self._section("servers", say("Model servers")):
                ui.label(say("Where answers come from. What is set here holds at once, and stays on this computer.")).classes("hr-lead")
                self._servers = Servers(Intents(self._save, self._try_out, self._switch, self._remove))
        with self._section("general", say("General")):
            self._general = General(on_wish=self._wish, on_model=self._choose, on_titles=self._name_conversations)
        with self._section("keys", say("Keyboard shortcuts")):
            ui.label(say("In the chat:")).classes("hr-lead")
            keys(self._wishes.enter)
        with self._section("access", say("API keys")):
            await self._access.build_keys()
        if self._access.has_password:
            with self._section("password", say("Your password")):
                self._access.build_password()
        if self._access.sees_people:
            with self._section("people", say("People")):
                self._access.build_people()
        with self._section("data", say("Data")):
            self._data = Data(build_moves=Moves(self._chat).build, on_delete=self._delete_everything)

    @staticmethod
    def _section(id: str, name: str) -> ui.element:
        with ui.element("section").props(f'aria-labelledby="{id}"') as section:
            heading(id, name)
        return section

    def _about(self) -> None:
        with self._section("about", say("About")):
            ui.label(f"Headrace {self._chat.version}")
            with ui.element("ul").classes("hr-documents"):
                for name, title in documents().items():
                    with ui.element("li"):
                        ui.link(title, f"/help/{name}").props('lang="en"')

    def _leave(self) -> None:
        self._gone = True
        self._unwatch()

    # Model servers

    def _models_changed(self) -> None:
        background_tasks.create(self._catch_up(), name="catch up")

    async def _catch_up(self) -> None:
        if not self._gone:
            with self._client:
                self._show_servers()
                await self._show_models()

    def _show_servers(self) -> None:
        if not self._chat.who.admin:
            return
        servers = self._chat.servers
        self._servers.show([(server, servers.listing(server.name)) for server in servers.list()], servers.fixed)

    async def _save(self, name: str, fields: Mapping[str, Any], key: str | None) -> Mapping[str, str]:
        return await self._change(self._chat.servers.put(name, fields, key))

    async def _switch(self, name: str, enabled: bool) -> None:
        await self._change(self._chat.servers.switch(name, enabled))

    async def _remove(self, name: str) -> None:
        await self._change(self._chat.servers.remove(name))

    async def _change(self, work: Awaitable[None]) -> Mapping[str, str]:
        """What is wrong, by field. Whatever has no field is told at the top."""
        wrong: Mapping[str, str] = {}
        try:
            await work
        except Rejected as exc:
            wrong = _by_name(exc)
        except HeadraceError as exc:
            wrong = {"": exc.message}
        if not wrong:
            background_tasks.create(self._chat.refresh_models(patient=True), name="refresh models")
        with self._client:
            if "" in wrong:
                ui.notify(wrong[""], type="warning", position="top")
            self._show_servers()
        return wrong

    async def _try_out(self, name: str, fields: Mapping[str, Any] | None, key: str | None) -> Trial | Mapping[str, str]:
        try:
            return await self._chat.servers.try_out(name, fields, key)
        except Rejected as exc:
            return _by_name(exc)
        except HeadraceError as exc:
            return Trial(problem=exc.message)

    # What a person likes

    async def _show_models(self) -> None:
        tastes = await self._chat.tastes()
        fixed = self._chat.fixed_by("chat.model")
        models = {name: _label(listing, name) for listing in self._chat.models() for name in _names(listing)}
        presets = {f"preset:{preset.id}": preset.name for preset in tastes.presets}
        self._general.show_models({**presets, **models}, self._chat.default_model if fixed else tastes.default, fixed)

    def _show_titles(self) -> None:
        if not self._chat.who.admin:
            return
        servers = self._chat.servers
        self._general.show_titles(bool(servers.setting("chat.titles")), servers.fixed_by("chat.titles"))

    async def _name_conversations(self, wanted: bool) -> None:
        await self._tell(self._chat.servers.set("chat.titles", wanted))

    async def _choose(self, model: str) -> None:
        await self._tell(self._prefer(model))

    async def _prefer(self, model: str) -> None:
        await (await self._chat.tastes()).prefer(model)

    async def _wish(self, name: str, value: str) -> None:
        if await self._tell(self._chat.wishes.change(name, value)):
            change_to(await self._chat.wishes.get())
            if name == "language":
                ui.run_javascript("location.reload()")

    # Data

    async def _show_places(self) -> None:
        places = await self._chat.places()
        if not self._gone:
            with self._client:
                self._data.show(places)

    async def _delete_everything(self) -> None:
        if await self._tell(self._chat.delete_all()):
            ui.notify(say("All conversations and presets are deleted."), position="top")
        await self._show_places()

    async def _tell(self, work: Awaitable[object]) -> bool:
        try:
            await work
        except HeadraceError as exc:
            with self._client:
                ui.notify(exc.message, type="warning", position="top")
            return False
        return True


def _by_name(rejected: Rejected) -> dict[str, str]:
    return {str(loc[0]): problem for loc, problem in rejected.fields.items()} or {"": rejected.message}


def _names(listing: Listing) -> list[str]:
    return [f"{listing.name}/{model.name}" for model in listing.models]


def _label(listing: Listing, name: str) -> str:
    return f"{name.removeprefix(listing.name + '/')} · {listing.name}"
