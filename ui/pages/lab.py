"""The lab, at `/lab`: a client under check, and what stands between it and Headrace. `?run=ID` is a check that was begun before."""

import asyncio
import secrets
import time
from typing import Any

from nicegui import background_tasks, ui

from services.chat import Chat
from services.errors import HeadraceError, NotFound
from services.lab.runs import Run
from services.lab.surfaces import SURFACES
from ui.language import say
from ui.pages.asking import Mine
from ui.panels.fields import READ, Field, button, choice
from ui.panels.lab_card import Card
from ui.theme import notices, put_on, text

LIVE = 0.3  # seconds between two looks at a run


def register(mine: Mine) -> None:
    @ui.page("/lab")
    async def lab(run: str = "") -> None:
        await LabPage(mine()).build(run)


class LabPage:
    """One browser tab."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._client = ui.context.client
        self._run: Run | None = None

    async def build(self, asked: str) -> None:
        put_on(await self._chat.wishes.get())
        ui.page_title(say("Lab"))
        with ui.element("div").classes("hr-inspect hr-lab"):
            with ui.element("header").classes("hr-inspect-head"):
                text("a", say("Back to the chat")).props('href="/"').classes("hr-inspect-back")
                text("h1", say("Lab"))
            with ui.element("section"):
                text("h2", say("Check your client"))
                ui.label(say("The whole catalogue of faults against your client, one by one, and what it made of each.")).classes("hr-lead")
                self._form()
                self._place = ui.element("div")
        notices()
        if asked:
            try:
                self._show(self._chat.checks.get(asked))
            except NotFound as exc:
                self._wrong.set_text(exc.message)
        background_tasks.create(self._watch(), name="watch a client check")

    def _form(self) -> None:
        with ui.element("form").classes("hr-lab-form") as form:
            choice("dialect", say("Dialect"), {name: each.title for name, each in SURFACES.items()}, "openai_chat")
            Field("client", say("What to call it"))
            button(say("Begin"), strong=True).props('type="submit"')
        self._wrong = ui.label("").classes("hr-wrong").props('role="alert"')
        js = f"(event) => {{ event.preventDefault(); const form = event.target; emit({READ}); }}"
        form.on("submit", lambda event: self._begin(event.args), js_handler=js)

    def _begin(self, typed: Any) -> None:
        self._wrong.set_text("")
        match typed:
            case {"dialect": str(dialect), "client": str(client)}:
                try:
                    run = self._chat.checks.begin(secrets.token_hex(12), dialect, client, time.time())
                except HeadraceError as exc:
                    self._wrong.set_text(exc.message)
                    return
                self._show(run)
                ui.run_javascript(f"history.replaceState(history.state, '', '/lab?run={run.id}')")

    def _show(self, run: Run) -> None:
        self._run, self._shown = run, run.changes
        self._place.clear()
        with self._place:
            self._card = Card(run, on_decide=self._decide)

    def _decide(self, case: str, passed: bool) -> None:
        if self._run and case in self._run.cases:
            self._run.decide(case, passed)

    async def _watch(self) -> None:
        while not self._client.is_deleted:
            await asyncio.sleep(LIVE)
            if self._run and self._run.changes != self._shown:
                self._shown = self._run.changes
                with self._client:
                    self._card.show(self._run)
