"""A real Headrace for tests: its own process, its own port, its own settings."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.canaries import KEY, is_in_the_command_line, leaks, with_keys

ROOT = Path(__file__).parent.parent

QUIET = """
[rehearsal]
speed = 400.0
"""


class Served(NamedTuple):
    url: str
    process: "subprocess.Popen[str]"

    def terminate(self) -> int:
        """SIGTERM; the exit code. Fails when the process is still there after 30 s."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def served(folder: Path, settings: str = QUIET, *flags: str) -> Iterator[Served]:
    """Start `main.py` on a free port with these settings; end it by its pid. Fails where a key has leaked into what it leaves."""
    file = folder / "settings.toml"
    file.write_text(with_keys(settings))
    file.chmod(0o600)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "NICEGUI_", "PYTEST_"))}
    port = () if "--server.port" in flags else ("--server.port", "0")
    command = [sys.executable, "-W", "error::RuntimeWarning", str(ROOT / "main.py"), *port, *flags]
    env |= {"HEADRACE_SETTINGS": str(file), "PYTHONUNBUFFERED": "1"}
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield Served(_address(process, folder), process)
            assert not is_in_the_command_line(process.pid)
        finally:
            _end(process)
    assert (found := leaks(folder)) == [], f"{KEY}, the key of a model server, is in {', '.join(found)}"


def _address(process: "subprocess.Popen[str]", folder: Path) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    assert found, f"no address in {line!r}; the log says: {(folder / 'log').read_text()}"
    return found.group()


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()
