"""The chat page, at `/` and `/c/{id}`: it asks services.chat, and lets its panels draw.

What is shown always comes from `Chat.open`, and what grows from `Chat.follow`: a reload, a second tab and the tab that sent
the message take the same path.
"""

import asyncio
import secrets
from contextlib import aclosing, suppress
from urllib.parse import urlencode

from nicegui import background_tasks, ui

from services.chat import Chat, Given, Tastes
from services.conversations import Branch, used
from services.errors import HeadraceError, NotFound
from services.events import Failed, Finished
from ui.island import Island
from ui.pages.answering import Answering
from ui.pages.asking import Mine, name_of
from ui.pages.doings import Doings
from ui.pages.queue import Queue
from ui.pages.replaying import Replaying
from ui.pages.shelf import Shelf, Shelves
from ui.pages.soon import Soon
from ui.panels.composer import Composer, Written
from ui.panels.shortcuts import keys_dialog
from ui.panels.transcript import Transcript
from ui.panels.welcome import Welcome
from ui.theme import change_to, foot, frame, put_on

STALE = 30.0  # seconds after which a page that is opened asks the model servers again


def register(mine: Mine) -> None:
    shelves: dict[str, Shelves] = {}  # by person

    def shelf(chat: Chat) -> Shelves:
        person = chat.who.person
        if person not in shelves:
            shelves[person] = Shelves(chat)
        return shelves[person]

    @ui.page("/", response_timeout=30)
    async def start(model: str = "", preset: str = "", undo: str = "") -> None:
        chat = mine()
        page = ChatPage(chat, shelf(chat), await chat.tastes(), model, preset)
        await page.build(None)
        if undo:
            await page.offer_undo(undo)

    @ui.page("/c/{id}", response_timeout=30)
    async def conversation(id: str, at: str = "") -> None:
        chat = mine()
        await ChatPage(chat, shelf(chat), await chat.tastes()).build(id, at)


