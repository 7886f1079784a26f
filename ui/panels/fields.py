"""The parts of a form: named boxes that the browser keeps by itself, so that what is typed is nobody's but theirs until it is sent.

A value is given as an attribute, once: what somebody has typed is never written over, and a secret never comes back to the page.
"""

from collections.abc import Mapping, Sequence

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from ui.theme import text

READ = "Object.fromEntries(new FormData(form))"  # what is in the boxes of `form`, by name


class Field:
    """A label, a box under it, and a place for what is wrong with it."""

    def __init__(self, name: str, label: str, tag: str = "input", *, hint: str = "", content: str = "", value: str = "") -> None:
        with ui.element("div").classes("hr-field"):
            named = text("label", label)
            self.box = text(tag, content) if tag == "textarea" else ui.element(tag)
            self.box.props["name"] = name
            self.box.props["autocomplete"] = "off"
            if value:
                self.box.props["^value"] = value
            named.props["for"] = self.box.html_id
            self._hint = ui.label(hint).classes("hr-hint")
            self._hint.set_visibility(bool(hint))
            self._error = ui.label("").classes("hr-wrong").props('role="alert"')
            self._error.set_visibility(False)
            self.box.props["aria-describedby"] = f"{self._hint.html_id} {self._error.html_id}"

    def set_error(self, sentence: str) -> None:
        self._error.set_text(sentence)
        self._error.set_visibility(bool(sentence))
        self.box.props["aria-invalid"] = "true" if sentence else "false"
        self.box.update()


def choice(name: str, label: str, options: Mapping[str, str], chosen: str, *, hint: str = "") -> ui.element:
    """One of several, in the browser's own list. Returns the box, for its `change`."""
    field = Field(name, label, "select", hint=hint)
    with field.box:
        for value, words in options.items():
            option = text("option", words)
            option.props["^value"] = value
            if value == chosen:
                option.props("^selected")
    return field.box


def radios(name: str, label: str, options: Mapping[str, str], chosen: str) -> ui.element:
    """One of a few, side by side. Returns their group, whose `change` tells the value."""
    with ui.element("fieldset").classes("hr-radios") as group:
        text("legend", label)
        with ui.element("div"):
            for value, words in options.items():
                with ui.element("label"):
                    box = ui.element("input").props(f'type="radio" name="{name}"')
                    box.props["^value"] = value
                    if value == chosen:
                        box.props("^checked")
                    text("span", words)
    return group


def switch(label: str, on: bool) -> ui.element:
    """On or off, at once. Returns the box, for its `change`."""
    box = ui.element("input").props('type="checkbox" role="switch"').classes("hr-switch-box")
    box.props["aria-label"] = label
    if on:
        box.props("^checked")
    return box


def button(words: str, *, strong: bool = False, bad: bool = False) -> TextElement:
    kind = "hr-button hr-button-strong" if strong else "hr-button hr-button-bad" if bad else "hr-button"
    return text("button", words).classes(kind).props('type="button"')


def lines(typed: object) -> Sequence[str]:
    """What stands in a box, one thing a line."""
    return [line.strip() for line in str(typed or "").splitlines() if line.strip()]
