"""The inspector, at `/inspect` and `/inspect/{generation}`. It only looks: a reply runs as it would without it."""

import asyncio
from collections.abc import Sequence
from functools import partial

from nicegui import background_tasks, ui

from services.chat import Chat
from services.errors import Gone, HeadraceError, NotFound
from services.events import Entry, Failed, Finished, PartStarted
from services.messages import ReplyState, state
from ui.language import say
from ui.pages.asking import Mine
from ui.pages.recordings import Shelf
from ui.pages.replaying import do
from ui.panels.inspector import Inspector
from ui.panels.inspector_list import Generations, clock
from ui.theme import notices, put_on, text

LIVE = 0.25  # seconds between two looks at a reply that runs
FIGURES = 1.0  # and between two sums of its figures
CALM = 2.0  # and between two looks at one that has ended, which another client may read still
NEWS = 1.0  # and between two looks at all of them
MOST = 100  # replies in the list
OTHERS = 30  # replies that one may be compared with
HEAD = 20  # entries among which content begins, if it does


def register(mine: Mine) -> None:
    @ui.page("/inspect")
    async def all_replies() -> None:
        await ListPage(mine()).build()

    @ui.page("/inspect/{generation}")
    async def one_reply(generation: str, beside: str = "") -> None:
        chat = mine()
        put_on(await chat.wishes.get())
        ui.page_title(say("Inspect"))
        with ui.element("div").classes("hr-inspect hr-inspect-two" if beside else "hr-inspect"):
            for each in filter(None, (generation, beside)):
                with ui.element("div").classes("hr-inspect-one"):
                    await Looking(chat, each).build(offer=not beside)
        notices()


class ListPage:
    """One browser tab."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._client = ui.context.client

    async def build(self) -> None:
        put_on(await self._chat.wishes.get())
        ui.page_title(say("Inspect"))
        with ui.element("div").classes("hr-inspect"):
            with ui.element("header").classes("hr-inspect-head"):
                text("a", say("Back to the chat")).props('href="/"').classes("hr-inspect-back")
                text("h1", say("Replies"))
            ui.label(say("Each reply, asked here or by a program: open one to see every byte and when it came.")).classes("hr-lead")
            self._list = Generations()
            self._shelf = Shelf(self._chat, self._client)
            self._shelf.build()
        notices()
        self._list.show(self._chat.generations()[:MOST])
        await self._shelf.show()
        background_tasks.create(self._watch(), name="watch replies")

    async def _watch(self) -> None:
        while not self._client.is_deleted:
            await asyncio.sleep(NEWS)
            with self._client:
                self._list.show(self._chat.generations()[:MOST])
            await self._shelf.show()


class Looking:
    """At one reply, of one browser tab."""

    def __init__(self, chat: Chat, generation: str) -> None:
        self._chat = chat
        self._generation = generation
        self._client = ui.context.client
        self._entries: Sequence[Entry] = ()

    async def build(self, *, offer: bool) -> None:
        """`offer` others to compare it with."""
        try:
            await self._chat.recall(self._generation)
        except (NotFound, Gone):
            with ui.element("header").classes("hr-inspect-head"):
                text("a", say("All replies")).props('href="/inspect"').classes("hr-inspect-back")
                text("h1", say("This reply is not there"))
                ui.label(say("It was imported, or what was kept of it is gone."))
            return
        self._turn = turn = self._chat.turn(self._generation)
        others = self._chat.generations()[:OTHERS] if offer else ()
        named = [(each.id, f"{each.model} · {clock(each.created)}") for each in others if each.id != self._generation]
        self._inspector = Inspector(
            self._generation,
            turn,
            on_stop=self._stop,
            on_continue=self._go_on,
            on_keep=self._keep,
            on_act=partial(do, self._chat, self._generation),
            name=self._chat.recorder.suggested(self._generation),
            others=named,
        )
        background_tasks.create(self._watch(), name=f"look at {self._generation}")

    @property
    def _state(self) -> ReplyState:
        last = self._entries[-1].event if self._entries else None
        content = any(type(entry.event) is PartStarted for entry in self._entries[:HEAD])
        return state(content, last if isinstance(last, Finished | Failed) else None)

    @property
    def _running(self) -> bool:
        return self._state in ("waiting", "streaming")

    def _show(self) -> bool:
        """Whether there is anything new."""
        if self._running:
            self._entries = self._chat.entries(self._generation)
        self._inspector.player.show(self._chat.playback(self._generation))
        return self._inspector.show(self._chat.record(self._generation), self._entries, self._state)

    async def _figure(self) -> None:
        sums = await asyncio.to_thread(self._inspector.sums)
        if not self._client.is_deleted:
            with self._client:
                self._inspector.figure(sums)

    async def _watch(self) -> None:
        now = asyncio.get_running_loop().time
        summed, stale = 0.0, True
        while not self._client.is_deleted:
            running = self._running
            if running:
                try:
                    await self._chat.recall(self._generation)
                except (NotFound, Gone):  # its log was dropped, with its conversation
                    return
            with self._client:
                stale |= self._show()
            if stale and (now() - summed >= FIGURES or running != self._running):
                summed, stale = now(), False
                await self._figure()
            await asyncio.sleep(LIVE if running else CALM)

    async def _stop(self) -> None:
        await self._chat.stop(self._generation)

    async def _keep(self, name: str, request: bool) -> str:
        """What is wrong, if anything is."""
        try:
            await self._chat.keep_recording(self._generation, name, request=request)
        except HeadraceError as exc:
            return exc.message
        return ""

    async def _go_on(self) -> None:
        try:
            conversation = self._turn.conversation or await self._chat.adopt(self._generation)
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return
        ui.navigate.to(f"/c/{conversation}")
