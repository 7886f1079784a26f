"""What stands behind `main.py check`: the arguments, everything built once as for a start, the record written."""

import asyncio
import sys
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from services.chat import Chat
from services.check.record import DataPath, Record, examined, markdown
from services.errors import HeadraceError, Invalid
from services.generations.memory import MemoryJournal
from services.settings import Settings, load, settings_file, without_password
from services.store.memory import MemoryStore
from services.upstream.configured import Assembly
from services.upstream.connections import Connections


class Arguments(NamedTuple):
    """What stands after `main.py check`. `flags` are the settings' own."""

    model: str
    json: bool
    flags: list[str]

    @classmethod
    def read(cls, words: Sequence[str]) -> "Arguments":
        """Raises Invalid for more than one model."""
        models, flags, rest = [], [], [word for word in words if word != "--json"]
        while rest:
            word = rest.pop(0)
            if not word.startswith("-"):
                models.append(word)
                continue
            flags.append(word)
            if "=" not in word and rest and not rest[0].startswith("--"):
                flags.append(rest.pop(0))
        if len(models) > 1:
            raise Invalid(f"Expected one model, or none for the default one, got {len(models)}: {', '.join(models)[:200]}.")
        return cls(models[0] if models else "", "--json" in words, flags)


def check(words: list[str]) -> int:
    """`main.py check`: write the record of this installation; the exit code, 0 when a model has answered."""
    try:
        asked = Arguments.read(words)
        settings = load(asked.flags)
    except HeadraceError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    record = asyncio.run(_examine(settings, asked.model))
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(record)).decode() + "\n" if asked.json else markdown(record))
    if record.problem:
        sys.stderr.write(f"{record.problem}\n")
    return 1 if record.problem else 0


async def _examine(settings: Settings, model: str) -> Record:
    """Every server is asked, also one whose models the settings name, and more patiently than at a start."""
    patient = settings.model_copy(update={"chat": settings.chat.model_copy(update={"probe": max(settings.chat.probe, 2.0)})})
    unnamed = tuple(upstream.model_copy(update={"models": ()}) for upstream in settings.upstreams)
    file = settings_file()
    data = DataPath(
        str(file) if file.exists() else f"no {file}: the defaults", settings.storage.journal, without_password(settings.storage.url)
    )
    connections = Connections()
    try:
        assembly = Assembly(connections, settings.server.port)
        asked = assembly.catalogue(patient.model_copy(update={"upstreams": unnamed}))
        chat = Chat(assembly.catalogue(patient), MemoryStore(), MemoryJournal())
        await asyncio.gather(asked.refresh(), chat.refresh_models())
        return await examined(chat, model, asked.listings(), data)
    finally:
        await connections.close()
