"""All who may come in, by a login or by a key; what a cookie or a key proves; and the moment in which it does not any more.

Everything is in memory once it was asked for, and written to the store before it counts. What ends, ends at once: whoever has
something open is told by `watch`.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec

from services.errors import Forbidden, HeadraceError, Invalid, TooMany, Unauthorized
from services.people.attempts import Attempts
from services.people.keys import Keys
from services.people.passwords import fits, make
from services.people.roll import Roll, Terms
from services.people.tokens import digest, new_token
from services.persons import LOCAL, Key, Limits, Person, Scope, Session, Use, Who
from services.store.store import Store

SESSIONS = "session"  # in the store
TICK = 20.0  # seconds between two looks for what has expired
WRONG = "The name or the password is wrong."


class People:
    def __init__(self, store: Store, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self._store = store
        self._keys = Keys(store)
        self._roll = Roll(store, self.terms)
        self._sessions: dict[str, Session] = {}
        self._attempts = Attempts()
        self._watchers: list[Callable[[str], None]] = []
        self._loading: asyncio.Task[None] | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """There is no login: whoever comes is the local person."""
        return self.terms.kind == "none"

    def watch(self, ended: Callable[[str], None]) -> Callable[[], None]:
        """Call `ended(id)` when a session or a key ends, in the same moment. Returns the function that ends this."""
        self._watchers.append(ended)
        return lambda: self._watchers.remove(ended)

    def _tell(self, ids: Iterable[str]) -> None:
        for id in list(ids):
            for ended in tuple(self._watchers):
                ended(id)

    # From the store

    async def load(self) -> None:
        """Returns at once when it was done before. Raises NotSaved while the store cannot be read: then nobody comes in."""
        if self._loading is None or (self._loading.done() and (self._loading.cancelled() or self._loading.exception())):
            self._loading = asyncio.get_running_loop().create_task(self._load())
        if not self._loading.done():
            await asyncio.shield(self._loading)

    async def _load(self) -> None:
        await self._roll.load()
        now = time.time()
        for id, body in (await self._store.access(SESSIONS)).items():
            with suppress(ValueError):
                session = msgspec.json.decode(body, type=Session)
                if session.expires > now and session.person in self._roll:
                    self._sessions[id] = session
                else:
                    await self._store.admit(SESSIONS, id, None)
        await self._keys.load()
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = time.time()
            over = [id for id, session in self._sessions.items() if session.expires <= now]
            for id in over:
                del self._sessions[id]
            self._tell([*over, *self._keys.expired()])
            with suppress(HeadraceError):
                for id in over:
                    await self._store.admit(SESSIONS, id, None)
            await self._keys.save()

    async def close(self) -> None:
        if self._ticking:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
            await self._keys.save()

    # What is proved

    async def by_key(self, token: str) -> Who | None:
        await self.load()
        key = self._keys.find(token)
        person = self._roll.get(key.person) if key else None
        return Who(person.id, person.scopes & set(key.scopes), key=key.id) if key and person else None

    async def by_cookie(self, token: str) -> Who | None:
        await self.load()
        session = self._sessions.get(digest(token))
        person = self._roll.get(session.person) if session and session.expires > time.time() else None
        return Who(person.id, person.scopes, session=session.id) if session and person else None

    def alive(self, who: Who) -> bool:
        """What proved it still does. For what is open: every event of a page asks."""
        if who.key:
            return self._keys.there(who.key)
        if who.session:
            session = self._sessions.get(who.session)
            return session is not None and session.expires > time.time()
        return self.open

    # Coming and going

    async def login(self, name: str, password: str, address: str) -> tuple[Session, str]:
        """A new session, and what its cookie holds. Raises TooMany, and Unauthorized, which does not say whether the name is known."""
        await self.load()
        await self._roll.load()
        now, account = time.time(), name.strip().casefold()[:100]
        if wait := self._attempts.wait(address, account, now):
            raise TooMany(f"Too many wrong tries. Try again in {wait:.0f} seconds.", wait)
        person = self._roll.named(name)
        self._attempts.wrong(address, account, now)  # until it turns out otherwise: many at once are no way around the limit
        if not await fits(password, person.password if person else ""):
            raise Unauthorized(WRONG)
        self._attempts.right(address, account, now)
        assert person is not None
        return await self.enter(person)

    @property
    def several(self) -> bool:
        return len(self._roll) > 1

    async def enter(self, person: Person) -> tuple[Session, str]:
        """Who has proved who they are."""
        token = new_token()
        session = Session(digest(token), person.id, time.time() + self.terms.session)
        await self._store.admit(SESSIONS, session.id, msgspec.json.encode(session))
        self._sessions[session.id] = session
        return session, token

    async def subject(self, subject: str, name: str, *, admin: bool) -> Person:
        """Who an OIDC provider says it is: see Roll.subject."""
        await self.load()
        return await self._roll.subject(subject, name, admin=admin)

    async def logout(self, session: str) -> None:
        if self._sessions.pop(session, None):
            self._tell([session])
            await self._store.admit(SESSIONS, session, None)

    # People

    def person(self, id: str) -> Person | None:
        return self._roll.get(id)

    def all(self, who: Who) -> list[Person]:
        _only_admins(who)
        return self._roll.all()

    def removed(self, who: Who) -> list[Person]:
        """Who was taken out, and can be let in again."""
        _only_admins(who)
        return self._roll.removed()

    async def add(self, who: Who, name: str, password: str, *, admin: bool = False) -> Person:
        """Raises Forbidden, Conflict for a name that is taken, and Invalid."""
        _only_admins(who)
        await self.load()
        await self._roll.load()
        return await self._roll.add(name, password, admin=admin)

    async def change_password(self, who: Who, current: str, password: str) -> None:
        """One's own: whoever finds a page open cannot lock its owner out. Raises TooMany, and Invalid for a wrong one."""
        person, now = self._roll.person(who.person), time.time()
        if wait := self._attempts.wait("", person.id, now):
            raise TooMany(f"Too many wrong tries. Try again in {wait:.0f} seconds.", wait)
        self._attempts.wrong("", person.id, now)
        if not await fits(current, person.password):
            raise Invalid("The password that you have now is another one.")
        self._attempts.right("", person.id, now)
        await self._set_password(person, password, who.session)

    async def set_password(self, who: Who, id: str, password: str) -> None:
        """By an admin. All sessions of that person end."""
        _only_admins(who)
        await self._set_password(self._roll.person(id), password, who.session)

    async def _set_password(self, person: Person, password: str, but: str) -> None:
        if person.id == LOCAL and self.terms.kind == "password":
            raise Invalid("The first person's password stands in the settings (login.password): make a new one with `main.py password`.")
        await self._roll.keep(msgspec.structs.replace(person, password=await make(password)))
        await self._end(session for session in self._of(person.id) if session != but)

    async def set_admin(self, who: Who, id: str, admin: bool) -> None:
        """What they have open ends: it might show what is not theirs to see any more."""
        _only_admins(who)
        if id == LOCAL:
            raise Invalid("The first person stays an admin: somebody has to.")
        await self._roll.keep(msgspec.structs.replace(self._roll.person(id), admin=admin))
        await self._end(self._of(id))

    async def remove(self, who: Who, id: str) -> None:
        """They cannot come in any more, until an admin lets them; their keys and sessions end. What was theirs stays in the store."""
        _only_admins(who)
        self._roll.take_out(id)
        await self._end(self._of(id))
        for key, _ in self._keys.of(id):
            await self._revoke(id, key.id)
        await self._roll.save_removed(id)

    async def let_in(self, who: Who, id: str) -> None:
        """Somebody who was removed: as they were, but for their keys and logins. Raises NotFound and Conflict."""
        _only_admins(who)
        await self._roll.let_in(id)

    def gone(self, who: Who, id: str) -> Person:
        """Somebody who was removed. Raises NotFound."""
        _only_admins(who)
        return self._roll.gone(id)

    async def forget(self, who: Who, id: str) -> None:
        """Somebody who was removed, and of whom nothing is here any more; a mark stays of who would be back by their provider."""
        _only_admins(who)
        await self._roll.forget(id)

    def _of(self, person: str) -> list[str]:
        return [id for id, session in self._sessions.items() if session.person == person]

    async def _end(self, sessions: Iterable[str]) -> None:
        for id in list(sessions):
            await self.logout(id)

    # Keys

    def keys(self, who: Who) -> list[tuple[Key, Use]]:
        return self._keys.of(who.person)

    async def make_key(self, who: Who, name: str, scopes: Iterable[Scope], expires: float, limits: Limits) -> tuple[Key, str]:
        """See Keys.make. A key makes no keys: whoever finds one must not be able to stay."""
        if who.key:
            raise Forbidden("A key cannot make another one: log in.")
        await self.load()
        return await self._keys.make(who, name, scopes, expires, limits)

    async def revoke(self, who: Who, key: str) -> None:
        """Raises NotFound for somebody else's, too."""
        await self._revoke(who.person, key)

    async def _revoke(self, person: str, key: str) -> None:
        try:
            await self._keys.revoke(person, key)
        finally:
            if not self._keys.there(key):
                self._tell([key])

    def counted(self, who: Who) -> "Keys | None":
        """Where a request of who asks is counted, if anywhere."""
        return self._keys if who.key else None

    def admit(self, who: Who, running: Callable[[str], int]) -> None:
        """A reply is asked for. Raises TooMany, and Forbidden for what was revoked meanwhile."""
        if who.key:
            self._keys.admit(who.key, running(who.key))

    def spend(self, key: str, tokens: int) -> None:
        self._keys.spend(key, tokens)


def _only_admins(who: Who) -> None:
    if not who.admin:
        raise Forbidden("Only an admin may do this.")
