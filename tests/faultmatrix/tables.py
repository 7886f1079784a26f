"""All rows, in the order of their numbers."""

from tests.faultmatrix.broken import BROKEN
from tests.faultmatrix.clients import CLIENTS
from tests.faultmatrix.contents import CONTENTS
from tests.faultmatrix.process import PROCESS
from tests.faultmatrix.refused import REFUSED
from tests.faultmatrix.row import Row
from tests.faultmatrix.silent import SILENT
from tests.faultmatrix.strange import STRANGE

SECTIONS: dict[str, tuple[Row, ...]] = {
    "A. The model server, before the first word": SILENT + REFUSED + STRANGE,
    "B. The model server, in the middle of an answer": BROKEN + CONTENTS,
    "C. Our process and its storage": PROCESS,
    "D. Browsers and clients": CLIENTS,
}
ROWS = tuple(row for rows in SECTIONS.values() for row in rows)
CASES = {case.name: case for row in ROWS for case in row.cases}
