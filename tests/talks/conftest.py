"""Every operation runs on every store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.store.conftest import STORES, emptied
from tests.talks.house import House


@pytest_asyncio.fixture(params=STORES, ids=lambda url: url.partition(":")[0])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, emptied(request.param))
    yield house
    await house.chat.close()
