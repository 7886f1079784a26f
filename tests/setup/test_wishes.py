"""How a page is liked, by who changes it on several pages at the same time, and when the store does not tell."""

import asyncio
from pathlib import Path

import pytest

from services.errors import Invalid, NotSaved
from services.setup.wishes import Liking
from services.store import open_store
from services.wishes import Wishes
from tests.store.harm import connection, unreadable

URL = "sqlite:///headrace.db"


async def test_what_is_changed_on_one_page_leaves_alone_what_was_changed_on_another(tmp_path: Path) -> None:
    store = open_store(URL, tmp_path)
    liking = Liking(store)
    await asyncio.gather(liking.change("look", "dark"), liking.change("size", "large"), liking.change("language", "fr"))
    assert await liking.get() == await Liking(store).get() == Wishes("fr", "dark", "large")
    with pytest.raises(Invalid, match="'pink' cannot be wished"):
        await liking.change("look", "pink")
    await store.close()


async def test_what_cannot_be_read_now_is_not_written_over(tmp_path: Path) -> None:
    store = open_store(URL, tmp_path)
    await Liking(store).change("language", "fr")
    liking = Liking(store)
    with unreadable("preferences", "value", await connection(store)):
        assert await liking.get() == Wishes()
        with pytest.raises(NotSaved):
            await liking.change("look", "dark")
    assert await liking.change("look", "light") == Wishes("fr", "light")
    await store.close()
