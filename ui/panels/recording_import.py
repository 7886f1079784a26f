"""Bringing a recording: a file or a pasted text is looked at, shown with the guess, and kept by a name. It talks to nobody."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from nicegui import events, ui
from nicegui.events import GenericEventArguments

from ui.language import say, say_count, say_number
from ui.panels.dialog import SEND, buttons
from ui.panels.fields import Field, button, choice
from ui.theme import text

PASTED = 900_000  # characters: the page's socket carries no message of more than 1 MB
FILE = 20_000_000  # bytes
_LOOK = f"""(e) => {{ e.preventDefault(); const text = e.target.closest('form').elements.pasted.value;
    emit(text.length > {PASTED} ? {{ long: text.length }} : {{ text }}); }}"""


class Answer(NamedTuple):
    """One that was found. `because` is what told the dialect, `heard` what it says when it is read so."""

    what: str
    dialect: str
    because: str
    reads: int
    bytes: int
    notes: Sequence[str]


class Import:
    """`on_look(bytes, name)` leads to `show` or `refuse`. `on_hear(number, dialect)` tells what it would mean, `on_keep` what is wrong."""

    def __init__(
        self,
        dialects: Sequence[str],
        *,
        on_look: Callable[[bytes, str], Awaitable[None]],
        on_hear: Callable[[int, str], Awaitable[str]],
        on_keep: Callable[[str, int, str], Awaitable[str]],
    ) -> None:
        self._dialects = dialects
        self._on_look, self._on_hear, self._on_keep = on_look, on_hear, on_keep
        self._answers: Sequence[Answer] = ()
        self._number, self._dialect = 0, ""
        self._dialog = ui.element("dialog").classes("hr-dialog hr-import")
        self._dialog.props["aria-label"] = say("Import a recording")
        with self._dialog:
            self._upload = ui.upload(auto_upload=True, max_file_size=FILE, on_upload=self._chosen, on_rejected=self._too_large)
            self._upload.classes("hr-unseen").props["aria-hidden"] = "true"
            self._first = ui.element("div")
            self._second = ui.element("div")

    def open(self) -> None:
        self._second.clear()
        self._first.clear()
        with self._first, ui.element("form").classes("hr-form") as form:
            text("h2", say("Import a recording"))
            ui.label(say("The body of a reply as it was saved (.sse, .ndjson), a HAR of a browser, or a .headrace file."))
            with ui.element("div").classes("hr-buttons hr-import-file"):
                pick = f"() => getElement({self._upload.id}).$refs.qRef.pickFiles()"
                button(say("Choose a file")).on("click", js_handler=pick)
            self._pasted = Field("pasted", say("Or paste it"), "textarea")
            self._pasted.box.props('rows="7" spellcheck="false"').classes("hr-import-text")
            buttons(say("Look"))
            form.on("submit", self._look, js_handler=_LOOK)
        ui.run_javascript(f"getHtmlElement({self._dialog.id}).showModal()")

    async def _look(self, event: GenericEventArguments) -> None:
        given: Mapping[str, Any] = event.args if isinstance(event.args, dict) else {}
        if "long" in given:
            self.refuse(say("This is too long to paste: save it as a file."))
            return
        await self._on_look(str(given.get("text", "")).encode("utf-8", "replace"), "")

    async def _chosen(self, event: events.UploadEventArguments) -> None:
        self._upload.reset()
        await self._on_look(await event.file.read(), event.file.name)

    def _too_large(self) -> None:
        self.refuse(say("A file may have {n} bytes.", n=say_number(FILE)))

    def refuse(self, sentence: str) -> None:
        self._pasted.set_error(sentence)

    def show(self, answers: Sequence[Answer], name: str) -> None:
        """What was found, the first one of them chosen, and a name to keep it by."""
        self._answers, self._number, self._dialect = answers, 0, answers[0].dialect
        self._first.clear()
        self._second.clear()
        with self._second, ui.element("form").classes("hr-form") as form:
            text("h2", say("Import a recording"))
            if len(answers) > 1:
                named = {str(number): _named(one) for number, one in enumerate(answers)}
                which = choice("number", say_count(len(answers), "{n} answer is in it", "{n} answers are in it"), named, "0")
                which.on("change", self._choose, js_handler="(e) => emit(e.target.value)")
            self._told = ui.element("div").classes("hr-import-told")
            self._chosen_dialect = ui.element("div")
            self._says = ui.label("").classes("hr-import-says").props('role="status"')
            self._name = Field("name", say("Name"), hint=say("Letters, digits and . _ -"), value=name)
            buttons(say("Keep"))
            form.on("submit", self._keep, js_handler=SEND)

    async def show_chosen(self) -> None:
        one = self._answers[self._number]
        self._told.clear()
        with self._told:
            size = say("{reads} reads, {bytes} bytes", reads=say_number(one.reads), bytes=say_number(one.bytes))
            ui.label(size)
            if one.because:
                ui.label(say("Guessed: {dialect}, from {because}.", dialect=one.dialect, because=one.because))
            for note in one.notes:
                ui.label(note).classes("hr-hint")
        self._chosen_dialect.clear()
        with self._chosen_dialect:
            options = {"": say("Choose one")} if not one.dialect else {}
            box = choice("dialect", say("Dialect"), {**options, **{each: each for each in self._dialects}}, one.dialect)
            box.on("change", self._set_dialect, js_handler="(e) => emit(e.target.value)")
        await self._hear()

    async def _choose(self, event: GenericEventArguments) -> None:
        given = str(event.args)
        self._number = int(given) if given.isdecimal() and int(given) < len(self._answers) else 0
        self._dialect = self._answers[self._number].dialect
        await self.show_chosen()

    async def _set_dialect(self, event: GenericEventArguments) -> None:
        self._dialect = str(event.args)
        await self._hear()

    async def _hear(self) -> None:
        self._says.set_text(await self._on_hear(self._number, self._dialect) if self._dialect else "")

    async def _keep(self, event: GenericEventArguments) -> None:
        given: Mapping[str, Any] = event.args if isinstance(event.args, dict) else {}
        problem = await self._on_keep(str(given.get("name", "")).strip(), self._number, self._dialect)
        self._name.set_error(problem)
        if not problem:
            ui.run_javascript(f"getHtmlElement({self._dialog.id}).close()")


def _named(one: Answer) -> str:
    return f"{one.what} · {one.dialect or '?'} · {say_number(one.bytes)} B"
