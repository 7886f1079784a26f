"""How much the gate lets in: the table `[gate]` of the settings, as a value."""

from typing import NamedTuple


class Capacity(NamedTuple):
    """Times in seconds. A peer is an address; behind a proxy that is believed, the one that the proxy names."""

    header_bytes: int = 32_768  # Apache: 8190 for each line, 100 of them; nginx: 4 * 8192; node.js: 16 * 1024
    header_count: int = 100
    header_time: float = 20.0  # slowhttptest's and Apache's mod_reqtimeout: 20
    body_time: float = 60.0  # and a second more for each 10 kB that came: who sends, however slowly, has his time
    connections: int = 4000
    sockets: int = 1000  # websockets of pages
    peer_sockets: int = 200
    peer_pages: int = 200  # pages in a minute that never opened their socket
    messages: int = 200  # a second, on one websocket


USUAL = Capacity()
