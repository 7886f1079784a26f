"""`python -m benchmarks.checks`: runs the checks one after the other, and writes the table. Exit code 1 when one has failed."""

import argparse
import sys
import time

from benchmarks.checks import report
from benchmarks.checks.running import missing, run
from benchmarks.checks.table import CHECKS, Check

MOST = (900.0, 3600.0, 4 * 3600.0)  # seconds of one command
NAMES = ("quick", "usual", "long")


def main() -> int:
    asked = argparse.ArgumentParser(prog="benchmarks.checks", description=__doc__)
    asked.add_argument("names", nargs="*", metavar="NAME", help="checks, by name or number; all if none is named")
    asked.add_argument("--quick", action="store_const", dest="size", const=0, default=1, help="minutes, to see that all of it works")
    asked.add_argument("--long", action="store_const", dest="size", const=2, help="hours: once for each release")
    asked.add_argument("--list", action="store_true", help="say what would be run")
    wishes = asked.parse_args()
    known = {name: check for number, check in enumerate(CHECKS, 1) for name in (check.name, str(number))}
    if unknown := [name for name in wishes.names if name not in known]:
        asked.error(f"no check is called {unknown[0]!r}: {', '.join(check.name for check in CHECKS)}")
    failed = False
    for check in [known[name] for name in wishes.names] or CHECKS:
        if wishes.list:
            print(f"{CHECKS.index(check) + 1:2} {check.name}: {'; '.join(check.commands)}")
        else:
            failed |= "FAILED" in _do(check, wishes.size)
    return failed


def _do(check: Check, size: int) -> str:
    sizes = {name: given[size] for name, given in check.sizes.items()}
    absent, began = missing(check), time.monotonic()
    said = [] if absent else [run(command, sizes, MOST[size]) for _ in range(check.times[size]) for command in check.commands]
    line = report.told(check, NAMES[size], said, absent)
    print(f"{time.monotonic() - began:5.0f} s {line}", end="", flush=True)
    report.write(report.rows() | {CHECKS.index(check) + 1: line})
    return line


if __name__ == "__main__":
    sys.exit(main())
