"""Two servers for the whole matrix, and the option that writes its document."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix.reading import Matrix, servers


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-docs", action="store_true", help="write docs/dialects.md from what this run sees")


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory, node: str, node_modules: Path, chromium: str) -> Iterator[Matrix]:
    with servers(tmp_path_factory.mktemp("matrix")) as (url, between):
        yield Matrix(url, between, node, node_modules, chromium)
