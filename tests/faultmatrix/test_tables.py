"""The tables themselves: no row is missing, what a row names is there, and the document says what they say."""

import ast

import pytest

from tests.faultmatrix.document import DOCUMENT, document
from tests.faultmatrix.row import Row
from tests.faultmatrix.tables import CASES, ROWS
from tests.serving import ROOT


def test_every_row_is_there_once() -> None:
    assert [row.number for row in ROWS] == list(range(1, len(ROWS) + 1))
    assert len(CASES) == sum(len(row.cases) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_a_row_is_tried_or_says_why_not(row: Row) -> None:
    assert bool(row.cases or row.tests) != bool(row.why)
    for test in row.tests:
        file, _, name = test.partition("::")
        assert file.partition("/")[2].startswith("test_"), f"pytest does not look into {file}"
        found = [
            node.name
            for node in ast.parse((ROOT / "tests" / file).read_text()).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        assert name in found, f"there is no {test}"


def test_the_document_is_what_the_tables_say() -> None:
    assert DOCUMENT.read_text() == document(), "uv run python -m tests.faultmatrix.document"
