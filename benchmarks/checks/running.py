"""Runs a command of a check: for so long at most, alone, and with nothing of it left behind."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from benchmarks.checks.table import Check
from tests.serving import ROOT

SHOWN = 60  # last lines of what has failed
SHORT = {"pytest": f"{sys.executable} -m pytest -n0 -q", "python": sys.executable}


class Said(NamedTuple):
    passed: bool
    words: str  # its last ones: how many tests, or a benchmark's figures


def missing(check: Check) -> list[str]:
    """Files and modules that its commands name and that are not there."""
    names = [word for command in check.commands for word in shlex.split(command)]
    files = [ROOT / name for name in names if name.startswith("tests/")]
    modules = [ROOT / name.replace(".", "/") for name in names if name.startswith("benchmarks.")]
    absent = [file for file in files if not file.exists()]
    absent += [module for module in modules if not (module.with_suffix(".py").exists() or module.is_dir())]
    return [str(path.relative_to(ROOT)) for path in absent]


def run(command: str, sizes: Mapping[str, int], most: float) -> Said:
    """`most` in seconds: then it is ended, with all that it has started, and has not passed."""
    first, _, rest = command.format(**sizes).partition(" ")
    env = os.environ | {name: str(size) for name, size in sizes.items() if name.isupper()}
    with tempfile.TemporaryFile("w+") as out:
        began = time.monotonic()
        words = shlex.split(f"{SHORT.get(first, first)} {rest}")
        process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            passed = process.wait(most) == 0
        except subprocess.TimeoutExpired:
            passed = False
        finally:
            _end(process)
        out.seek(0)
        said = [line.strip() for line in out.read().splitlines() if line.strip()]
    if not passed:
        sys.stderr.write("".join(f"    {line}\n" for line in (command.format(**sizes), *said[-SHOWN:])))
    late = "" if time.monotonic() - began < most else f"not over after {most:.0f} s: "
    figures = [line for line in said if line.startswith("{")][-1:]
    figures += [found[1] + " inputs" for line in said if (found := re.match(r"stat::number_of_executed_units:\s*(\d+)", line))]
    said = [line for line in said if not line.startswith("stat::")]
    last = re.sub(r" in [0-9.:ms ()]+$", "", said[-1].strip("= ")) if said else "said nothing"
    return Said(passed, late + "; ".join(dict.fromkeys([last, *figures]))[:400])


def _end(process: "subprocess.Popen[str]") -> None:
    """Its whole session, which is nobody else's."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