class ChatPage:
    """One browser tab. Its tasks end with it; the generations it watches do not."""

    def __init__(self, chat: Chat, shelves: Shelves, tastes: Tastes, model: str = "", preset: str = "") -> None:
        self._chat = chat
        self._shelves = shelves
        self._tastes = tastes
        self._client = ui.context.client
        self._conversation: str | None = None
        self._running: set[str] = set()  # the generations that Stop would stop
        self._answering = Answering(chat, tastes, self._client, changed=self._show_answering, model=model, preset=preset)
        self._first = secrets.token_hex(16)  # the id of a suggestion that is pressed, however often
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._used = 0  # tokens of the branch that is shown
        self._gone = False
        self._branch = Soon(self._show_branch)

    async def build(self, conversation: str | None, at: str = "") -> None:
        """`at`: the message to be brought into view, on whatever branch it is."""
        wishes = await self._chat.wishes.get()
        put_on(wishes)
        with frame() as (side, main):
            with side:
                self._shelf = Shelf(self._chat, self._shelves, lambda: self._conversation)
                foot(None if self._chat.people.open else name_of(self._chat))
            with main:
                self._main = main
                self._doings = Doings(self._chat, self._answering, lambda: self._conversation, self._branch.now, self._shelf.say_deleted)
                self._transcript = Transcript(
                    self._doings.intents,
                    on_earlier=self._show_earlier,
                    cost=self._chat.cost,
                )
                with Island().classes("hr-dock"):
                    self._welcome = Welcome(
                        on_suggestion=self._suggested,
                        on_look=self._answering.look_again,
                        on_preset=self._answering.choose_preset,
                        may_add=self._chat.who.admin,
                    )
                    self._replaying = Replaying(self._chat)
                    self._queue = Queue(self._chat, lambda: self._conversation)
                    self._composer = Composer(self._chat.limits._asdict(), on_send=self._send, on_stop=self._stop)
                    self._queue.on_back = self._composer.bring
                    with self._composer.answering:
                        self._answering.build()
        self._shelf.build_over()
        keys_dialog(wishes.enter)
        self._client.on_delete(self._leave)
        self._unwatch_wishes = self._chat.wishes.watch(self._wishes_changed)
        self._unwatch = self._chat.watch(self._changed)
        background_tasks.create(self._refresh_models(), name="refresh models")
        if conversation:
            await self._open(conversation, at)
        await self._shelf.show()

    async def offer_undo(self, conversation: str) -> None:
        ui.navigate.history.replace("/")
        await self._shelf.offer_undo(conversation)

    def _leave(self) -> None:
        self._gone = True
        self._branch.end()
        self._unwatch()
        self._unwatch_wishes()
        for task in self._watching.values():
            task.cancel()

    def _wishes_changed(self) -> None:
        background_tasks.create(self._change_look(), name="change look")

    async def _change_look(self) -> None:
        wishes = await self._chat.wishes.get()
        if not self._gone:
            with self._client:
                change_to(wishes)

    # Conversations

    async def _open(self, conversation: str, at: str) -> None:
        try:
            branch = await self._chat.open(conversation)
            if at and not any(node.id == at for node in branch.nodes):
                with suppress(NotFound):
                    await self._chat.choose(conversation, at)
                    branch = await self._chat.open(conversation)
        except NotFound as exc:
            ui.notify(exc.message, type="warning", position="top", timeout=10_000)
            ui.navigate.history.replace("/")
            return
        self._conversation = conversation
        self._chat.seen(conversation)
        self._composer.known([*self._queue.ids(branch), *(node.id for node in branch.nodes if node.generation is None)])
        if any(node.id == at for node in branch.nodes):
            self._transcript.reach(at)
        self._show(branch)

    async def _show_earlier(self) -> None:
        self._transcript.want_earlier()
        await self._branch.now()

    async def _show_branch(self) -> None:
        """Draw what the store has and follow what still runs. May be called at any time, by anybody, any number of times."""
        if self._conversation is None or self._gone:
            return
        try:
            branch = await self._chat.open(self._conversation)
        except NotFound:
            with self._client:
                self._go_home()
            return
        if not self._gone:
            with self._client:
                self._show(branch)

    def _show(self, branch: Branch) -> None:
        ui.page_title(branch.conversation.title)
        self._answering.open(branch.conversation)
        self._make_room(bool(branch.nodes))
        self._queue.show(branch)
        self._used = used(branch.nodes)
        self._weigh()
        for generation in self._transcript.show(branch):
            self._watch(generation)

    def _make_room(self, messages: bool) -> None:
        self._main.classes(add="hr-has-messages") if messages else self._main.classes(remove="hr-has-messages")
        self._welcome.hide()

    def _changed(self, conversation: str) -> None:
        """Another tab, a client of the API, or the end of an answer."""
        if conversation == self._conversation:
            self._branch.want()

    def _show_new(self) -> None:
        """A new chat begins with the model of this one, or its preset, unless somebody has said with which."""
        preset, model = self._answering.preset, self._answering.model
        begin = {} if self._tastes.default else {"preset": preset.id} if preset else {"model": model} if model else {}
        self._shelf.lead_to(f"/?{urlencode(begin)}" if begin else "/")

    def _go_home(self) -> None:
        ui.navigate.to(self._shelf.home(self._conversation or ""))

    # Asking

    async def _send(self, written: Written) -> bool:
        """Whether the question was taken."""
        new = self._conversation is None
        files = [Given(*each) for each in written.files]
        try:
            if self._conversation and self._queue.takes(self._conversation):
                await self._chat.queue(self._conversation, self._answering.model, written.text, id=written.id, files=files)
                return True
            who, manner = self._answering.models, self._answering.manner
            asked = await self._chat.compare(self._conversation, who, written.text, id=written.id, manner=manner, files=files)
            self._conversation = asked.conversation
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return False
        if new:
            ui.navigate.history.replace(f"/c/{self._conversation}")
            self._make_room(True)  # while the messages are read: the browser has less to do at once
        ui.run_javascript("const s = document.querySelector('.hr-scroll'); s.scrollTop = s.scrollHeight;")
        await self._branch.now()
        return True

    async def _suggested(self, text: str) -> bool:
        return self._conversation is None and await self._send(Written(text, self._first))

    async def _stop(self) -> None:
        for generation in tuple(self._running):
            await self._chat.stop(generation)

    def _watch(self, generation: str) -> None:
        """From the first entry, as it was drawn without any; it may have been drawn before."""
        if self._gone:
            return
        if before := self._watching.get(generation):
            before.cancel()
        self._watching[generation] = background_tasks.create(self._follow(generation), name=f"watch {generation}")

    async def _follow(self, generation: str) -> None:
        """Self-clocked: while the browser draws, the log grows, and the next batch is larger."""
        self._running.add(generation)
        self._composer.set_running(True)
        try:
            await self._chat.recall(generation)
            self._replaying.watch(generation)
            reader = self._chat.reads(generation, "page")
            async with aclosing(self._chat.follow(generation)) as batches:
                async for entries in batches:
                    if reader:
                        reader.wrote(entries[-1].seq, b"")
                    with self._client:
                        self._transcript.apply(generation, entries)
                        if isinstance(entries[-1].event, Finished | Failed):
                            self._ended(generation)
                        await self._transcript.flush(generation)
        finally:
            if self._watching.get(generation) is asyncio.current_task():
                self._watching.pop(generation)
                self._ended(generation)

    def _ended(self, generation: str) -> None:
        """The next one may be sent, whatever of the answer is still to be drawn."""
        self._running.discard(generation)
        if not self._running and not self._gone:
            self._composer.set_running(False)

    # Models

    async def _refresh_models(self, older_than: float = STALE) -> None:
        await self._chat.refresh_models(older_than)
        self._answering.show()

    def _weigh(self) -> None:
        self._composer.gauge.show(self._used, self._answering.context)

    def _show_answering(self) -> None:
        self._weigh()
        self._show_new()
        if self._conversation is not None:  # nobody sees it
            return
        missing = [listing.name for listing in self._chat.models() if listing.state in ("not running", "refusing")]
        self._welcome.show(self._answering.models, self._chat.alone, missing, self._tastes.presets)
