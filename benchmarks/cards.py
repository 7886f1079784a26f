"""The official SDKs under the whole catalogue of faults: docs/cards.md is written by `uv run python -m benchmarks.cards`.

Each client reads each case as its own README has it, with its own defaults, against a Headrace in a process of its own. One that has come
to no end after PATIENCE seconds, twice, is given up.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import httpx

from benchmarks import card_clients
from benchmarks.card_browser import reading
from benchmarks.card_clients import Reader
from services.faults import FAULTS
from services.lab.card import cell, table
from services.lab.judging import VERDICTS
from services.lab.surfaces import SURFACES
from tests.serving import ROOT, served

PATIENCE = 25.0  # seconds; with their own repetitions some SDKs need ten
LANES = 4
CLIENTS_IN_NODE = ROOT / "tests" / "clients"
MARKS = {"correct": "·", "false_success": "**F**", "wrong_text": "**W**", "silent": "**S**", "lost_text": "L", "needless_error": "N"}

Case = dict[str, Any]
Check = Callable[[list[Case]], Iterator[dict[str, Any]]]


class Client(NamedTuple):
    """`package` is where its version is read: `python openai`, `node ai`, `readme`."""

    name: str
    dialect: str
    package: str
    check: Check


def python(read: Reader) -> Check:
    def one(case: Case) -> dict[str, Any]:
        seen: dict[str, Any] = {"name": case["name"], "text": "", "error": None, "silent": True}

        def work() -> None:
            try:
                for piece in read(case["base_url"]):
                    seen["text"] += piece
            except Exception as exc:  # whatever it is that the SDK raises: this is what is looked for
                seen["error"] = f"{type(exc).__name__}: {exc}"
            seen["silent"] = False

        thread = Thread(target=work, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        return dict(seen)

    def check(cases: list[Case]) -> Iterator[dict[str, Any]]:
        with ThreadPoolExecutor(LANES) as lanes:
            yield from lanes.map(one, cases)

    return check


def node(name: str) -> Check:
    def check(cases: list[Case]) -> Iterator[dict[str, Any]]:
        job = {"client": name, "patience": PATIENCE, "lanes": LANES, "cases": cases}
        done = subprocess.run(["node", "cards.mjs", json.dumps(job)], cwd=CLIENTS_IN_NODE, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        yield from json.loads(done.stdout.rpartition("\n")[2])

    return check


CLIENTS = (
    Client("`openai` (Python)", "openai_chat", "python openai", python(card_clients.openai_chat)),
    Client("`openai` (Python), and `finish_reason` looked at", "openai_chat", "python openai", python(card_clients.openai_chat_careful)),
    Client("`openai` (Node)", "openai_chat", "node openai", node("openai chat")),
    Client("`openai` (Node), and `finish_reason` looked at", "openai_chat", "node openai", node("openai chat careful")),
    Client("`ai` and `@ai-sdk/openai`: `streamText`", "openai_chat", "node ai", node("ai openai")),
    Client("`openai` (Python)", "openai_responses", "python openai", python(card_clients.openai_responses)),
    Client("`openai` (Node)", "openai_responses", "node openai", node("openai responses")),
    Client("`openai` (Python)", "openai_completions", "python openai", python(card_clients.openai_completions)),
    Client("`anthropic` (Python)", "anthropic", "python anthropic", python(card_clients.anthropic_messages)),
    Client("`@anthropic-ai/sdk`", "anthropic", "node @anthropic-ai/sdk", node("anthropic")),
    Client("`ai` and `@ai-sdk/anthropic`: `streamText`", "anthropic", "node ai", node("ai anthropic")),
    Client("`google-genai` (Python)", "gemini", "python google-genai", python(card_clients.gemini)),
    Client("`@google/genai`", "gemini", "node @google/genai", node("gemini")),
    Client("`ollama` (Python)", "ollama", "python ollama", python(card_clients.ollama_chat)),
    Client("`ollama` (Node)", "ollama", "node ollama", node("ollama chat")),
    Client("`ollama` (Python)", "ollama_generate", "python ollama", python(card_clients.ollama_generate)),
    Client("`ollama` (Node)", "ollama_generate", "node ollama", node("ollama generate")),
    Client("`ai`: `DefaultChatTransport` and `readUIMessageStream`", "ai_sdk", "node ai", node("ai useChat")),
    Client("`fetch`, the README's", "headrace", "readme", reading("Browser, fetch", PATIENCE)),
    Client("`EventSource`, the README's", "event_source", "readme", reading("Browser, EventSource", PATIENCE)),
)

PAGE = """# Score cards

