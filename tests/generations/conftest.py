"""Every journal there is: the tests of this room run on all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.generations import JOURNALS
from services.generations.journal import Journal


@pytest.fixture(params=list(JOURNALS))
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    opened = JOURNALS[request.param](tmp_path, False)
    yield opened
    opened.close()
