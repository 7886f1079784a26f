"""Every store there is, for the tests of this room.

PostgreSQL takes part when TEST_POSTGRESQL is the URL of a database that may be emptied.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.store import open_store
from services.store.sql import engine
from services.store.store import Store

POSTGRESQL = os.environ.get("TEST_POSTGRESQL", "")
STORES = ["memory", "sqlite:///data/headrace.db", *([POSTGRESQL] if POSTGRESQL else [])]


def emptied(url: str) -> str:
    if url.startswith("postgresql"):
        made = engine(url)
        with made.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        made.dispose()
    return url


@pytest_asyncio.fixture(params=STORES, ids=lambda url: url.partition(":")[0])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(emptied(request.param), tmp_path)
    yield opened
    await opened.close()
