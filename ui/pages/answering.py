"""The page's dealings with who answers and how: the model or models, the manner, presets. Part of the chat page, which tells it
which conversation is shown, and asks with its `model`, `compared` and `manner`.
"""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import Client, background_tasks, ui

from services.chat import Chat, Tastes
from services.conversations import Conversation
from services.errors import HeadraceError
from services.manner import PLAIN, Manner, Preset, read, with_option
from ui.language import say
from ui.panels.parameters import Effort, Parameters
from ui.panels.picker import Choice, Picker
from ui.panels.presets import Presets

PRESET = "preset:"


class Answering:
    """`changed` is called when something here is another one now. The manner of a new chat is only kept with its first question."""

    def __init__(
        self, chat: Chat, tastes: Tastes, client: Client, *, changed: Callable[[], None], model: str = "", preset: str = ""
    ) -> None:
        self._chat = chat
        self._tastes = tastes
        self._client = client
        self._changed = changed
        self._conversation: str | None = None
        self._shown: tuple[str, str, Manner] = ("", "", PLAIN)
        self._asking: Callable[[str], Awaitable[None]] | None = None  # who wants to know which model is picked, once
        self._picked = model  # by hand, or the conversation's
        self._learned: set[str] = set()  # models that were asked about
        self.manner = PLAIN
        self.compared: tuple[str, ...] = ()
        wanted = next((each for each in tastes.presets if each.id == preset), tastes.default_preset)
        if not model and wanted:
            self._picked, self.manner = wanted.model, wanted.manner

    @property
    def model(self) -> str:
        return self._picked or self._chat.default_model

    @property
    def models(self) -> tuple[str, ...]:
        """Whom the next question goes to."""
        return self.compared or (self.model,)

    @property
    def context(self) -> int | None:
        """The tokens that all of them can take in, None where nobody tells."""
        known = [model for listing in self._chat.models() for model in listing.models if f"{listing.name}/{model.name}" in self.models]
        return min((model.context for model in known if model.context), default=None)

    def build(self) -> None:
        """In the composer's row of tools."""
        self._picker = Picker(
            on_pick=self._pick, on_compare=self._compare, on_look=self.look_again, on_standard=self._set_standard, on_asked=self._asked
        )
        self._effort = Effort(on_effort=self._set_effort)
        self._parameters = Parameters(on_change=self._adjust, faults=self._chat.faults)
        self._parameters.build_button()
        self._parameters.build_chip()
        with self._parameters.head:
            self._presets = Presets(
                on_choose=self.choose_preset,
                on_save=self._save_preset,
                on_rename=lambda id, name: self._do(self._tastes.rename(id, name)),
                on_delete=lambda id: self._do(self._tastes.drop(id)),
                on_standard=lambda id: self._set_standard(PRESET + id if id else ""),
            )
        self._unwatch = [self._chat.watch_models(self.show), self._tastes.watch(self.show)]
        self._client.on_delete(self._leave)
        self._show()

    def _leave(self) -> None:
        for unwatch in self._unwatch:
            unwatch()
        self._unwatch = []

    def open(self, conversation: Conversation) -> None:
        """This conversation is shown now, or was changed."""
        manner = read(conversation.manner)
        if self._shown == (conversation.id, conversation.model, manner):
            return
        if self._shown[:2] != (conversation.id, conversation.model):  # another answer was kept, perhaps in another tab
            self._conversation, self._picked = conversation.id, conversation.model
        self._shown = (conversation.id, conversation.model, manner)
        self.manner = manner
        self._show()

    def _learn(self) -> None:
        """What the models that are chosen can do, once for each on this page."""
        for model in self.models:
            if model not in self._learned:
                self._learned.add(model)
                background_tasks.create(self._chat.learn_model(model), name=f"learn {model}")

    def show(self) -> None:
        """Models have come or gone, or presets."""
        if not self._client.is_deleted:
            with self._client:
                self._show()

    def _show(self, *, forced: bool = False) -> None:
        listings, tastes = self._chat.models(), self._tastes
        choices = [Choice(PRESET + preset.id, preset.name, preset.model) for preset in tastes.presets]
        standard = tastes.default or self._chat.default_model
        self._picker.offer(listings, choices, tastes.recent, standard)
        preset, model = self.preset, self.model
        server, _, name = model.partition("/")
        listing = next((listing for listing in listings if listing.name == server), None)
        problem = ""
        if listing and listing.state in ("not running", "refusing"):
            problem = listing.problem or say("Not running: {names}", names=server)
        if self.compared:
            text, detail = f"{self.compared[0].partition('/')[2]} + {len(self.compared) - 1}", ""
        else:
            text, detail = (preset.name, name) if preset else (name, server)
        self._picker.show(
            PRESET + preset.id if preset else model,
            text=text,
            detail=detail,
            problem=problem,
            standard=standard,
            liked=bool(tastes.default),
            compared=self.compared,
        )
        refused: dict[str, list[str]] = {}
        for each in self.models:
            for name in self._chat.refuses(each):
                refused.setdefault(name, []).append(each)
        known = next((each for each in listing.models if each.name == name), None) if listing else None
        reasons = (known is None or known.reasoning is not False) and "reasoning_effort" not in refused
        self._effort.show(self.manner.options.reasoning_effort, offered=reasons)
        self._parameters.show(self.manner, refused, len(self.models), forced=forced, breakable=server == "rehearsal")
        default = tastes.default_preset
        self._presets.show(tastes.presets, self.manner.preset, standard=default.id if default else "")
        self._learn()
        self._changed()

    @property
    def preset(self) -> Preset | None:
        """The one that is in force, unchanged."""
        found = next((preset for preset in self._tastes.presets if preset.id == self.manner.preset), None)
        return found if found and found.manner == self.manner and found.model == self.model else None

    # What a person wants

    def ask(self, picked: Callable[[str], Awaitable[None]]) -> None:
        """Let a model be picked for this alone."""
        self._asking = picked
        self._picker.ask()

    async def _asked(self, model: str) -> None:
        asking, self._asking = self._asking, None
        if asking and model:
            await asking(model)

    async def _pick(self, value: str) -> None:
        if value.startswith(PRESET):
            await self.choose_preset(value.removeprefix(PRESET))
            return
        preset, self._picked, self.compared = self.preset, value, ()
        if preset:  # as it was: its manner goes with it
            await self._adjust(PLAIN, forced=True)
        else:
            self._show()

    async def _compare(self, models: Sequence[str]) -> None:
        if models:
            self._picked = models[0]
        self.compared = tuple(models) if len(models) > 1 else ()
        self._show()

    async def choose_preset(self, id: str) -> None:
        """Its model and its manner; without an id, neither."""
        preset = next((preset for preset in self._tastes.presets if preset.id == id), None)
        if preset:
            self._picked, self.compared = preset.model, ()
        await self._adjust(preset.manner if preset else PLAIN, forced=True)

    async def _save_preset(self, name: str) -> None:
        try:
            kept = await self._tastes.keep(name, self.model, self.manner)
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")
            return
        await self._adjust(kept.manner)

    async def _set_standard(self, value: str) -> None:
        await self._do(self._tastes.prefer(value))

    async def _set_effort(self, effort: str | None) -> None:
        await self._adjust(with_option(self.manner, "reasoning_effort", effort))

    async def _adjust(self, manner: Manner, *, forced: bool = False) -> None:
        self.manner = manner
        if self._conversation is not None:
            await self._do(self._chat.adjust(self._conversation, manner))
        self._show(forced=forced)

    async def _do(self, work: Awaitable[object]) -> None:
        try:
            await work
        except HeadraceError as exc:
            ui.notify(exc.message, type="warning", position="top")

    async def look_again(self) -> None:
        await self._chat.refresh_models(patient=True)
        self.show()
