"""What proxies say of a request: believed of those that are named in the settings, and of nobody else.

Anybody can send these headers. The page framework makes addresses of scripts of one of them (`X-Forwarded-Prefix`).
"""

import re
from collections.abc import Collection, Iterable
from ipaddress import ip_address, ip_network

from starlette.types import Scope

FORWARDED = re.compile(rb"forwarded|x-forwarded-.*|x-real-ip|x-original-.*|x-rewrite-url")
PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


class Proxies:
    """`trusted` are addresses or networks, such as `10.0.0.2` or `172.16.0.0/12`."""

    def __init__(self, trusted: Collection[str]) -> None:
        self._trusted = [ip_network(network) for network in trusted]

    def apply(self, scope: Scope) -> None:
        """Changes the scope: who the client is, by which scheme it came, below which path we are; the headers themselves go."""
        said = [(name, value) for name, value in scope["headers"] if FORWARDED.fullmatch(name)]
        if not said:
            return
        scope["headers"] = [pair for pair in scope["headers"] if pair not in said]
        if not (client := scope.get("client")) or not self._believed(client[0]):
            return
        told = {name: value.decode("latin-1") for name, value in said}
        scope["client"] = (self._first_stranger(told.get(b"x-forwarded-for", "").split(",")) or client[0], 0)
        if told.get(b"x-forwarded-proto", "") == "https":
            scope["scheme"] = {"http": "https", "ws": "wss"}.get(scope["scheme"], scope["scheme"])
        if PREFIX.fullmatch(prefix := told.get(b"x-forwarded-prefix", "")):
            scope["headers"].append((b"x-forwarded-prefix", prefix.encode()))

    def _believed(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self._trusted)
        except ValueError:
            return False

    def _first_stranger(self, addresses: Iterable[str]) -> str:
        """Each proxy adds at the end whom it saw; what comes before the first one that we do not know is hearsay."""
        for address in reversed([address.strip() for address in addresses]):
            try:
                ip_address(address)
            except ValueError:
                return ""
            if not self._believed(address):
                return address
        return ""
