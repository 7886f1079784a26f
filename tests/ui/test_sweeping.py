"""What pages leave behind: circles of objects, which only the collector finds."""

import asyncio
import gc
import weakref

import pytest

from ui import sweeping
from ui.sweeping import Sweeper


class Page:
    def __init__(self) -> None:
        self.itself = self


async def test_what_a_page_was_made_of_goes_soon_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "SOON", 0.0)
    sweeper = Sweeper()
    gc.disable()
    try:
        for _ in range(2):
            page = weakref.ref(Page())
            assert page() is not None
            sweeper.gone()
            sweeper.gone()
            await asyncio.sleep(0.01)
            assert page() is None
    finally:
        gc.enable()
