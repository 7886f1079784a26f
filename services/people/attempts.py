"""How often a password may be tried. Pure: who asks gives the moment."""

from collections import OrderedDict, deque
from contextlib import suppress
from ipaddress import IPv6Address

WINDOW = 60.0  # seconds
FROM_ONE = 5  # wrong tries from one address, and for one account from one address
FOR_ONE = 50  # and for one account from anywhere: fewer would let anybody lock somebody out
KNOWN = 10_000  # addresses and accounts that are remembered


class Attempts:
    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str, account: str, now: float) -> float:
        """Seconds until the next try; 0: now."""
        return max(self._left(f"from {_network(address)}", FROM_ONE, now), self._left(f"for {account}", FOR_ONE, now))

    def wrong(self, address: str, account: str, now: float) -> None:
        for who in (f"from {_network(address)}", f"for {account}"):
            self._wrong.setdefault(who, deque(maxlen=FOR_ONE)).append(now)
            self._wrong.move_to_end(who)
        while len(self._wrong) > KNOWN:
            self._wrong.popitem(last=False)

    def right(self, address: str, account: str, at: float) -> None:
        """The try that was noted as a wrong one at that moment was none."""
        for who in (f"from {_network(address)}", f"for {account}"):
            with suppress(KeyError, ValueError):
                self._wrong[who].remove(at)

    def _left(self, who: str, most: int, now: float) -> float:
        tries = self._wrong.get(who)
        while tries and tries[0] <= now - WINDOW:
            tries.popleft()
        return tries[-most] + WINDOW - now if tries and len(tries) >= most else 0.0


def _network(address: str) -> str:
    """Whoever has one IPv6 address has 2^64 of them: the network that providers hand out stands for all (RFC 6177)."""
    try:
        known = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(known.ipv4_mapped or known.packed[:8].hex())
