"""Every case of sections A and B against one real Headrace, many at a time; what came of each, from all sides."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from services.events import Entry
from services.generations import JOURNALS
from tests.faultmatrix.certificates import certificates
from tests.faultmatrix.mill import CANARY
from tests.faultmatrix.row import Case
from tests.reliability.following import Transcript, patient
from tests.serving import ROOT, Served, served

SETTINGS = """
[rehearsal]
enabled = false
[timeouts]
first_byte = 30.0
gap = 20.0
total = 60.0
[limits]
reply = 2_000_000
[storage]
keep = 1000
"""
TLS = ("expired", "other host", "self-signed", "signed")
FIRST = Case(name="first")  # what a first reply opens stays open
QUESTION = {"messages": [{"role": "user", "content": "Hello"}], "on_disconnect": "keep"}


class Outcome(NamedTuple):
    """Of one case. `asker` and `second` read the same stream; `response` is what another surface says of it."""

    asker: Transcript
    request: str  # its id
    second: bytes
    snapshot: dict[str, Any]
    response: dict[str, Any]
    record: bytes
    grown: int  # kB of memory at the highest, above what it was before


class Played(NamedTuple):
    outcomes: dict[str, Outcome]
    places: dict[str, str]  # of each case, host and port
    entries: dict[str, list[Entry]]  # of each case, from the journal
    asked: dict[str, int]  # requests that came to the mill
    keys: dict[str, int]  # those of them with the key
    waiting: dict[str, int]  # connections that nobody has closed
    states: set[str]  # of all generations, at the end
    sockets: tuple[int, int]  # open ones, before and after
    written: bytes  # everything that the process has written anywhere


@contextmanager
def mill(*certificates: Path) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    command = [sys.executable, "-m", "tests.faultmatrix.mill", *map(str, certificates)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process, [int(port) for port in process.stdout.readline().split()]
    finally:
        process.send_signal(signal.SIGKILL)  # it may stand still
        process.wait()
        process.stdout.close()


def closed_port(stack: ExitStack) -> int:
    """Ours, so that nobody else listens there."""
    taken = stack.enter_context(socket.socket())
    taken.bind(("127.0.0.1", 0))
    return int(taken.getsockname()[1])


def full_backlog(stack: ExitStack) -> int:
    """A port at which nobody is ever let in: those who wait there fill it."""
    full = stack.enter_context(socket.socket())
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    for _ in range(3):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            waiting.connect(full.getsockname())
    return int(full.getsockname()[1])


def play(cases: dict[str, Case], folder: Path) -> Played:
    with ExitStack() as stack:
        files = certificates(folder)
        _, (port, *tls) = stack.enter_context(mill(*(files[name] for name in TLS)))
        _, (alone,) = stack.enter_context(mill())
        places = {
            "mill": f"http://127.0.0.1:{port}",
            "closed port": f"http://127.0.0.1:{closed_port(stack)}",
            "unknown name": "http://no-such.invalid:80",
            "full backlog": f"http://127.0.0.1:{full_backlog(stack)}",
            "a mill of its own": f"http://127.0.0.1:{alone}",
            "no TLS": f"https://127.0.0.1:{port}",
            **{name: f"https://127.0.0.1:{port}" for name, port in zip(TLS, tls, strict=True)},
        }
        proxy = f"{places['mill']}/"
        environment = {"SSL_CERT_FILE": str(files["authority"]), "HTTP_PROXY": proxy, "http_proxy": proxy, "ALL_PROXY": proxy}
        for name, value in environment.items():
            stack.callback(_restore, name, os.environ.get(name))
            os.environ[name] = value
        settings = SETTINGS + "".join(configured(case, places[case.at]) for case in (FIRST, *cases.values()))
        with served(folder, settings) as running:
            outcomes, states, open_sockets = asyncio.run(_play_all(cases, running))
            seen = httpx.get(f"{places['mill']}/seen", trust_env=False).json()
            assert running.terminate() == 0
        written = b"".join(path.read_bytes() for path in [folder / "log", *(folder / "data").rglob("*")] if path.is_file())
        entries = asyncio.run(_kept(folder, {name: outcome.asker.id or "" for name, outcome in outcomes.items()}))
    hosts = {case.name: urlsplit(places[case.at]).netloc for case in cases.values()}
    return Played(outcomes, hosts, entries, seen["asked"], seen["keys"], seen["open"], states, open_sockets, written)


def _restore(name: str, value: str | None) -> None:
    os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value


def configured(case: Case, place: str) -> str:
    """Its server in settings.toml."""
    timeouts = ", ".join(f"{name} = {seconds}" for name, seconds in case.timeouts.items())
    path = f"/{case.name}" + ("" if case.dialect == "ollama" else "/v1")
    return (
        f'[[upstreams]]\nname = "{case.name}"\ndialect = "{case.dialect}"\nbase_url = "{place}{path}"\n'
        f'api_key = "{CANARY}"\nmodels = ["m"]\ntimeouts = {{ {timeouts} }}\n'
    )


async def _play_all(cases: dict[str, Case], running: Served) -> tuple[dict[str, Outcome], set[str], tuple[int, int]]:
    pid = running.process.pid
    async with patient() as client:
        await _play(client, running, FIRST)
    before = sockets(pid)
    async with patient() as client:
        light = [case for case in cases.values() if not case.heavy]
        played = dict(
            zip((case.name for case in light), await asyncio.gather(*(_play(client, running, case) for case in light)), strict=True)
        )
        for case in cases.values():
            if case.heavy:
                played[case.name] = await _weighed(client, running, case)
        states = {each["state"] for each in (await client.get(f"{running.url}/chat")).json()["generations"]}
    return {name: played[name] for name in cases}, states, (before, await settled(pid, before))


async def _play(client: httpx.AsyncClient, running: Served, case: Case) -> Outcome:
    for _ in range(case.asks):
        asker, request, second = await _ask(client, f"{running.url}/chat", f"{case.name}/m")
        if case.code and f'"code":"{case.code}"'.encode() in asker.frames[-1]:
            break
    one = f"{running.url}/chat/{asker.id}"
    snapshot = (await client.get(one)).json()
    response = (await client.get(f"{running.url}/v1/responses/resp_{asker.id}")).json()
    record = (await client.get(f"{one}/record")).content + (await client.get(f"{one}/upstream")).content
    return Outcome(asker, request, second, snapshot, response, record, 0)


async def _ask(client: httpx.AsyncClient, url: str, model: str) -> tuple[Transcript, str, bytes]:
    """One asks, another one joins as soon as there is anything to join."""
    asker = Transcript()
    async with client.stream("POST", url, params={"model": model}, json=QUESTION) as response:
        assert response.status_code == 200, await response.aread()
        asker.id, request = response.headers["headrace-generation"], response.headers["x-request-id"]
        joining = asyncio.create_task(client.get(f"{url}/{asker.id}", headers={"accept": "text/event-stream", "last-event-id": "0"}))
        async for data in response.aiter_raw():
            asker.feed(data)
    return asker, request, (await joining).content


async def _weighed(client: httpx.AsyncClient, running: Served, case: Case) -> Outcome:
    clear, status = (Path(f"/proc/{running.process.pid}/{name}") for name in ("clear_refs", "status"))
    clear.write_text("5")  # the highest is what it is now
    before = _kilobytes(status)
    return (await _play(client, running, case))._replace(grown=_kilobytes(status) - before)


def _kilobytes(status: Path) -> int:
    """The most memory that was resident."""
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1])


def sockets(pid: int) -> int:
    """How many are open. (Files are opened when they are first wanted, and stay.)"""
    found = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found += os.readlink(file).startswith("socket:")  # noqa: PTH115
    return found


async def settled(pid: int, before: int) -> int:
    """Open sockets once they are as few as before, or 20 s later: idle connections to servers are given up after 4 s."""
    for _ in range(200):
        if sockets(pid) <= before:
            break
        await asyncio.sleep(0.1)
    return sockets(pid)


async def _kept(folder: Path, ids: dict[str, str]) -> dict[str, list[Entry]]:
    journal = JOURNALS["sqlite"](folder / "data", False)
    try:
        found = {name: await journal.recall(id) for name, id in ids.items()}
        return {name: log[1] for name, log in found.items() if log}
    finally:
        journal.close()
