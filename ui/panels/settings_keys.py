"""API keys: the list of them, the form to make one, and the moment in which a new one is seen. It talks to nobody."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from nicegui import ui

from services.persons import Key, Limits, Scope, Use
from ui.language import phrase, say, say_number
from ui.panels.dialog import Dialog
from ui.panels.fields import Field, button, choice, radios
from ui.theme import text

DAY = 86_400
TERMS = {"0": phrase("Never"), "30": phrase("In 30 days"), "90": phrase("In 90 days"), "365": phrase("In a year")}
MAY: dict[str, tuple[tuple[Scope, ...], str]] = {
    "read": (("read",), phrase("Read")),
    "chat": (("read", "chat"), phrase("Ask models")),
    "admin": (("read", "chat", "admin"), phrase("Everything")),
}
_COPY = "(e) => { const box = e.target.closest('form').querySelector('input'); box.select(); copyText(box.value); }"
_SELECT = "(e) => e.target.select()"


class Wanted(NamedTuple):
    name: str
    scopes: tuple[Scope, ...]
    expires: float
    limits: Limits


class Keys:
    """`on_make` returns the new key itself, or raises ValueError with a sentence; `admin`: whether keys may do everything."""

    def __init__(self, *, admin: bool, on_make: Callable[[Wanted], Awaitable[str]], on_revoke: Callable[[str], Awaitable[None]]) -> None:
        self._admin = admin
        self._on_make = on_make
        self._on_revoke = on_revoke
        self._list = ui.element("ul").classes("hr-server-list hr-key-list")
        self._dialog = Dialog()
        button(say("Make a key…"), strong=True).on("click", self._open)

    def show(self, keys: Sequence[tuple[Key, Use]]) -> None:
        self._list.clear()
        self._list.set_visibility(bool(keys))
        with self._list:
            for key, use in keys:
                self._line(key, use)

    def _line(self, key: Key, use: Use) -> None:
        with ui.element("li").classes("hr-server"):
            with ui.element("div").classes("hr-server-head"):
                text("h3", key.name)
                text("code", f"{key.start}…").classes("hr-key-start")
                ui.element("div").classes("hr-grow")
                revoke = button(say("Revoke")).classes("hr-button-small").on("click", partial(self._ask, key))
                revoke.props["aria-label"] = say("Revoke {name}", name=key.name)
            parts = [
                say(_may(key)),
                say("used {when}", when=_moment(use.at)) if use.at else say("never used"),
                _end(key),
                *_limits(key, use),
            ]
            ui.label(" · ".join(part for part in parts if part)).classes("hr-hint")

    def _open(self) -> None:
        with self._dialog.open(say("Make a key"), say("Make it"), self._make):
            self._name = Field("name", say("Name"), hint=say("Of the program that will use it."))
            self._name.box.props('required maxlength="80"')
            may = {id: say(words) for id, (_, words) in MAY.items() if id != "admin" or self._admin}
            radios("may", say("It may"), may, "chat")
            choice("expires", say("Expires"), {days: say(words) for days, words in TERMS.items()}, "90")
            with ui.element("details").classes("hr-waits"):
                text("summary", say("Limits"))
                with ui.element("div"):
                    names = (say("Requests in a minute"), say("At the same time"), say("Tokens in a day"))
                    for name, label in zip(("per_minute", "at_once", "tokens"), names, strict=True):
                        Field(name, label).box.props('type="number" min="0" inputmode="numeric"').props["placeholder"] = say("no limit")

    async def _make(self, typed: dict[str, Any]) -> None:
        try:
            days, numbers = int(typed.get("expires") or 0), [int(typed.get(each) or 0) for each in ("per_minute", "at_once", "tokens")]
            scopes = MAY.get(str(typed.get("may")), MAY["chat"])[0]
            wanted = Wanted(str(typed.get("name") or ""), scopes, time.time() + days * DAY if days > 0 else 0.0, Limits(*numbers))
            made = await self._on_make(wanted)
        except ValueError as exc:
            self._name.set_error(str(exc))
            return
        with self._list.client, self._dialog.open(say("Your new key")):
            ui.label(say("Copy it now: it is shown this once. Whoever has it can use it in your name."))
            Field("key", say("Key"), value=made).box.props("readonly").on("focus", js_handler=_SELECT)
            with ui.element("div").classes("hr-buttons"):
                button(say("Copy"), strong=True).on("click", js_handler=_COPY)
                ui.element("div").classes("hr-grow")
                button(say("Done")).on("click", self._dialog.clear, js_handler="(e) => { e.target.closest('dialog').close(); emit(); }")

    def _ask(self, key: Key) -> None:
        async def revoke(_: dict[str, Any]) -> None:
            self._dialog.close()
            await self._on_revoke(key.id)

        with self._dialog.open(say("Revoke {name}", name=key.name), say("Revoke"), revoke, bad=True):
            ui.label(say("Programs that use it are refused at once, and what they ask just now is stopped. This cannot be undone."))


def _may(key: Key) -> str:
    return next((words for scopes, words in reversed(MAY.values()) if set(scopes) <= set(key.scopes)), MAY["read"][1])


def _end(key: Key) -> str:
    if not key.expires:
        return ""
    when = time.strftime("%Y-%m-%d", time.localtime(key.expires))
    return say("expired {when}", when=when) if key.expires <= time.time() else say("expires {when}", when=when)


def _limits(key: Key, use: Use) -> list[str]:
    limits = key.limits
    today = use.tokens if use.day == time.time() // DAY else 0
    found = [
        say("{n} a minute", n=say_number(limits.per_minute)) if limits.per_minute else "",
        say("{n} at the same time", n=say_number(limits.at_once)) if limits.at_once else "",
        say("{used} of {n} tokens today", used=say_number(today), n=say_number(limits.tokens)) if limits.tokens else "",
    ]
    return [each for each in found if each]


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
