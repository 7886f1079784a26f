"""What it takes to have a chat page: packages, disk, start, memory and the first page load, of Headrace and of its peers.

    uv run python -m benchmarks.peers [--keep FOLDER] [headrace runtime chainlit open-webui llama.cpp ...]

Each is installed into a folder of its own as its README says for a plain local install, started once to warm up and three times to
measure, all in turn, then looked at once in headless Chromium, which reaches nothing but 127.0.0.1. What cannot be had from the
Python package index is named with the reason, and no figure. `llama-server` is taken from PATH. Only processes that were started here
are ended; the folder goes at the end, unless --keep names one that a later run uses again. Linux, for /proc.

Open WebUI alone wants 20 GB of free disk while it is installed (most of it is CUDA for PyTorch, with or without a GPU).
"""

import argparse
import http.client
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from benchmarks.installs import PEERS, Failed, Peer, environment, filled, prepare, told, version
from benchmarks.page import CHROMIUM, cpu, descendants, rss

STARTS = 3
START_LIMIT = 300.0  # seconds until a first page
QUIET = 3  # seconds in a row with less than a twentieth of a core: idle
SETTLE_LIMIT = 90.0
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FAILURES = (Failed, OSError, subprocess.SubprocessError, Error)


@dataclass(slots=True)
class Row:
    """Bytes, seconds, MB of memory; no `packages` is a program that comes as one file."""

    name: str
    packages: int
    disk: int
    starts: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    memory: float = 0.0
    processes: int = 0
    requests: int = 0
    wire: int = 0
    elsewhere: int = 0


def measure(peers: list[tuple[Peer, Path]]) -> Iterator[tuple[Peer, Row | Exception]]:
    """One after the other in each round, so that a machine that slows down slows all of them."""
    rows: dict[Peer, Row] = {}
    for peer, folder in peers:
        try:
            packages, disk = prepare(peer, folder)
            rows[peer] = Row(f"{peer.name} {version(peer, folder)}".strip(), packages, disk)
            with running(peer, folder):
                pass  # the warm-up: databases are made, files come into the system's cache
        except FAILURES as exc:
            rows.pop(peer, None)
            yield peer, exc
    for again in reversed(range(STARTS)):
        for peer, folder in peers:
            if (row := rows.get(peer)) is None:
                continue
            try:
                start(peer, folder, row, last=not again)
            except FAILURES as exc:
                del rows[peer]
                yield peer, exc
    yield from rows.items()


def start(peer: Peer, folder: Path, row: Row, last: bool) -> None:
    with running(peer, folder) as (took, pid, port):
        row.starts.append(took)
        row.work.append(cpu(pid))
        if not last:
            return
        settle(pid)
        tree = [pid, *descendants(pid)]
        row.memory, row.processes = sum(rss(process) for process in tree), len(tree)
        row.requests, row.wire, row.elsewhere = load(port)


@contextmanager
def running(peer: Peer, folder: Path) -> Iterator[tuple[float, int, int]]:
    """Seconds from the command to the first page, the process and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with (folder / "output.log").open("wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            filled(peer.serve, folder, port),
            cwd=folder,
            env=environment(folder) | dict(zip(peer.env, filled(tuple(peer.env.values()), folder), strict=True)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            while not answers(port):
                if process.poll() is not None or time.monotonic() - began > START_LIMIT:
                    raise Failed(f"{peer.name} served no page:\n{told((folder / 'output.log').read_text(), folder)}")
                time.sleep(0.01)
            yield time.monotonic() - began, process.pid, port
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and all it started: the group is its own."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/", headers={"Accept": "text/html"})
        answer = connection.getresponse()
        return answer.status == 200 and bool(answer.read())
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def settle(pid: int) -> None:
    began, quiet = time.monotonic(), 0
    while quiet < QUIET and time.monotonic() - began < SETTLE_LIMIT:
        used = cpu(pid)
        time.sleep(1)
        quiet = quiet + 1 if cpu(pid) - used < 0.05 else 0


def load(port: int) -> tuple[int, int, int]:
    """Of a browser that was never there: requests to the server, bytes of their answers, requests to anywhere else (they fail)."""
    chromium = shutil.which("chromium")
    assert chromium, "install Chromium, on Debian with `apt-get install chromium`"
    here, elsewhere, wire = 0, 0, 0.0

    def asked(event: dict[str, dict[str, str]]) -> None:
        nonlocal here, elsewhere
        url = event["request"]["url"]
        if url.startswith(f"http://127.0.0.1:{port}/"):
            here += 1
        elif url.startswith("http"):
            elsewhere += 1

    def came(event: dict[str, float]) -> None:
        nonlocal wire
        wire += event["encodedDataLength"]

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM, ALONE])
        page = browser.new_page()
        session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", asked)
        session.on("Network.loadingFinished", came)
        session.send("Network.enable")
        page.goto(f"http://127.0.0.1:{port}/", wait_until="load", timeout=120_000)
        page.wait_for_timeout(8000)
        browser.close()
    return here, int(wire), elsewhere


def line(row: Row) -> str:
    starts = f"{statistics.median(row.starts):.1f} ({min(row.starts):.1f}-{max(row.starts):.1f})"
    packages = f"{row.packages or 'one program'}"
    memory = f"{row.memory:,.0f} in {row.processes}" if row.processes > 1 else f"{row.memory:,.0f}"
    page = f"{row.requests} / {row.wire / 1000:,.0f}", f"{row.elsewhere}"
    return f"| {' | '.join((row.name, packages, f'{row.disk / 1e6:,.0f}', starts, f'{statistics.median(row.work):.1f}', memory, *page))} |"


HEAD = (
    "| | packages | disk MB | start s, median of 3 | CPU s of it | memory MB | first page, requests / kB | requests elsewhere |\n"
    "|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="install there, and leave it for the next run")
    parser.add_argument("peers", nargs="*", metavar="name", default=[], help=" ".join(PEERS))
    given = parser.parse_args()
    if unknown := set(given.peers) - set(PEERS):
        parser.error(f"no peer is named {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    with tempfile.TemporaryDirectory(prefix="peers-") as temporary:
        folder = (given.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        lines, ready = {}, []
        for name in given.peers or PEERS:
            peer = PEERS[name]
            if peer.absent or not (peer.install or shutil.which(peer.serve[0])):
                lines[peer] = f"| {peer.name} | not measured: {peer.absent or f'`{peer.serve[0]}` is not on PATH'} |"
            else:
                lines[peer] = f"| {peer.name} | failed |"
                ready.append((peer, folder / name))
        for peer, row in measure(ready):
            if isinstance(row, Row):
                lines[peer] = line(row)
            else:
                sys.stderr.write(f"{row}\n")
        print("\n".join((HEAD, *lines.values())))


if __name__ == "__main__":
    main()