What the official SDKs make of each of the [faults](faults.md), seen by the [client check](lab.md#the-client-check):
`uv run python -m benchmarks.cards` runs them all and writes this page. Each reads a stream as its own README does, with its own
defaults, its repetitions included; what it raises, or hands on as an event that says so, is its error. A client has
{patience:.0f} s for a case, and is given up when it came to no end twice. `endless` and `giant-line` have 2 MB here, a stall 2 s.
What a browser still hands on of a stream that is reset, cut or half closed differs from run to run.

**False success** is the one to fear: a part of an answer, taken for the whole. Where two rows name the same SDK, the second looks at
`finish_reason` when the stream has ended, and takes an answer without one for broken: one line in your code.

{summary}

## Case by case

`·` correct, **F** false success, **W** wrong text, **S** neither text nor error, L an error without the part that had come,
N an error where all was there; nothing where the fault means nothing in the dialect.

{matrix}

The clients, by their numbers: {legend}.

## What was wrong

{wrong}
"""


def card(url: str, client: Client, only: list[str]) -> dict[str, Any]:
    def post(address: str, body: object) -> Any:
        content = json.dumps(body)  # in ASCII: some clients hand on halves of characters
        headers = {"content-type": "application/json"}
        return httpx.post(address, content=content, headers=headers, trust_env=False, timeout=60).raise_for_status().json()

    def begin(only: list[str]) -> Any:
        return post(f"{url}/lab/runs", {"dialect": client.dialect, "client": client.name, "only": only})

    def read(run: Any) -> dict[str, dict[str, Any]]:
        cases = [{"name": case["name"], "base_url": case["base_url"]} for case in run["cases"]]
        return {seen["name"]: seen for seen in client.check(cases)}

    run = begin(only)
    found = read(run)
    if silent := [name for name, seen in found.items() if seen["silent"]]:
        found |= read(begin(silent))  # once more, with less beside them: on a busy machine patience may have ended too soon
    for case in run["cases"]:
        post(case["report_url"], {field: found[case["name"]][field] for field in ("text", "error", "silent")})
    told: dict[str, Any] = httpx.get(f"{url}/lab/runs/{run['id']}", trust_env=False, timeout=60).json()
    return told


def version_of(package: str) -> str:
    where, _, name = package.partition(" ")
    if where == "python":
        return version(name)
    if where == "node":
        return str(json.loads((CLIENTS_IN_NODE / "node_modules" / name / "package.json").read_text())["version"])
    return "Chromium"


def page(cards: list[dict[str, Any]]) -> str:
    head = ["", "client", "version", "in", "correct", *list(VERDICTS.values())[:5]]
    rows, wrong = [], []
    for number, (client, told) in enumerate(zip(CLIENTS, cards, strict=True), 1):
        counts = [str(told["score"].get(verdict, "")) for verdict in list(VERDICTS)[:5]]
        correct = f"{told['good']} of {len(told['cases'])}"
        rows.append([str(number), client.name, version_of(client.package), SURFACES[client.dialect].title, correct, *counts])
        bad: dict[tuple[str, str], list[str]] = {}
        for case in told["cases"]:
            if case["result"]["verdict"] != "correct":
                bad.setdefault((VERDICTS[case["result"]["verdict"]], case["result"]["remark"]), []).append(f"`{case['name']}`")
        lines = [f"- {verdict}: {', '.join(names)}. {cell(remark)}" for (verdict, remark), names in bad.items()]
        wrong.append(f"**{number}. {client.name}**, {SURFACES[client.dialect].title}\n\n" + ("\n".join(lines) or "Nothing."))
    verdicts = [{case["name"]: MARKS[case["result"]["verdict"]] for case in told["cases"]} for told in cards]
    matrix = [[f"`{name}`", *(found.get(name, "") for found in verdicts)] for name in ("none", *FAULTS)]
    return PAGE.format(
        patience=PATIENCE,
        summary=table(head, rows),
        matrix=table(["fault", *map(str, range(1, len(CLIENTS) + 1))], matrix),
        legend=", ".join(f"{number} {client.name}" for number, client in enumerate(CLIENTS, 1)),
        wrong="\n\n".join(wrong),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="FAULT", help="these cases only; nothing is written then")
    parser.add_argument("--client", type=int, action="append", metavar="NUMBER", help="these clients only; nothing is written then")
    asked = parser.parse_args()
    chosen = [CLIENTS[number - 1] for number in asked.client] if asked.client else list(CLIENTS)
    cards = []
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), "[rehearsal]\nspeed = 1000.0\n") as headrace:
        for client in chosen:
            cards.append(told := card(headrace.url, client, asked.only))
            print(f"{client.name} {SURFACES[client.dialect].title}: {told['score']}", file=sys.stderr, flush=True)
    if len(chosen) == len(CLIENTS) and not asked.only:
        (ROOT / "docs" / "cards.md").write_text(page(cards))
        return
    for told in cards:
        for case in told["cases"]:
            print(case["name"], case["result"], case["seen"])


if __name__ == "__main__":
    main()
