"""docs/faultmatrix.md, from the tables: `python -m tests.faultmatrix.document` writes it."""

from tests.faultmatrix.row import Row
from tests.faultmatrix.tables import ROWS, SECTIONS
from tests.serving import ROOT

DOCUMENT = ROOT / "docs" / "faultmatrix.md"
HEAD = """# The fault matrix

What can break, what the user sees of it, what the log keeps, and what tries it out: {tried} of {rows} rows by a test, the others with the
reason why not. The tables are in `tests/faultmatrix`; this page is written from them (`uv run python -m tests.faultmatrix.document`).

`uv run pytest tests/faultmatrix` plays every case of A and B ({cases} of them) against one real Headrace, many at a time; their model
server is a process of its own. Whatever happens: one end, and nothing after it; numbers from 1, without gaps; the text of the log, of the
reply, of every client and of the journal is the same, byte by byte; nothing runs on, and no connection stays open, on either side; the
server's key is in nothing that is written, shown or kept; three tries at most, and none after the first word; memory grows by 50 MB at
most. X is a server's name.
"""
COLUMNS = "\n| | what breaks | the user sees | the log keeps | tried by |\n|---|---|---|---|---|\n"


def document() -> str:
    tried = sum(bool(row.cases or row.tests) for row in ROWS)
    told = [HEAD.format(tried=tried, rows=len(ROWS), cases=sum(len(row.cases) for row in ROWS))]
    for title, rows in SECTIONS.items():
        told += [f"\n## {title}\n", COLUMNS, *map(_line, rows)]
    return "".join(told)


def _line(row: Row) -> str:
    tried = [f"`{case.name}`" for case in row.cases]
    tried += [f"[{name}](../tests/{file})" for file, name in (test.split("::") for test in row.tests)]
    if row.run:
        tried.append(f"at length: `{row.run}`")
    return f"| {row.number} | {row.fault} | {row.sees} | {row.keeps} | {', '.join(tried) or f'not tried: {row.why}'} |\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
