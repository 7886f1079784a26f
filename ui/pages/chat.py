"""The chat page, at `/` and `/c/{id}`: it asks services.chat, and lets its panels draw.

What is shown always comes from `Chat.open`, and what grows from `Chat.follow`: a reload, a second tab and the tab that sent
the message take the same path.
"""

import asyncio
from contextlib import aclosing
from urllib.parse import urlencode

from nicegui import background_tasks, ui

from services.chat import Chat, Listing
from services.errors import HeadraceError, NotFound
from ui.panels.composer import Composer
from ui.panels.sidebar import Sidebar
from ui.panels.transcript import Transcript
from ui.panels.welcome import Welcome
from ui.theme import frame

STALE = 30.0  # seconds after which a page that is opened asks the model servers again


def register(chat: Chat) -> None:
    @ui.page("/")
    async def start(model: str = "") -> None:
        await ChatPage(chat, model).build(None)

    @ui.page("/c/{id}")
    async def conversation(id: str) -> None:
        await ChatPage(chat).build(id)


class ChatPage:
    """One browser tab. Its tasks end with it; the generations it watches do not."""

    def __init__(self, chat: Chat, model: str = "") -> None:
        self._chat = chat
        self._client = ui.context.client
        self._conversation: str | None = None
        self._running: str | None = None  # the generation that Stop would stop
        self._picked = model  # the model that was chosen by hand
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._gone = False

    async def build(self, conversation: str | None) -> None:
        with frame() as (side, main):
            with side:
                self._sidebar = Sidebar(on_new=self._new, on_open=self._go)
            with main:
                self._main = main
                self._transcript = Transcript(on_retry=self._retry)
                with ui.element("div").classes("hr-dock"):
                    self._welcome = Welcome(on_suggestion=self._send, on_look=self._look_again)
                    self._composer = Composer(on_send=self._send, on_stop=self._stop, on_model=self._choose)
        self._client.on_delete(self._leave)
        self._unwatch = self._chat.watch(self._changed)
        self._unwatch_models = self._chat.watch_models(self._models_changed)
        self._offer_models(self._chat.models(), self._picked)
        background_tasks.create(self._refresh_models(), name="refresh models")
        if conversation:
            await self._open(conversation)
        await self._show_conversations()

    def _leave(self) -> None:
        self._gone = True
        self._unwatch()
        self._unwatch_models()
        for task in self._watching.values():
            task.cancel()

    # Conversations

    async def _open(self, conversation: str) -> None:
        try:
            known, _, _ = await self._chat.open(conversation)
        except NotFound as exc:
            ui.notify(exc.message, type="warning", position="top", timeout=10_000)
            ui.navigate.history.replace("/")
            return
        self._conversation = conversation
        self._offer_models(self._chat.models(), known.model)
        await self._show_branch()

    async def _show_branch(self) -> None:
        """Draw what the store has and follow what still runs. May be called at any time, by anybody, any number of times."""
        if self._conversation is None or self._gone:
            return
        try:
            known, branch, _ = await self._chat.open(self._conversation)
        except NotFound:
            self._go_home()
            return
        ui.page_title(known.title)
        self._main.classes(add="hr-has-messages")
        self._welcome.hide()
        for generation in self._transcript.show(branch):
            self._watch(generation)

    def _changed(self, conversation: str) -> None:
        """Another tab, a client of the API, or the end of an answer."""
        background_tasks.create(self._catch_up(conversation), name="catch up")

    async def _catch_up(self, conversation: str) -> None:
        if self._gone:
            return
        with self._client:
            if conversation == self._conversation:
                await self._show_branch()
            await self._show_conversations()

    async def _show_conversations(self) -> None:
        self._sidebar.show(await self._chat.conversations(), self._conversation, self._chat.is_answering)

    def _new(self) -> None:
        """A new chat begins with the model of this one."""
        ui.navigate.to(f"/?{urlencode({'model': self._composer.model})}" if self._composer.model else "/")

    def _go(self, conversation: str) -> None:
        ui.navigate.to(f"/c/{conversation}")

    def _go_home(self) -> None:
        ui.navigate.to("/")

    # Asking

    async def _send(self, text: str) -> bool:
        """Whether the question was taken."""
        new = self._conversation is None
        try:
            self._conversation, _, _ = await self._chat.send(self._conversation, self._composer.model, text)
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return False
        if new:
            ui.navigate.history.replace(f"/c/{self._conversation}")
        ui.run_javascript("const s = document.querySelector('.hr-scroll'); s.scrollTop = s.scrollHeight;")
        await self._show_branch()
        return True

    async def _retry(self) -> None:
        if self._conversation is None:
            return
        try:
            await self._chat.retry(self._conversation, self._composer.model)
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return
        await self._show_branch()

    async def _stop(self) -> None:
        if self._running is not None:
            await self._chat.stop(self._running)

    def _watch(self, generation: str) -> None:
        if generation not in self._watching and not self._gone:
            self._watching[generation] = background_tasks.create(self._follow(generation), name=f"watch {generation}")

    async def _follow(self, generation: str) -> None:
        """Self-clocked: while the browser draws, the log grows, and the next batch is larger."""
        self._running = generation
        self._composer.set_running(True)
        try:
            await self._chat.recall(generation)
            async with aclosing(self._chat.follow(generation)) as batches:
                async for entries in batches:
                    with self._client:
                        self._transcript.apply(generation, entries)
                        await self._transcript.flush(generation)
        finally:
            self._watching.pop(generation, None)
            if self._running == generation and not self._gone:
                self._running = None
                self._composer.set_running(False)

    # Models

    async def _choose(self, model: str) -> None:
        self._picked = model
        self._show_welcome(model)

    async def _look_again(self) -> None:
        await self._refresh_models(0)

    async def _refresh_models(self, older_than: float = STALE) -> None:
        await self._chat.refresh_models(older_than)
        self._models_changed()

    def _models_changed(self) -> None:
        if not self._gone:
            with self._client:
                self._offer_models(self._chat.models(), self._composer.model if self._conversation else self._picked)

    def _offer_models(self, listings: list[Listing], chosen: str = "") -> None:
        models = {f"{listing.name}/{model.name}": f"{model.name} · {listing.name}" for listing in listings for model in listing.models}
        chosen = chosen or self._chat.default_model
        self._composer.offer(models, chosen)
        self._show_welcome(chosen)

    def _show_welcome(self, model: str) -> None:
        missing = [listing.name for listing in self._chat.models() if listing.state in ("not running", "refusing")]
        self._welcome.show(model, self._chat.alone, missing)
