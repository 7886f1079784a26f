"""The tables of docs/faults.md, from the catalogue: `python -m tests.faults.document` writes them in."""

import re
from pathlib import Path

from services.faults import FAULTS
from services.faults.fault import Fault, Parameter
from tests.serving import ROOT

DOCUMENT = ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- from services/faults -->\n", "<!-- to here -->\n"


def table() -> str:
    return "".join(["| fault | what happens | a correct client | in |\n|---|---|---|---|\n", *map(_row, FAULTS.values())])


def _row(fault: Fault) -> str:
    return f"| `{fault.name}`{_parameter(fault.takes)} | {fault.does} | {fault.expect} | {fault.applies_to} |\n"


def _parameter(takes: Parameter | None) -> str:
    if takes is None:
        return ""
    values = [f"`={takes.usual}` {takes.unit}" if takes.usual else f"`=2` {takes.unit}", *(f"`={word}`" for word in takes.words)]
    return " " + ", ".join(values)


def written(document: str) -> str:
    return re.sub(f"{BEGIN}.*{END}", lambda _: BEGIN + table() + END, document, flags=re.S)


def main(path: Path = DOCUMENT) -> None:
    path.write_text(written(path.read_text()))


if __name__ == "__main__":
    main()
