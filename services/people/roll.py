"""Everybody who may come in, and who was taken out and may not any more: in memory once it was read, and in the store.

Who was taken out is kept: else whoever a provider knows would be back with their next login.
"""

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Literal, NamedTuple

import msgspec

from services.conversations import cleaned
from services.errors import Conflict, Invalid, NotFound, Unauthorized
from services.people.passwords import make
from services.persons import LOCAL, Person
from services.store.store import Store
from services.talks.once import new_id

PEOPLE = "person"  # in the store
NAME = re.compile(r"[^\s/@][^\n\r\t/]{0,79}")

Kind = Literal["none", "password", "oidc"]


class Terms(NamedTuple):
    """As settings have them: `password` is the hash of the first person's, `name` what that person is called, `session` in seconds."""

    kind: Kind = "none"
    name: str = "admin"
    password: str = ""
    session: float = 43_200.0


class Roll:
    def __init__(self, store: Store, terms: Terms) -> None:
        self._store = store
        self._terms = terms
        self._people: dict[str, Person] = {}
        self._removed: dict[str, Person] = {}

    async def load(self) -> None:
        """Again before each login: another process may have added some (`main.py person add`). Raises NotSaved."""
        found: dict[str, Person] = {}
        for id, body in (await self._store.access(PEOPLE)).items():
            with suppress(ValueError):
                found[id] = msgspec.json.decode(body, type=Person)
        first = found.get(LOCAL) or Person(LOCAL, self._terms.name, admin=True)
        if self._terms.kind == "password":
            first = msgspec.structs.replace(first, name=self._terms.name, password=self._terms.password)
        self._people = {id: person for id, person in found.items() if not person.removed} | {LOCAL: first}
        self._removed = {id: person for id, person in found.items() if person.removed}

    def __len__(self) -> int:
        return len(self._people)

    def __contains__(self, id: str) -> bool:
        return id in self._people

    def get(self, id: str) -> Person | None:
        return self._people.get(id)

    def person(self, id: str) -> Person:
        """Raises NotFound."""
        if person := self._people.get(id):
            return person
        raise NotFound("There is no such person.")

    def named(self, name: str) -> Person | None:
        """Who is alone need not say who they are."""
        wanted = name.strip().casefold()
        if not wanted and len(self._people) == 1:
            return self._people[LOCAL]
        return next((person for person in self._people.values() if person.name.casefold() == wanted), None)

    def all(self) -> list[Person]:
        """The first person, then by name."""
        return _by_name(self._people.values())

    def removed(self) -> list[Person]:
        return _by_name(self._removed.values())

    async def add(self, name: str, password: str, *, admin: bool) -> Person:
        """Raises Conflict for a name that is taken, and Invalid."""
        name = cleaned(name).strip()
        if not NAME.fullmatch(name):
            raise Invalid("A name has 1 to 80 characters, none of them / or a line end.")
        self._is_free(name)
        person = Person(new_id(), name, admin, await make(password), created=time.time())
        await self.keep(person)
        return person

    async def subject(self, subject: str, name: str, *, admin: bool) -> Person:
        """Who a provider says it is, from the first time on. The first admin to come is the local person. Raises Unauthorized."""
        if any(person.subject == subject for person in self._removed.values()):
            raise Unauthorized("An admin has taken you out of here. Only an admin can let you in again.")
        known = next((person for person in self._people.values() if person.subject == subject), None)
        if known is None and admin and not self._people[LOCAL].subject:
            known = self._people[LOCAL]
        known = known or Person(new_id(), name, created=time.time())
        said = msgspec.structs.replace(known, subject=subject, name=name, admin=admin)
        if said != known or known.id not in self._people:
            await self.keep(said)
        return said

    async def keep(self, person: Person) -> None:
        await self._store.admit(PEOPLE, person.id, msgspec.json.encode(person))
        self._people[person.id] = person

    def take_out(self, id: str) -> None:
        """At once, whatever the store does: `save_removed` is to follow. Raises NotFound, and Invalid for the first person."""
        if id == LOCAL:
            raise Invalid("The first person cannot be removed.")
        self._removed[id] = msgspec.structs.replace(self.person(id), removed=time.time())
        del self._people[id]

    async def save_removed(self, id: str) -> None:
        await self._store.admit(PEOPLE, id, msgspec.json.encode(self.gone(id)))

    def gone(self, id: str) -> Person:
        """One who was taken out. Raises NotFound."""
        if person := self._removed.get(id):
            return person
        raise NotFound("There is nobody like this who was removed.")

    async def let_in(self, id: str) -> None:
        """As they were. Raises NotFound, and Conflict where somebody has their name meanwhile."""
        person = self.gone(id)
        if person.password:
            self._is_free(person.name)
        await self.keep(msgspec.structs.replace(person, removed=0.0))
        del self._removed[id]

    async def forget(self, id: str) -> None:
        """One who was taken out, but for who would be back by their provider."""
        if not self.gone(id).subject:
            await self._store.admit(PEOPLE, id, None)
            del self._removed[id]

    def _is_free(self, name: str) -> None:
        if self.named(name):
            raise Conflict("There is somebody with this name already.")


def _by_name(people: Iterable[Person]) -> list[Person]:
    return sorted(people, key=lambda person: (person.id != LOCAL, person.name.casefold()))
