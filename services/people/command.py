"""What stands behind `main.py password` and `main.py person add NAME`: a password is typed twice, unseen, or piped in as one line."""

import asyncio
import getpass
import sys
from collections.abc import Callable, Mapping, Sequence

from services.errors import HeadraceError, Invalid
from services.people.passwords import hashed
from services.people.people import People
from services.persons import ANYBODY
from services.settings import read
from services.store import open_store
from services.store.store import Store

USAGE = "usage: main.py person add NAME [--admin] [--KEY VALUE]..."


def password(words: Sequence[str]) -> int:
    """Writes the line for login.password; the exit code."""
    try:
        sys.stdout.write(f"{hashed(_typed())}\n")
    except HeadraceError as exc:
        return _complain(str(exc))
    return 0


def person(words: Sequence[str]) -> int:
    """Adds somebody to the database that the settings name, also while Headrace runs."""
    if len(words) < 2 or words[0] != "add" or words[1].startswith("-"):
        return _complain(USAGE)
    try:
        settings = read([word for word in words[2:] if word != "--admin"])
        if settings.settings.storage.database == "memory":
            raise Invalid("storage.database is memory: nobody would be kept in it.")
        asyncio.run(_add(open_store(settings.settings.storage.url, settings.home), words[1], "--admin" in words))
    except HeadraceError as exc:
        return _complain(str(exc))
    return 0


async def _add(store: Store, name: str, admin: bool) -> None:
    people = People(store)
    try:
        await people.add(ANYBODY, name, _typed(), admin=admin)
        sys.stdout.write(f"{name} can log in now, once login.kind is password.\n")
    finally:
        await people.close()
        await store.close()


def _typed() -> str:
    """Raises Invalid when the two are not the same."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise Invalid("These were two different passwords.")
    return first


def _complain(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 2


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {"password": password, "person": person}
