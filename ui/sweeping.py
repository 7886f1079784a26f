"""What a page was made of refers to itself in circles, a megabyte and more of it: when pages have gone, the collector has to look for it.

The server sets the collector's thresholds for streams, which make no circles (services/api/server.py); left to them, pages that
nobody has open any more would stay for hours.
"""

import asyncio
import gc

from nicegui import app

SOON = 5.0  # seconds in which others may go, too


class Sweeper:
    def __init__(self) -> None:
        self._due: asyncio.TimerHandle | None = None

    def gone(self) -> None:
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(SOON, self._sweep)

    def _sweep(self) -> None:
        self._due = None
        gc.collect()


def sweep() -> None:
    """Once, before the first page."""
    app.on_delete(Sweeper().gone)
