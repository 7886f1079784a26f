"""The reading of the matrix: a Headrace that rehearses, another one before it, and each SDK reading all its cells in one process."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright

from services.upstream import READERS
from tests.conftest import CHROMIUM
from tests.matrix import pythons
from tests.matrix.clients import CLIENTS
from tests.matrix.story import RESULTS
from tests.serving import ROOT, served
from tests.systems.network import Network, network

READERS_IN_NODE = ROOT / "tests" / "clients" / "matrix"
UPSTREAMS = tuple(READERS)
PATIENCE = 10.0  # seconds after the clients' end by which all connections of stopped replies have to be closed
FIRST_LIMIT = 1_000_000  # max_tokens of the first cell; each has its own, so that its request can be recognised on the wire

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}, "zone": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": name, "description": name, "parameters": PARAMETERS}} for name in RESULTS]

Seen = dict[str, Any]


class Place(NamedTuple):
    """A cell's place in the matrix."""

    upstream: str
    client: str
    scene: str


PLACES = tuple(Place(upstream, client, scene) for client, about in CLIENTS.items() for scene in about.scenes for upstream in UPSTREAMS)
LIMITS = {place: FIRST_LIMIT + number for number, place in enumerate(PLACES)}


class Matrix:
    """What the clients saw, read when first asked for, one program at a time."""

    def __init__(self, url: str, between: Network, node: str, folder: Path, chromium: str) -> None:
        self._url = url
        self._between = between
        self._node = node
        self._folder = folder
        self._chromium = chromium
        self._seen: dict[Place, Seen] = {}
        self._asked: set[str] = set()  # programs: one that fails is not asked again

    def seen(self, place: Place) -> Seen:
        program = CLIENTS[place.client].program
        if program not in self._asked:
            self._asked.add(program)
            cells = self._read(program)
            latest = time.monotonic() + PATIENCE
            for cell in cells:
                read = Place(cell["upstream"], cell["client"], cell["scene"])
                self._seen[read] = cell["seen"]
                if read.scene == "slow":
                    self._seen[read]["closed"] = self._closed(read, latest)
        assert place in self._seen, f"the reading with {program!r} failed before"
        return self._seen[place]

    def _closed(self, place: Place, latest: float) -> bool:
        """Whether the connection that this cell's model was asked on has been closed, long before its answer's end."""
        return self._between.wait_until_closed(str(LIMITS[place]).encode(), max(0.0, latest - time.monotonic()))

    def _read(self, program: str) -> list[dict[str, Any]]:
        cells = [
            {**place._asdict(), "model": f"{place.upstream}/scenes", "limit": LIMITS[place]}
            for place in PLACES
            if CLIENTS[place.client].program == program
        ]
        job = {"url": self._url, "cells": cells, "tools": TOOLS, "results": RESULTS}
        match program.split():
            case ["python", sdk]:
                return {"openai": pythons.openai_sdk, "anthropic": pythons.anthropic_sdk, "ollama": pythons.ollama_sdk}[sdk](job)
            case ["node", file]:
                return self._in_node(file, job)
        return self._in_browser(job)

    def _in_node(self, file: str, job: dict[str, Any]) -> list[dict[str, Any]]:
        command = [self._node, str(READERS_IN_NODE / f"{file}.mjs"), json.dumps(job)]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return told

    def _in_browser(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=self._chromium, args=list(CHROMIUM))
            page = browser.new_page(bypass_csp=True)
            page.goto(f"{self._url}/healthz")
            page.add_script_tag(content=f"{(READERS_IN_NODE / 'native.mjs').read_text()}\nwindow.reader = reader;", type="module")
            told: list[dict[str, Any]] = page.evaluate(BROWSER, job)
            browser.close()
        return told


# Four at a time: a browser opens no more than six connections to a server.
BROWSER = """
async (job) => {
  const read = window.reader(job, EventSource), told = [], waiting = [...job.cells];
  const work = async () => {
    for (let cell; (cell = waiting.shift());) {
      const seen = {text: "", reasoning: "", calls: [], ids: [], finish: null, usage: null, error: null, answer: null};
      await read(cell, seen);
      told.push({...cell, seen});
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return told;
}
"""


@contextmanager
def servers(folder: Path) -> Iterator[tuple[str, Network]]:
    """The gateway's address, and the network that it asks the model servers through."""
    (folder / "rehearsal").mkdir()
    (folder / "gateway").mkdir()
    with served(folder / "rehearsal", "[rehearsal]\nspeed = 1e9\n") as mock, network(mock.url) as between:
        tables = "".join(
            f'[[upstreams]]\nname = "{name}"\ndialect = "{name}"\nbase_url = "{between.url}/rehearsal/{name}"\nmodels = ["scenes"]\n'
            for name in UPSTREAMS
        )
        with served(folder / "gateway", tables + "[rehearsal]\nenabled = false\n") as gateway:
            yield gateway.url, between
