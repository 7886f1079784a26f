"""The lab, at `/lab`: a client under check, and what stands between it and Headrace. `?run=ID` is a check that was begun before."""

import asyncio
import json
import secrets
import time
from typing import Any

from nicegui import background_tasks, ui

from services.chat import Chat
from services.doctor.findings import LATE, STEP, STREAMS, TICKS, Finding
from services.errors import HeadraceError, NotFound
from services.lab.runs import Run
from services.lab.surfaces import SURFACES
from ui.language import say
from ui.pages.asking import Mine
from ui.panels.fields import READ, Field, button, choice
from ui.panels.lab_card import Card
from ui.panels.lab_doctor import Findings, Here
from ui.template import inline
from ui.theme import STATIC, notices, put_on, text

PROBE = (STATIC / "probe.js").read_text()
AT_ONCE = STEP * TICKS * 0.8  # seconds in which a stream has begun that did not wait for another
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
        inline(PROBE)
        with ui.element("div").classes("hr-inspect hr-lab"):
            with ui.element("header").classes("hr-inspect-head"):
                text("a", say("Back to the chat")).props('href="/"').classes("hr-inspect-back")
                text("h1", say("Lab"))
            with ui.element("section"):
                text("h2", say("Check your client"))
                with ui.element("p").classes("hr-lead"):
                    text("span", say("The whole catalogue of faults against your client, one by one, and what it made of each."))
                    text("a", say("How it works")).props('href="/help/lab"')
                self._form()
                self._place = ui.element("div")
            self._build_doctor()
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

    def _build_doctor(self) -> None:
        with ui.element("section"):
            text("h2", say("What stands in between"))
            ui.label(
                say("A page of another origin, or a proxy in front of Headrace: whether events get through, and what to change.")
            ).classes("hr-lead")
            with ui.element("form").classes("hr-lab-form") as form:
                if self._chat.who.admin:
                    Field("origin", say("Origin of a page"), hint="https://app.example.org")
                    Field("proxy", say("Address of the proxy"), hint="https://chat.example.org")
                    button(say("Examine"), strong=True).props('type="submit"')
                button(say("Measure from this browser")).on("click", self._measure)
            self._refused = ui.label("").classes("hr-wrong").props('role="alert"')
            self._findings = Findings()
            js = f"(event) => {{ event.preventDefault(); const form = event.target; emit({READ}); }}"
            form.on("submit", lambda event: self._examine(event.args), js_handler=js)

    async def _examine(self, typed: Any) -> None:
        doctor = self._chat.doctor
        self._refused.set_text("")
        match typed:
            case {"origin": str(origin), "proxy": str(proxy)} if doctor:
                self._findings.wait(say("Examining… this takes about {n} s.", n=round(doctor.tickets.pause) + 2))
                try:
                    found = await self._chat.examine(origin, proxy)
                except HeadraceError as exc:
                    self._findings.show(())
                    self._refused.set_text(exc.message)
                    return
                if not self._client.is_deleted:
                    self._findings.show(found)

    async def _measure(self) -> None:
        doctor = self._chat.doctor
        if doctor is None:
            return
        pause = doctor.tickets.pause
        self._findings.wait(say("Examining… this takes about {n} s.", n=round(pause) + 2))
        try:
            told = Here(
                await ui.run_javascript(
                    f"return await probe({json.dumps(doctor.tickets.issue())}, {STREAMS}, {AT_ONCE * 1000:.0f})", timeout=pause + 20
                )
            )
        except TimeoutError:
            self._findings.show((Finding("bad", "browser_cut", {"seconds": f"{pause + 20:.0f}"}),))
            return
        if not self._client.is_deleted:
            self._findings.show(of_browser(told))

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


def of_browser(told: Here) -> list[Finding]:
    """What is to be said of what this browser has measured."""
    protocol = told.word("protocol") or "?"
    late, found = told.number("held"), []
    if not told.number("ended"):
        return [Finding("bad", "browser_cut", {"seconds": f"{told.number('seconds'):.1f}"}, "proxy_read_timeout 300s;  # nginx")]
    if late > LATE * 1000:
        found.append(Finding("bad", "browser_held", {"held": f"{late:.0f}"}, "proxy_buffering off;  # nginx"))
    if told.word("encoding"):
        found.append(Finding("bad", "browser_compressed", {"encoding": told.word("encoding")}, "gzip off;  # nginx"))
    if not found:
        found.append(Finding("good", "browser_flows", {"first": f"{told.number('first'):.0f}", "protocol": protocol}))
    streams = round(told.number("streams"))
    if streams < STREAMS:
        mend = "listen 443 ssl;  # nginx\nhttp2 on;"
        return [*found, Finding("note", "browser_six", {"n": str(streams), "protocol": protocol}, mend)]
    return [*found, Finding("good", "browser_many", {"n": str(streams)})]
