"""Tickets for the probe: `/lab/probe/{ticket}` answers to these only, for a minute. In memory, bounded."""

import secrets
from collections import OrderedDict
from collections.abc import Callable

MOST = 64
VALID = 60.0  # seconds
USES = 40


class Tickets:
    """`clock` tells seconds. `pause` is how long a client may have to wait for a sign of life: the probe is silent as long."""

    def __init__(self, clock: Callable[[], float], pause: float = 15.0) -> None:
        self._clock = clock
        self._tickets: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self.pause = pause

    def issue(self) -> str:
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = (self._clock() + VALID, USES)
        while len(self._tickets) > MOST:
            self._tickets.popitem(last=False)
        return ticket

    def use(self, ticket: str) -> bool:
        until, left = self._tickets.get(ticket, (0.0, 0))
        if left < 1 or self._clock() > until:
            self._tickets.pop(ticket, None)
            return False
        self._tickets[ticket] = (until, left - 1)
        return True
