"""All rows, in the order of their numbers."""

from tests.faultmatrix.before import BEFORE
from tests.faultmatrix.clients import CLIENTS
from tests.faultmatrix.middle import MIDDLE
from tests.faultmatrix.process import PROCESS
from tests.faultmatrix.row import Row

SECTIONS: dict[str, tuple[Row, ...]] = {
    "A. The model server, before the first word": BEFORE,
    "B. The model server, in the middle of an answer": MIDDLE,
    "C. Our process and its storage": PROCESS,
    "D. Browsers and clients": CLIENTS,
}
ROWS = tuple(row for rows in SECTIONS.values() for row in rows)
CASES = {case.name: case for row in ROWS for case in row.cases}
