"""A Headrace with a login, people and keys in it, as a fixture for the tests of API and screen."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from services.people.keys import KEYS
from services.people.passwords import hashed
from services.people.people import People
from services.people.roll import Terms
from services.people.tokens import digest, new_key
from services.persons import ANYBODY, SCOPES, Key, Limits, Scope, Who
from services.store import open_store
from tests.serving import Served, served

ADMIN, ADA, BOB = ("admin", "the first person's"), ("Ada", "ada's password"), ("Bob", "bob's password")


class Guarded(NamedTuple):
    """`keys` by what each is for."""

    url: str
    keys: dict[str, str]
    served: Served

    def client(self, key: str = "", **headers: str) -> httpx.Client:
        headers |= {"authorization": f"Bearer {self.keys[key]}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    @contextmanager
    def logged_in(self, who: tuple[str, str]) -> Iterator[httpx.Client]:
        with self.client() as client:
            answer = client.post("/login", data={"name": who[0], "password": who[1]})
            assert answer.status_code == 303, answer.text
            yield client


async def _fill(folder: Path) -> dict[str, str]:
    store = open_store("sqlite:///data/headrace.db", folder)
    people = People(store, Terms("password"))
    found: dict[str, str] = {}

    async def make(name: str, who: Who, scopes: tuple[Scope, ...], limits: Limits = Limits()) -> str:  # noqa: B008
        key, found[name] = await people.make_key(who, name, scopes, 0.0, limits)
        return key.id

    ada = await people.add(ANYBODY, *ADA)
    bob = await people.add(ANYBODY, *BOB)
    of_ada, of_bob = (Who(person.id, person.scopes) for person in (ada, bob))
    await make("admin", ANYBODY, SCOPES)
    await make("ada", of_ada, ("read", "chat"))
    await make("ada reads", of_ada, ("read",))
    await make("bob", of_bob, ("read", "chat"))
    await make("few", of_bob, ("read", "chat"), Limits(per_minute=3))
    await make("one", of_bob, ("read", "chat"), Limits(at_once=1))
    await make("poor", of_bob, ("read", "chat"), Limits(tokens=2))
    await people.revoke(of_ada, await make("revoked", of_ada, ("read", "chat")))
    found["wrong"], found["expired"] = new_key(), new_key()
    old = Key(digest(found["expired"]), ada.id, "expired", "", ("read", "chat"), time.time() - 9, time.time() - 1)
    await store.admit(KEYS, old.id, msgspec.json.encode(old))
    await people.close()
    await store.close()
    return found


@contextmanager
def guarded(folder: Path, more: str = "") -> Iterator[Guarded]:
    keys = asyncio.run(_fill(folder))
    settings = (
        f"[login]\nkind = 'password'\npassword = '{hashed(ADMIN[1])}'\n[gate]\nproxies = ['127.0.0.5']\n[rehearsal]\nspeed = 200.0\n{more}"
    )
    with served(folder, settings) as running:
        yield Guarded(running.url, keys, running)
    log = (folder / "log").read_text()
    assert "Traceback" not in log
    assert not any(key in log for key in keys.values()), "a key is in the log"
