"""Shared by the tests of the faults: a Headrace that loses no time, and gives up clients soon."""

from collections.abc import Iterator

import pytest

from tests.serving import Served, served


@pytest.fixture(scope="session")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("mock")
    with served(folder, "[rehearsal]\nspeed = 1e9\n[server]\nwrite_timeout = 2.0\n") as running:
        yield running
    assert "ERROR" not in (folder / "log").read_text()
