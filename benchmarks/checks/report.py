"""The table of figures in docs/reliability.md: a row for each check, and what is run anew takes the place of what stood there."""

import re
from datetime import UTC, datetime

from benchmarks.checks.running import Said
from benchmarks.checks.table import CHECKS, Check
from tests.serving import ROOT

DOCUMENT = ROOT / "docs" / "reliability.md"
MOST = 4  # different things that are said of one check
BEGIN, END = "<!-- from benchmarks/checks -->\n", "<!-- to here -->\n"
HEAD = "| | check | is passed when | measured | |\n|---|---|---|---|---|\n"


def row(number: int, check: Check, verdict: str, measured: str) -> str:
    return f"| {number} | {check.name} | {check.demands} | {measured.replace('|', '/')} | {verdict} |\n"


def told(check: Check, size: str, said: list[Said], missing: list[str]) -> str:
    """The row of a check that was run, or could not be."""
    number = CHECKS.index(check) + 1
    if missing:
        return row(number, check, "not yet", f"there is no {', '.join(missing)}")
    verdict = "passed" if all(each.passed for each in said) else "**FAILED**"
    distinct = list(dict.fromkeys(each.words for each in said))
    words = "; ".join(distinct if len(distinct) <= MOST else [f"of {len(said)} runs the last ones", *distinct[-2:]])
    return row(number, check, f"{verdict}, {size}, {datetime.now(UTC):%Y-%m-%d}", words)


def rows() -> dict[int, str]:
    """What the document says now; of checks that it does not know, that they were not run."""
    table = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
    known = {int(found[1]): line + "\n" for line in table.splitlines() if (found := re.match(r"\| (\d+) \|", line))}
    return {number: known.get(number) or row(number, check, "not run", "") for number, check in enumerate(CHECKS, 1)}


def write(rows: dict[int, str]) -> None:
    text = DOCUMENT.read_text()
    table = BEGIN + HEAD + "".join(rows.values()) + END
    DOCUMENT.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table, text, flags=re.S))
