"""The model servers as they are set: shown, changed and tried out. A change holds at once, and what runs goes on.

What is set here goes into settings.json and nowhere else: settings.toml is never written. Of a server that settings.toml names,
settings.json has only what differs. No method gives a key away.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, NamedTuple

from services.errors import Conflict, HeadraceError, Rejected
from services.events import PartDelta
from services.generations.registry import Generations
from services.messages import Message, Text, Turn
from services.models import Listing, Server, Trial
from services.settings import Layers, Upstream
from services.talks.once import new_id
from services.upstream.attempts import Persistent
from services.upstream.catalogue import Catalogue
from services.upstream.configured import Assembly

QUESTION = "Say hello in one word."
PATIENCE = 60.0  # seconds for one word; a local server may have to load its model first
BUILTIN = "rehearsal"


class Installed(NamedTuple):
    """All that was said of the settings, and what makes upstreams of what it comes to."""

    layers: Layers
    assembly: Assembly


class Servers:
    def __init__(self, installed: Installed, catalogue: Catalogue, generations: Generations) -> None:
        self._layers, self._assembly = installed
        self._catalogue = catalogue
        self._generations = generations
        self._changing = asyncio.Lock()  # a change is made of what was there before it

    def list(self) -> list[Server]:
        """In the order in which a default model is looked for; what is built in comes last."""
        written = self._written()
        named = [self._server(upstream, written.get(upstream.name, {})) for upstream in self._layers.settings.upstreams]
        rehearsal = self._layers.settings.rehearsal.enabled
        fixed = self._layers.fixed("rehearsal.enabled")
        return [*named, Server(BUILTIN, "openai_chat", "", enabled=rehearsal, origin="builtin", fixed=fixed)]

    def listing(self, name: str) -> Listing | None:
        """What a server that is asked has told. None: it is not asked, because it is switched off, or is Headrace itself."""
        return next((listing for listing in self._catalogue.listings() if listing.name == name), None)

    @property
    def fixed(self) -> str | None:
        """The variable that names all servers, if one does: then none can be changed here."""
        return self._layers.fixed("upstreams")

    def fixed_by(self, key: str) -> str | None:
        """The same of any setting, such as chat.model."""
        return self._layers.fixed(key)

    def setting(self, key: str) -> object:
        section, _, name = key.partition(".")
        return getattr(getattr(self._layers.settings, section), name)

    def _server(self, upstream: Upstream, written: Mapping[str, Any]) -> Server:
        return Server(
            name=upstream.name,
            dialect=upstream.dialect,
            base_url=str(written.get("base_url", upstream.base_url)),
            key=_key(upstream, written),
            models=upstream.models,
            timeouts=upstream.timeouts.model_dump(exclude_none=True),
            enabled=upstream.enabled,
            origin=self._origin(upstream.name),
            fixed=self.fixed,
        )

    def _origin(self, name: str) -> Any:
        if self.fixed:
            return "variable"
        below, here = name in self._layers.upstreams_below(), name in self._here()
        return "both" if below and here else "file" if below else "page"

    def _written(self) -> dict[str, dict[str, Any]]:
        """As they stand in the two files, by name."""
        if self.fixed:
            return {}
        below, here = self._layers.upstreams_below(), self._here()
        return {name: {**below.get(name, {}), **here.get(name, {})} for name in [*below, *here]}

    def _here(self) -> dict[str, dict[str, Any]]:
        """Those of settings.json."""
        return {entry["name"]: dict(entry) for entry in self._layers.kept.get("upstreams", [])}

    # Changing. All raise Rejected, whose `fields` are told by the server's own field names, NotSaved, and Conflict where fixed.

    async def put(self, name: str, fields: Mapping[str, Any], key: str | None = None) -> None:
        """Set a server, a new one when `name` is "". `fields` as in [[upstreams]] but for the key; `key` None: as it was, "": none."""
        async with self._changing:
            await self._keep_servers(self._with(name, fields, key))

    async def switch(self, name: str, enabled: bool) -> None:
        async with self._changing:
            if name == BUILTIN:
                await self._keep(self._setting("rehearsal.enabled", enabled))
            else:
                here = self._here()
                await self._keep_servers({**here, name: {**here.get(name, {"name": name}), "enabled": enabled}})

    async def set(self, key: str, value: object) -> None:
        """Any other setting that may be kept here, such as chat.titles."""
        async with self._changing:
            await self._keep(self._setting(key, value))

    def _setting(self, key: str, value: object) -> dict[str, Any]:
        if fixed := self.fixed_by(key):
            raise Conflict(f"{key} is set by the {fixed}.")
        section, _, name = key.partition(".")
        return {**self._layers.kept, section: {**self._layers.kept.get(section, {}), name: value}}

    async def remove(self, name: str) -> None:
        """Forget what was set here of a server; one that settings.toml names is again as it stands there."""
        async with self._changing:
            await self._keep_servers({other: entry for other, entry in self._here().items() if other != name})

    async def _keep_servers(self, here: Mapping[str, Mapping[str, Any]]) -> None:
        if self.fixed:
            raise Conflict(f"The model servers are set by the {self.fixed}.")
        await self._keep(self._differing(here))

    async def _keep(self, kept: Mapping[str, Any]) -> None:
        try:
            settings = await asyncio.to_thread(self._layers.keep, kept)
        except Rejected as exc:
            raise _by_field(exc) from exc
        self._catalogue.replace(self._assembly.catalogue(settings))

    def _with(self, name: str, fields: Mapping[str, Any], key: str | None) -> dict[str, dict[str, Any]]:
        """Those of settings.json, this one among them."""
        here = self._here()
        entry = dict(fields)
        if key:
            entry["api_key"] = key
        elif key is None and "api_key" in here.get(name, {}):
            entry["api_key"] = here[name]["api_key"]
        elif key == "":
            entry["api_key"] = None
        if entry.get("name") != name and entry.get("name") in self._written():
            raise Rejected("There is a server of this name.", {("name",): "expected another name: there is a server called so"})
        return {other: one for other, one in here.items() if other != name} | {str(entry.get("name")): entry}

    def _differing(self, here: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """settings.json with these servers, without what settings.toml says by itself."""
        below = self._layers.upstreams_below()
        entries = []
        for name, entry in here.items():
            under = {**_DEFAULTS, **below[name]} if name in below else _DEFAULTS
            differs = {field: value for field, value in entry.items() if field == "name" or value != under.get(field)}
            if name not in below or len(differs) > 1:
                entries.append(differs)
        return {**self._layers.kept, "upstreams": entries}

    # Trying out

    async def try_out(self, name: str, fields: Mapping[str, Any] | None = None, key: str | None = None) -> Trial:
        """One word of a server, as it is set or, with `fields`, as it would be. Raises Rejected; what the server does is told."""
        settings = self._layers.settings
        if fields is not None:
            try:
                settings = self._layers.accept(self._differing(self._with(name, fields, key)))
            except Rejected as exc:
                raise _by_field(exc) from exc
            name = str(fields["name"])
        upstream = self._assembly.make(name, settings)
        named = next((one.models for one in settings.upstreams if one.name == name), ())
        try:
            async with asyncio.timeout(PATIENCE):
                model = named[0] if named else await _first(upstream)
                return await self._one_word(upstream, model)
        except TimeoutError:
            return Trial(problem=f"No word came within {PATIENCE:.0f} s.")
        except HeadraceError as exc:
            return Trial(problem=exc.message)

    async def _one_word(self, upstream: Persistent, model: str) -> Trial:
        """By the path of every other answer: a generation, its log, a reader."""
        self._generations.admit()
        asked = Turn(model, (Message("user", (Text(QUESTION),)),), client="settings", on_disconnect="stop", tries=1)
        named = Turn(f"{upstream.name}/{model}", asked.messages, client=asked.client, on_disconnect="stop", tries=1)
        id = new_id()
        self._generations.start(id, named, lambda _, emit: upstream.read(asked, emit))
        try:
            async with aclosing(self._generations.follow(id, 0)) as batches:
                async for batch in batches:
                    if any(isinstance(entry.event, PartDelta) and entry.event.text.strip() for entry in batch):
                        break
        finally:
            reply = await self._generations.stop(id)
        if reply.problem:
            problem = f"{reply.problem.message} {reply.problem.upstream or ''}".strip()
        else:
            problem = "" if reply.parts else "The model ended its answer without a word."
        return Trial(model, reply.message.text.strip()[:40], reply.ttft_ms, problem or None)


_DEFAULTS = {"models": [], "timeouts": {}, "enabled": True, "api_key": None}


def _key(upstream: Upstream, written: Mapping[str, Any]) -> str:
    if upstream.api_key is None:
        return ""
    text = written.get("api_key")
    return text if isinstance(text, str) and re.fullmatch(r"\$\{\w+\}", text) else "set"


def _by_field(rejected: Rejected) -> Rejected:
    """What is wrong by the field of the one server that was changed: name, base_url, timeouts.gap."""
    fields: dict[tuple[int | str, ...], str] = {}
    for loc, problem in rejected.fields.items():
        if loc[0] == "upstreams":
            fields[".".join(map(str, loc[2:])) or "name",] = problem
    return Rejected(rejected.message, fields)


async def _first(upstream: Persistent) -> str:
    """A model to try: the first one that does not look as if it only made vectors."""
    names = [model.name for model in await upstream.models()]
    if not names:
        raise Conflict("The server answers, but has no models.")
    return next((name for name in names if "embed" not in name.lower()), names[0])
