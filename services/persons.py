"""Who asks: a person, by a login or by a key, and what they may do. Pure values.

read    see models, and what belongs to this person: replies, records, files
chat    ask models, stop replies, attach files
admin   what concerns everybody: model servers, people, figures of the whole house
"""

from typing import Literal, NamedTuple, get_args

import msgspec

LOCAL = "local"  # the only person where there is no login, the first one where there is
WHO = "headrace.who"  # of a request's scope: the Who that services/api/guard.py has found

Scope = Literal["read", "chat", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Who(NamedTuple):
    """`person` is an id. `key` and `session` are the ids of what proved it; without a login there is no proof, and both are empty."""

    person: str
    scopes: frozenset[Scope]
    key: str = ""
    session: str = ""

    @property
    def admin(self) -> bool:
        return "admin" in self.scopes


ANYBODY = Who(LOCAL, frozenset(SCOPES))  # where there is no login


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """`password` is an argon2id hash, or nothing for who comes in by `subject`: what an OIDC provider calls them, after its own URL.

    `removed`: when an admin has taken them out, in Unix seconds; 0: they may come in.
    """

    id: str
    name: str
    admin: bool = False
    password: str = ""
    subject: str = ""
    created: float = 0.0
    removed: float = 0.0

    @property
    def scopes(self) -> frozenset[Scope]:
        return frozenset(SCOPES if self.admin else SCOPES[:2])


class Limits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a key: requests in a minute, requests and replies at the same time, tokens in a day (UTC). 0: as many as one likes."""

    per_minute: int = 0
    at_once: int = 0
    tokens: int = 0


class Key(msgspec.Struct, frozen=True, omit_defaults=True):
    """An API key without the key: `id` is the SHA-256 of it, `start` its first characters. `expires` in Unix seconds, 0: never."""

    id: str
    person: str
    name: str
    start: str
    scopes: tuple[Scope, ...]
    created: float
    expires: float = 0.0
    limits: Limits = Limits()


class Use(msgspec.Struct, omit_defaults=True):
    """Of a key: when it was used last, and the tokens of the `day` (since 1970, UTC) on which any were used last."""

    at: float = 0.0
    day: int = 0
    tokens: int = 0


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """A login: `id` is the SHA-256 of what the cookie holds."""

    id: str
    person: str
    expires: float


class Entrance(NamedTuple):
    """What the way in has to show. `kind` as in the settings; `named`: people have to say who they are; `wrong` is a sentence, or nothing.

    `next` is where it leads, `accepted` the languages that the browser asks for.
    """

    kind: str
    named: bool
    name: str = ""
    next: str = "/"
    wrong: str = ""
    accepted: str = ""
