"""Two servers for the whole matrix."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix.reading import Matrix, servers


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory, node: str, node_modules: Path, chromium: str) -> Iterator[Matrix]:
    with servers(tmp_path_factory.mktemp("matrix")) as (url, between):
        yield Matrix(url, between, node, node_modules, chromium)
