"""Work that is wanted more often than it needs to be done: done soon, once for all who wanted it, and no more often than it may be."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from nicegui import background_tasks

from services.errors import HeadraceError

log = logging.getLogger(__name__)


class Soon:
    """`after` seconds pass before `work` begins, so that what comes together is done together, and `rest` from one begin to the next."""

    def __init__(self, work: Callable[[], Awaitable[None]], *, after: float = 0.0, rest: float = 0.0) -> None:
        self._work = work
        self._after = after
        self._rest = rest
        self._began = 0.0
        self._task: asyncio.Task[None] | None = None
        self._wanted = False
        self._over = False

    def want(self) -> None:
        """Whoever wants it while it is being done gets it done once more."""
        self._wanted = True
        if self._task is None and not self._over:
            self._task = background_tasks.create(self._run(), name=f"soon {self._work.__name__}")

    async def now(self) -> None:
        """Returns once it has been done after this was called."""
        self.want()
        while self._task is not None and not self._over:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            while self._wanted and not self._over:
                await asyncio.sleep(max(self._after, self._began + self._rest - time.monotonic()))
                self._wanted, self._began = False, time.monotonic()
                try:
                    await self._work()
                except HeadraceError as exc:  # a store that is busy, or closes: the next change tells it
                    log.info("a page could not show what has changed: %s", exc)
        finally:
            self._task = None

    def end(self) -> None:
        """What is being done is done to its end; nothing after it."""
        self._over = True
