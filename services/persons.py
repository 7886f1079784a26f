"""Who asks: a person, by a login or by a key, and what they may do. Pure values.

read    see models, and what belongs to this person: replies, records, files
chat    ask models, stop replies, attach files
admin   what concerns everybody: model servers, people, figures of the whole house
"""

from typing import Literal, NamedTuple, get_args

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
