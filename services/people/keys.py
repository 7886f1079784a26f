"""API keys: made, looked up, counted, revoked. All of them are in memory, so that no request waits for the store."""

import hmac
import time
from collections import deque
from collections.abc import Iterable

import msgspec

from services.conversations import cleaned
from services.errors import Forbidden, HeadraceError, Invalid, NotFound, TooMany
from services.people.tokens import SHOWN, digest, new_key
from services.persons import Key, Limits, Scope, Use, Who
from services.store.store import Store

KEYS, USES = "key", "use"  # in the store
NAME = 80  # characters
MOST = 200  # keys of one person
DAY = 86_400
MINUTE = 60.0


class Keys:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[str, Key] = {}
        self._uses: dict[str, Use] = {}
        self._lately: dict[str, deque[float]] = {}
        self._open: dict[str, int] = {}
        self._changed: set[str] = set()  # uses that the store does not have yet

    async def load(self) -> None:
        now = time.time()
        for id, body in (await self._store.access(KEYS)).items():
            try:
                key = msgspec.json.decode(body, type=Key)
            except ValueError:
                continue  # damaged: nobody comes in by it
            if not key.expires or key.expires > now:
                self._keys[id] = key
        for id, body in (await self._store.access(USES)).items():
            if id in self._keys:
                self._uses[id] = _use(body)

    def find(self, token: str) -> Key | None:
        """The time that it takes says nothing about a key: what is looked up is its hash, and that is compared as a whole."""
        wanted = digest(token)
        key = self._keys.get(wanted)
        if key is None or not hmac.compare_digest(key.id, wanted):
            return None
        return key if not key.expires or key.expires > time.time() else None

    def there(self, id: str) -> bool:
        key = self._keys.get(id)
        return key is not None and (not key.expires or key.expires > time.time())

    def of(self, person: str) -> list[tuple[Key, Use]]:
        """The newest one first; also those that have expired since the start."""
        mine = [key for key in self._keys.values() if key.person == person]
        return [(key, self._uses.get(key.id, Use())) for key in sorted(mine, key=lambda key: -key.created)]

    async def make(self, who: Who, name: str, scopes: Iterable[Scope], expires: float, limits: Limits) -> tuple[Key, str]:
        """A new key, and the key itself, which is never seen again. Raises Invalid, and Forbidden for more than who asks may."""
        wanted = tuple(sorted(set(scopes)))
        name = " ".join(cleaned(name).split())[:NAME]
        if not name:
            raise Invalid("Give the key a name, such as that of the program that will use it.")
        if not wanted:
            raise Invalid("A key that may do nothing is of no use: choose what it may do.")
        if not set(wanted) <= who.scopes:
            raise Forbidden("A key may not do more than who makes it.")
        if expires and expires <= time.time():
            raise Invalid("The key would have expired already.")
        if min(limits.per_minute, limits.at_once, limits.tokens) < 0:
            raise Invalid("A limit is a whole number; 0 is none.")
        if sum(key.person == who.person for key in self._keys.values()) >= MOST:
            raise Invalid(f"There are {MOST} keys already. Revoke one first.")
        token = new_key()
        key = Key(digest(token), who.person, name, token[: SHOWN + 3], wanted, time.time(), expires, limits)
        await self._store.admit(KEYS, key.id, msgspec.json.encode(key))
        self._keys[key.id] = key
        return key, token

    async def revoke(self, person: str, id: str) -> None:
        """At once, whatever the store does. Raises NotFound, and NotSaved when a restart would bring it back."""
        key = self._keys.get(id)
        if key is None or key.person != person:
            raise NotFound("This key is not here: it was revoked.")
        del self._keys[id]
        for gone in (self._uses, self._lately):
            gone.pop(id, None)
        self._changed.discard(id)
        await self._store.admit(KEYS, id, None)
        await self._store.admit(USES, id, None)

    def expired(self) -> list[str]:
        """Ids of those whose time is over."""
        now = time.time()
        return [key.id for key in self._keys.values() if key.expires and key.expires <= now]

    # Limits

    def enter(self, id: str) -> None:
        """A request with this key begins; it ends with `leave`. Raises TooMany."""
        key, now = self._keys[id], time.time()
        limits = key.limits
        if limits.at_once and self._open.get(id, 0) >= limits.at_once:
            raise TooMany(f"This key may have {limits.at_once} requests open at the same time.", 1.0)
        if limits.per_minute:
            lately = self._lately.setdefault(id, deque())
            while lately and lately[0] <= now - MINUTE:
                lately.popleft()
            if len(lately) >= limits.per_minute:
                raise TooMany(f"This key may make {limits.per_minute} requests in a minute.", lately[0] + MINUTE - now)
            lately.append(now)
        self._open[id] = self._open.get(id, 0) + 1
        self._use(id).at = now

    def leave(self, id: str) -> None:
        self._open[id] -= 1
        if not self._open[id]:
            del self._open[id]

    def admit(self, id: str, running: int) -> None:
        """A reply is asked for, while so many of this key run. Raises TooMany, and Forbidden when the key has gone meanwhile."""
        key, now = self._keys.get(id), time.time()
        if key is None:
            raise Forbidden("This key was revoked.")
        limits, use = key.limits, self._use(id)
        if limits.at_once and running >= limits.at_once:
            raise TooMany(f"This key may have {limits.at_once} replies running at the same time.", 1.0)
        if limits.tokens and use.day == now // DAY and use.tokens >= limits.tokens:
            raise TooMany(f"This key has used its {limits.tokens:,} tokens of today (UTC).", DAY - now % DAY)

    def spend(self, id: str, tokens: int) -> None:
        """A reply has ended."""
        if id in self._keys:
            use, today = self._use(id), int(time.time() // DAY)
            use.tokens = tokens + (use.tokens if use.day == today else 0)
            use.day = today

    def _use(self, id: str) -> Use:
        self._changed.add(id)
        return self._uses.setdefault(id, Use())

    async def save(self) -> None:
        """What was used; nothing depends on the last minute of it. Raises nothing."""
        changed, self._changed = self._changed, set()
        for id in changed:
            if use := self._uses.get(id):  # it may be revoked while others are saved
                try:
                    await self._store.admit(USES, id, msgspec.json.encode(use))
                except HeadraceError:
                    self._changed.add(id)


def _use(body: bytes) -> Use:
    try:
        return msgspec.json.decode(body, type=Use)
    except ValueError:
        return Use()
