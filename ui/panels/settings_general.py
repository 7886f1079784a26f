"""What a person likes: the model for new chats, the language, the look, what Enter does. Each holds at once. It talks to nobody."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.wishes import Wishes
from ui.language import LANGUAGES, say
from ui.panels.fields import choice, radios, switch
from ui.theme import text

_VALUE = "(e) => emit(e.target.value)"


class General:
    """`on_wish` with the name of a field of Wishes and its value; `on_model` with the model for new chats, "" for none; `on_titles`."""

    def __init__(
        self,
        *,
        on_wish: Callable[[str, str], Awaitable[None]],
        on_model: Callable[[str], Awaitable[None]],
        on_titles: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._on_wish = on_wish
        self._on_model = on_model
        self._on_titles = on_titles
        self._offered: object = None
        self._model = ui.element("div")
        self._titles = ui.element("div")
        self._likes = ui.element("div")

    def show_models(self, models: Mapping[str, str], chosen: str, fixed: str | None) -> None:
        """`models` by what is chosen; `fixed` is what has the last word on it, if that is not the page."""
        if (models, chosen, fixed) == self._offered:
            return
        self._offered = (models, chosen, fixed)
        self._model.clear()
        with self._model:
            first = {"": say("The first one that answers")}
            gone = {chosen: chosen} if chosen and chosen not in models else {}
            box = choice("model", say("Model for new chats"), {**first, **models, **gone}, chosen)
            box.on("change", self._choose, js_handler=_VALUE)
            if fixed:
                box.props("disabled")
                ui.label(say("Set by the {place}.", place=fixed)).classes("hr-fixed")

    def show_titles(self, on: bool, fixed: str | None) -> None:
        self._titles.clear()
        with self._titles, ui.element("div").classes("hr-switch-line"):
            words = say("Let the model name conversations")
            box = switch(words, on).on("change", self._name, js_handler="(e) => emit(e.target.checked)")
            with ui.element("div"):
                ui.label(words)
                ui.label(say("It is asked for a title after its first answer.")).classes("hr-hint")
                if fixed:
                    box.props("disabled")
                    ui.label(say("Set by the {place}.", place=fixed)).classes("hr-fixed")

    def show(self, wishes: Wishes) -> None:
        self._likes.clear()
        with self._likes:
            languages = {"": say("As the browser")} | {code: language.name for code, language in LANGUAGES.items()}
            choice("language", say("Language"), languages, wishes.language).on("change", partial(self._wish, "language"), js_handler=_VALUE)
            self._radios("look", wishes.look, say("Appearance"), {"system": say("System"), "light": say("Light"), "dark": say("Dark")})
            self._radios("size", wishes.size, say("Text size"), {"small": say("Small"), "medium": say("Normal"), "large": say("Large")})
            self._radios(
                "column", wishes.column, say("Width of the text"), {"narrow": say("Narrow"), "medium": say("Normal"), "wide": say("Wide")}
            )
            breaks = say("{ctrl}+Enter sends", ctrl=say("Ctrl"))
            self._radios("enter", wishes.enter, say("Enter"), {"sends": say("Enter sends"), "breaks": breaks})

    def _radios(self, name: str, chosen: str, label: str, options: Mapping[str, str]) -> None:
        group = radios(name, label, options, chosen)
        group.on("change", partial(self._wish, name), js_handler=_VALUE)

    async def _wish(self, name: str, event: GenericEventArguments) -> None:
        await self._on_wish(name, str(event.args))

    async def _name(self, event: GenericEventArguments) -> None:
        await self._on_titles(bool(event.args))

    async def _choose(self, event: GenericEventArguments) -> None:
        await self._on_model(str(event.args))


def heading(id: str, words: str) -> None:
    """Of a section of the page."""
    text("h2", words).props(f'id="{id}"')
