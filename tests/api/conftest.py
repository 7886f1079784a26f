"""Shared by the tests of the API."""

from collections.abc import Iterator

import pytest

from tests.serving import Served, served


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Headrace whose rehearsal takes no time, except where a scene says so."""
    with served(tmp_path_factory.mktemp("swift"), "[rehearsal]\nspeed = 1e9\n") as running:
        yield running
