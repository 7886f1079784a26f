"""uvicorn, told to end its streams before it goes. It binds the socket itself, so that a port in use is a sentence.

By default uvicorn waits for ever for an open event stream after SIGTERM. Here the generations are ended first: every
stream then gets its terminal event and ends by itself.
"""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from services.api.capacity import USUAL, Capacity
from services.api.protocol import Protocol
from services.errors import SettingsError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LARGEST_MESSAGE = 1_000_000  # bytes of a page's websocket; NiceGUI's page sends no larger one


class Server(uvicorn.Server):
    """`drain` is awaited first on shutdown; when it returns no stream has anything left to say.

    `hurry` is awaited when a second signal comes: it makes `drain` return soon.
    """

    def __init__(
        self,
        app: ASGIApp,
        drain: Callable[[], Awaitable[None]],
        hurry: Callable[[], Coroutine[None, None, None]],
        capacity: Capacity = USUAL,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=type("BoundedProtocol", (Protocol,), {"capacity": capacity, "waiting": {}}),
            ws="websockets-sansio",
            ws_max_size=LARGEST_MESSAGE,
            lifespan="on",
            log_config=None,  # its loggers are as all others: services/logs.py
            log_level="error",  # its warnings are of what peers send that is no HTTP
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,  # as nginx: longer than clients keep idle connections (httpx, OpenAI's SDKs: 5 s), who might just ask
        )
        super().__init__(config)
        self._drain = drain
        self._hurry = hurry
        self._hurrying: asyncio.Task[None] | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in sockets or []:
            listening.close()
        await self._drain()
        await asyncio.sleep(0.2)  # the pages' sockets carry the last word, too
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Any signal after the first one means: at once."""
        if self.should_exit:
            self._loop.call_soon_threadsafe(self._begin_to_hurry)
        self.should_exit = True

    def _begin_to_hurry(self) -> None:
        if self._hurrying is None:
            self._hurrying = self._loop.create_task(self._hurry())

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Without uvicorn's re-raising of the signal at the end, which would kill the process before it has tidied up."""
        self._loop = asyncio.get_running_loop()
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def bind(host: str, port: int, patience: float = 30.0) -> socket.socket:
    """A listening socket; a peer may leave our bytes unacknowledged for `patience` seconds.

    Raises SettingsError when the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as exc:
        listening.close()
        raise SettingsError(f"Cannot listen on {host}:{port}: {exc.strerror}. Choose another port: --server.port {port + 1}") from exc
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # else a client that takes nothing keeps its socket, and our buffer, when it is dropped
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(patience * 1000))
    listening.listen(2048)
    listening.setblocking(False)
    return listening


def run(server: Server, listening: socket.socket, open: Callable[[], Awaitable[None]], close: Callable[[], Awaitable[None]]) -> None:
    """`open`, serve until a signal comes, then end everything in order: streams, pages, connections, `close`."""

    async def serve() -> None:
        try:
            await open()
            await server.serve([listening])
        finally:
            await close()

    _calm_the_collector()
    _open_as_many_files_as_we_may()
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serve())


def _open_as_many_files_as_we_may() -> None:
    """A stream takes two: its client's connection, and its upstream's. Many systems start a process with 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _calm_the_collector() -> None:
    """What the start has made stays for ever, and a stream makes much that lives long without ever forming a cycle.

    Left alone, the collector visits all of it again and again: 6 % of a busy relay's CPU, and pauses of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
