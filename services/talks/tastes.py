"""What a person likes to ask: presets, the model for new chats, the models used last. Kept in the store's preferences.

It is read once; until the store can be read, nothing is set: it would be written over what is there.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from services.conversations import cleaned
from services.errors import Conflict, HeadraceError, Invalid, NotFound
from services.manner import LONGEST, Manner, Preset, presets
from services.persons import LOCAL
from services.store.store import Store
from services.talks.once import new_id

PRESETS, DEFAULT, RECENT = "presets", "default model", "recent models"
MOST = 200  # presets
NAME = 80  # characters of a preset's name
LAST = 6  # models used last
PRESET = "preset:"  # before the id of a preset, where a model could stand, too


class Tastes:
    """`default` is a model's full name, `preset:<id>`, or nothing. `recent` are full names, the one used last first."""

    def __init__(self, store: Store, person: str = LOCAL) -> None:
        self._store = store
        self._person = person
        self._loading: asyncio.Task[None] | None = None
        self._loaded = False
        self._changing = asyncio.Lock()  # presets are kept together: a change is made of what was there before it
        self._watchers: list[Callable[[], None]] = []
        self.presets: tuple[Preset, ...] = ()
        self.default = ""
        self.recent: tuple[str, ...] = ()

    async def load(self) -> None:
        """Returns at once when it was done before. A store that cannot be read now is asked again next time."""
        with suppress(HeadraceError):
            await self._known()

    async def _known(self) -> None:
        """The same; raises NotSaved where it cannot be read now."""
        if self._loaded:
            return
        if self._loading is None or self._loading.done():
            self._loading = asyncio.get_running_loop().create_task(self._load())
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        kept = await self._store.preferences(self._person)
        self.presets = presets(kept.get(PRESETS, ""))
        self.default = kept.get(DEFAULT, "")
        self.recent = tuple(kept.get(RECENT, "").split("\n"))[:LAST] if kept.get(RECENT) else ()
        self._loaded = True

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def _changed(self) -> None:
        for changed in tuple(self._watchers):
            changed()

    @property
    def model(self) -> str:
        """The default model, that of the default preset if it is one."""
        preset = self.default_preset
        return preset.model if preset else "" if self.default.startswith(PRESET) else self.default

    @property
    def default_preset(self) -> Preset | None:
        return next((preset for preset in self.presets if PRESET + preset.id == self.default), None)

    def preset(self, id: str) -> Preset:
        """Raises NotFound."""
        for preset in self.presets:
            if preset.id == id:
                return preset
        raise NotFound("This preset is not here: it was deleted.")

    async def keep(self, name: str, model: str, manner: Manner) -> Preset:
        """Under a name that is there already it takes the other's place. Raises Invalid, Conflict, NotSaved."""
        name = _name(name)
        if len(manner.system) > LONGEST:
            raise Invalid(f"The system prompt has {len(manner.system):,} characters; {LONGEST:,} can be kept.")
        async with self._changing:
            await self._known()
            old = next((preset for preset in self.presets if preset.name == name), None)
            if old is None and len(self.presets) >= MOST:
                raise Conflict(f"There are {MOST} presets already. Delete one first.")
            id = old.id if old else new_id()
            preset = Preset(id, name, model, msgspec.structs.replace(manner, preset=id))
            await self._keep([*(each for each in self.presets if each.id != id), preset])
            return preset

    async def rename(self, id: str, name: str) -> None:
        name = _name(name)
        async with self._changing:
            await self._known()
            if any(preset.name == name and preset.id != id for preset in self.presets):
                raise Conflict("Another preset has this name.")
            renamed = msgspec.structs.replace(self.preset(id), name=name)
            await self._keep([renamed if preset.id == id else preset for preset in self.presets])

    async def drop(self, id: str) -> None:
        async with self._changing:
            await self._known()
            self.preset(id)
            await self._keep([preset for preset in self.presets if preset.id != id])
        if self.default == PRESET + id:
            await self.prefer("")

    async def _keep(self, presets: Sequence[Preset]) -> None:
        kept = tuple(sorted(presets, key=lambda preset: preset.name.casefold()))
        await self._store.prefer(self._person, PRESETS, msgspec.json.encode(kept).decode())
        self.presets = kept
        self._changed()

    async def prefer(self, default: str) -> None:
        """The model, or the preset, that new chats begin with; nothing for what the settings say. Raises NotFound, NotSaved."""
        await self._known()
        if default.startswith(PRESET):
            self.preset(default.removeprefix(PRESET))
        await self._store.prefer(self._person, DEFAULT, default or None)
        self.default = default
        self._changed()

    async def forget(self) -> None:
        """Everything. Raises NotSaved."""
        async with self._changing:
            await self._known()
            for name in (PRESETS, DEFAULT, RECENT):
                await self._store.prefer(self._person, name, None)
            self.presets, self.default, self.recent = (), "", ()
            self._changed()

    async def used(self, models: Sequence[str]) -> None:
        """These were asked just now."""
        await self.load()
        recent = tuple(dict.fromkeys([*models, *self.recent]))[:LAST]
        if self._loaded and recent != self.recent:
            self.recent = recent
            with suppress(HeadraceError):  # nobody misses it
                await self._store.prefer(self._person, RECENT, "\n".join(recent))
            self._changed()


def _name(name: str) -> str:
    name = " ".join(cleaned(name).split())
    if not name:
        raise Invalid("The name is empty.")
    return name if len(name) <= NAME else name[: NAME - 1] + "…"
