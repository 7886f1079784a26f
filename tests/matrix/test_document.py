"""docs/dialects.md says what this run saw."""

import pytest

from tests.matrix.document import COMMAND, page
from tests.matrix.reading import Matrix
from tests.serving import ROOT

DOCUMENT = ROOT / "docs" / "dialects.md"


def test_the_document_says_what_was_seen(matrix: Matrix, pytestconfig: pytest.Config) -> None:
    written = page(matrix)
    if pytestconfig.getoption("--write-docs", default=False):
        DOCUMENT.write_text(written)
    assert DOCUMENT.read_text() == written, f"docs/dialects.md is not what this run saw. `{COMMAND}` writes it."
