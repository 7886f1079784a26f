"""How a model is asked: the system prompt and the options, in a drawer at the right. It knows no chat.

What is written counts at once, when its field is left; empty means that the server decides. Fields hold what the browser has:
Python fills them, and never takes away what somebody is writing.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec
from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from services.conversations import cleaned
from services.manner import EFFORTS, KNOBS, LONGEST, PLAIN, STOPS, Knob, Manner, parsed, shown, with_option
from ui.island import Island
from ui.language import phrase, say, say_number
from ui.panels.breaking import Breaking
from ui.theme import icon_button

NAMES = {
    "temperature": phrase("Temperature"),
    "top_p": phrase("Top P"),
    "top_k": phrase("Top K"),
    "min_p": phrase("Min P"),
    "max_tokens": phrase("Longest answer"),
    "stop": phrase("Stop at"),
    "seed": phrase("Seed"),
    "presence_penalty": phrase("Presence penalty"),
    "frequency_penalty": phrase("Frequency penalty"),
    "repeat_penalty": phrase("Repeat penalty"),
    "reasoning_effort": phrase("Reasoning effort"),
    "reasoning_budget": phrase("Reasoning budget"),
}
HINTS = {
    "temperature": phrase("0 to 2: low is steady, high is bold"),
    "top_p": phrase("0 to 1: only the likeliest words that make up this much"),
    "top_k": phrase("only so many of the likeliest words"),
    "min_p": phrase("0 to 1: no word less likely than this share of the likeliest"),
    "max_tokens": phrase("in tokens"),
    "stop": phrase("texts that end the answer, one on a line"),
    "seed": phrase("the same number, the same answer, where a server can"),
    "presence_penalty": phrase("−2 to 2: against words that were said"),
    "frequency_penalty": phrase("−2 to 2: against words that were said often"),
    "repeat_penalty": phrase("0 to 10; 1 is none"),
    "reasoning_effort": phrase("how long the model thinks before it answers"),
    "reasoning_budget": phrase("in tokens; 0 is not at all"),
}
EFFORT_NAMES = {
    "none": phrase("None"),
    "minimal": phrase("Minimal"),
    "low": phrase("Low"),
    "medium": phrase("Medium"),
    "high": phrase("High"),
    "xhigh": phrase("Very high"),
    "max": phrase("Most"),
}

# What is written in a field, or on its way to the server, is not taken away by what comes from there meanwhile.
FILL = """for (const [id, [text, heard]] of Object.entries(VALUES)) {
    const box = document.getElementById(id);
    const known = box && box !== document.activeElement && [box.filled ?? "", heard].includes(box.value);
    if (!known && !(box && FORCED)) continue;
    box.value = text;
    box.filled = box.value; // which may break its lines in another way
}"""
CLOSE = "(e) => { const box = e.currentTarget.closest('dialog'); document.activeElement?.blur(); box.close(); }"
OUTSIDE = "(e) => { if (e.target === e.currentTarget) { document.activeElement?.blur(); e.currentTarget.close(); } }"
VALUE = "(e) => emit(e.target.value)"


def fill(values: Mapping[str, str], *, heard: Mapping[str, str] = MappingProxyType({}), forced: bool = False) -> None:
    """Put texts into native fields by their ids, where nobody has written since what was put there or was `heard` of them last;
    `forced`: into each.
    """
    told = {id: (text, heard.get(id)) for id, text in values.items()}
    ui.run_javascript(FILL.replace("FORCED", json.dumps(forced)).replace("VALUES", json.dumps(told)))


class Effort:
    """A small menu for how long the model thinks, beside the picker."""

    def __init__(self, *, on_effort: Callable[[str | None], Awaitable[None]]) -> None:
        self._on_effort = on_effort
        with ui.element("label").classes("hr-effort") as self._box:
            ui.icon("lightbulb").props('aria-hidden="true"')
            self._select = effort_select(say("Reasoning effort"), say("Effort"))
            self._select.on("change", self._choose, js_handler=VALUE)
        self._box.set_visibility(False)

    def show(self, effort: str | None, *, offered: bool) -> None:
        self._box.set_visibility(offered or effort is not None)
        self._box.classes(add="hr-set") if effort else self._box.classes(remove="hr-set")
        fill({self._select.html_id: effort or ""}, forced=True)

    async def _choose(self, event: GenericEventArguments) -> None:
        await self._on_effort(str(event.args) or None)


def effort_select(name: str, none: str) -> ui.element:
    select = ui.element("select")
    select.props["aria-label"] = name
    with select:
        for value, text in [("", none), *((word, say(EFFORT_NAMES[word])) for word in EFFORTS)]:
            option(value, text)
    return select


def option(value: str, text: str) -> None:
    """Of a native `select`, in whose context it is called."""
    TextElement(tag="option", text=text).props["value"] = value


class Parameters:
    """`head` is where the page puts what else belongs to the drawer: presets. `faults` are what the built-in model can be broken with."""

    def __init__(self, *, on_change: Callable[[Manner], Awaitable[None]], faults: Mapping[str, str] = MappingProxyType({})) -> None:
        self._on_change = on_change
        self._breaking: Breaking | None = None
        self._manner = PLAIN
        self._refused: Mapping[str, Sequence[str]] = {}
        self._models = 1
        self._fields: dict[str, ui.element] = {}
        self._notes: dict[str, ui.label] = {}
        self._hints: dict[str, str] = {}
        self._heard: dict[str, str] = {}  # the texts that fields were left with, by their ids
        self._wrong: set[str] = set()  # fields whose text means nothing: it stays, and so does what was said of it
        with Island("dialog").classes("hr-drawer").on("click", js_handler=OUTSIDE) as self._drawer:
            self._drawer.props["aria-label"] = say("Parameters")
            with ui.element("div").classes("hr-drawer-head"):
                with ui.element("h2"):
                    ui.label(say("Parameters"))
                icon_button("close", say("Close")).on("click", js_handler=CLOSE)
            with ui.element("div").classes("hr-drawer-body"):
                self.head = ui.element("div")
                self._build_system()
                ui.label(say("What is empty is left to the model server.")).classes("hr-muted hr-drawer-note")
                with ui.element("div").classes("hr-knobs"):
                    for knob in KNOBS.values():
                        self._build(knob)
                if faults:
                    self._breaking = Breaking(faults, on_fault=self._break)
            with ui.element("div").classes("hr-drawer-foot"):
                reset = ui.button(say("Reset"), color=None, on_click=self._reset).props("flat dense no-caps")
                reset.props["aria-label"] = say("Reset all parameters")

    def build_button(self) -> None:
        """The button that opens the drawer; a dot on it says that something is set."""
        self._button = icon_button("tune", say("Parameters")).classes("hr-tune").props('aria-haspopup="dialog"')
        self._button.on("click", js_handler=f"() => document.getElementById({json.dumps(self._drawer.html_id)}).showModal()")

    def build_chip(self) -> None:
        """What says that this conversation is being broken, and ends it."""
        if self._breaking:
            self._breaking.build_chip()

    def show(
        self, manner: Manner, refused: Mapping[str, Sequence[str]], models: int = 1, *, forced: bool = False, breakable: bool = False
    ) -> None:
        """`refused`: of so many `models` the names of those whose servers cannot take an option. `forced`: also into the field that has
        the focus. `breakable`: the model is the built-in one.
        """
        if self._breaking:
            self._breaking.show(manner.fault, breakable)
        self._manner, self._refused, self._models = manner, refused, models
        if forced:
            self._wrong.clear()
        texts = {name: shown(knob, manner.options) for name, knob in KNOBS.items() if name not in self._wrong}
        system = {} if "system" in self._wrong else {"system": manner.system}
        fill({self._fields[name].html_id: text for name, text in {**texts, **system}.items()}, heard=self._heard, forced=forced)
        for name, text in texts.items():
            field, by = self._fields[name], refused.get(name, ())
            self._say(name, _refusal(by, models), bad=bool(by and text))
            field.props(remove="disabled") if text or len(by) < models else field.props("disabled")
        self._button.classes(add="hr-set") if manner.differs else self._button.classes(remove="hr-set")

    def _build_system(self) -> None:
        with ui.element("div").classes("hr-knob hr-knob-wide"):
            field = ui.element("textarea").props('rows="5"')
            self._name("system", field, say("System prompt"))
            field.props["placeholder"] = say("What the model is told before everything else")
            field.on("change", self._set_system, js_handler=VALUE)
            self._note("system", "")

    def _build(self, knob: Knob) -> None:
        with ui.element("div").classes("hr-knob hr-knob-wide" if knob.kind == "lines" else "hr-knob"):
            if knob.kind == "word":
                field = effort_select("", say("Default"))
                del field.props["aria-label"]
            elif knob.kind == "lines":
                field = ui.element("textarea").props('rows="2"')
            else:
                field = ui.element("input").props(f'type="text" inputmode="{"decimal" if knob.kind == "number" else "numeric"}"')
                field.props["placeholder"] = say("Default")
            self._name(knob.name, field, say(NAMES[knob.name]))
            field.props("autocomplete=off").on("change", lambda event, knob=knob: self._set(knob, event), js_handler=VALUE)
            self._note(knob.name, say(HINTS[knob.name]))

    def _name(self, name: str, field: ui.element, text: str) -> None:
        self._fields[name] = field
        label = TextElement(tag="label", text=text)
        label.props["for"] = field.html_id
        label.move(target_index=0)

    def _note(self, name: str, hint: str) -> None:
        field = self._fields[name]
        self._hints[name] = hint
        self._notes[name] = note = ui.label(hint).classes("hr-knob-note").props('role="status"')
        field.props["aria-describedby"] = note.html_id

    def _say(self, name: str, text: str, *, bad: bool) -> None:
        note, field = self._notes[name], self._fields[name]
        note.set_text(text or self._hints[name])
        note.classes(add="hr-bad") if bad else note.classes(remove="hr-bad")
        field.props('aria-invalid="true"') if bad else field.props(remove="aria-invalid")

    def _hear(self, name: str, event: GenericEventArguments) -> None:
        self._heard[self._fields[name].html_id] = str(event.args)

    async def _change(self, manner: Manner) -> None:
        """The next change is to this one, however long it takes to be kept."""
        self._manner = manner
        await self._on_change(manner)

    async def _break(self, fault: str) -> None:
        await self._change(msgspec.structs.replace(self._manner, fault=fault))

    async def _set_system(self, event: GenericEventArguments) -> None:
        self._hear("system", event)
        text = cleaned(str(event.args))
        if len(text) > LONGEST:
            self._refuse("system", say("{name} has at most {n} characters.", name=say("System prompt"), n=say_number(LONGEST)))
            return
        self._wrong.discard("system")
        self._say("system", "", bad=False)
        await self._change(msgspec.structs.replace(self._manner, system=text if text.strip() else ""))

    async def _set(self, knob: Knob, event: GenericEventArguments) -> None:
        self._hear(knob.name, event)
        try:
            value = parsed(knob, str(event.args))
        except ValueError:
            self._refuse(knob.name, _expected(knob))
            return
        self._wrong.discard(knob.name)
        await self._change(with_option(self._manner, knob.name, value))

    def _refuse(self, name: str, sentence: str) -> None:
        self._wrong.add(name)
        self._say(name, sentence, bad=True)

    async def _reset(self) -> None:
        await self._change(PLAIN)
        self.show(self._manner, self._refused, self._models, forced=True)


def _refusal(by: Sequence[str], models: int) -> str:
    if by and models > 1:
        return say("Not taken by the server of {models}.", models=", ".join(by))
    return say("The server of this model cannot take this.") if by else ""


def _expected(knob: Knob) -> str:
    name, least, most = say(NAMES[knob.name]), say_number(knob.least or 0), say_number(knob.most or 0)
    if knob.kind == "number":
        return say("{name} is a number from {least} to {most}.", name=name, least=least, most=most)
    if knob.kind == "count":
        return say("{name} is a whole number from {least} to {most}.", name=name, least=least, most=most)
    return say("{name} has at most {n} lines.", name=name, n=STOPS)
