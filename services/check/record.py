"""`main.py check`: what this installation is, which model servers answer, and the smallest real exchange. A record, no secrets.

The exchange is a POST /chat without its HTTP: the same request, the same log, the same frames.
"""

import asyncio
import datetime
import os
import platform
import re
from collections.abc import Iterable, Sequence
from contextlib import aclosing, suppress
from importlib import metadata
from pathlib import Path

import msgspec

from services.chat import Chat
from services.downstream.native import EventsWriter
from services.errors import HeadraceError
from services.events import Entry, PartDelta
from services.messages import Reply
from services.models import Listing

QUESTION = "Say hello in one short sentence."
PACKAGES = ("nicegui", "starlette", "uvicorn", "aiohttp", "msgspec", "pydantic-settings")
PATIENCE = 120.0  # seconds for the whole exchange
FRAMES = 6  # of the stream are shown
SHOWN = 2000  # characters of anything that a model wrote


class DataPath(msgspec.Struct, frozen=True):
    """Where settings come from and what is kept where."""

    settings: str
    journal: str
    store: str


class Machine(msgspec.Struct, frozen=True):
    """`memory` in bytes; None where the system does not tell."""

    python: str
    packages: dict[str, str]
    system: str
    cpu: str
    cores: int | None
    memory: int | None


class Exchange(msgspec.Struct, frozen=True):
    """One request and how it went. `tokens_per_second` counts from the first piece of the answer to its end."""

    model: str
    request: dict[str, object]
    frames: list[str]
    text: str
    ttft_ms: float | None
    ms: float | None
    output_tokens: int | None
    tokens_per_second: float | None
    finish_reason: str | None


class Record(msgspec.Struct, frozen=True):
    """`problem` is the sentence that says why the exchange did not succeed; None when it did."""

    time: str
    problem: str | None
    machine: Machine
    data: DataPath
    upstreams: list[Listing]
    exchange: Exchange | None
    constraints: list[str]


async def examined(chat: Chat, model: str, upstreams: list[Listing], data: DataPath) -> Record:
    """Ask `model` (empty: the default one) for one sentence. The servers have been asked for their models before."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    exchange, reply, problem = None, None, None
    try:
        exchange, reply = await _exchange(chat, model)
        problem = _problem(reply)
    except HeadraceError as exc:
        problem = exc.message
    await chat.close()
    constraints = [*_limits(chat, model, upstreams), *(_findings(exchange, reply) if exchange and reply else [])]
    return Record(now, problem, _machine(), data, upstreams, exchange, constraints)


async def _exchange(chat: Chat, model: str) -> tuple[Exchange, Reply]:
    request: dict[str, object] = {"model": model or chat.default_model, "messages": [{"role": "user", "content": QUESTION}]}
    started = chat.start(EventsWriter.turn(request))
    writer = EventsWriter(started, request)
    entries: list[Entry] = []
    frames: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE), aclosing(chat.follow(started.generation)) as batches:
            async for batch in batches:
                entries += batch
                frames += writer.write(batch).decode().split("\n\n")[:-1]
    except TimeoutError:
        await chat.stop(started.generation)
    reply = chat.reply(started.generation)
    told = Exchange(
        model=reply.model,
        request=request,
        frames=[frame[:SHOWN] for frame in frames[:FRAMES]],
        text=reply.message.text[:SHOWN],
        ttft_ms=reply.ttft_ms,
        ms=reply.ms,
        output_tokens=reply.usage.output_tokens if reply.usage else None,
        tokens_per_second=_speed(reply, entries),
        finish_reason=reply.reason,
    )
    return told, reply


def _speed(reply: Reply, entries: Sequence[Entry]) -> float | None:
    tokens = reply.usage.output_tokens if reply.usage else None
    deltas = [entry.at for entry in entries if isinstance(entry.event, PartDelta)]
    took = deltas[-1] - deltas[0] if deltas else 0.0
    return round((tokens - 1) / took * 1000, 1) if tokens is not None and tokens > 1 and took > 0 else None


def _problem(reply: Reply) -> str | None:
    if reply.problem:
        return reply.problem.message
    if reply.reason == "stopped":
        return f"{reply.model} had not ended its answer after {PATIENCE:.0f} s."
    return None if reply.parts else f"{reply.model} ended its answer without saying anything."


def _limits(chat: Chat, model: str, upstreams: Sequence[Listing]) -> list[str]:
    """What the surroundings do not allow."""
    told = [f"{one.name} answers, but not with its models: {one.problem}" for one in upstreams if one.state == "refusing"]
    if chat.alone:
        told.append("No model server can be asked: only the built-in rehearsal, which is no language model.")
    if not model:
        told.append(f"No model was named: {chat.default_model or 'none'} is the default one.")
    return told


def _findings(exchange: Exchange, reply: Reply) -> list[str]:
    """What the exchange ran into."""
    told = []
    if reply.reason == "length":
        told.append("The answer was cut off by a limit of its length.")
    if reply.reason == "content_filter":
        told.append("The answer was cut off by a content filter.")
    if reply.problem:
        return told  # which is told by itself; there are no figures of an answer that was none
    if not exchange.text:
        told.append("There was an answer, but no text in it.")
    if exchange.output_tokens is None:
        told.append("The server told no token counts, so there is no tokens/s.")
    elif exchange.tokens_per_second is None:
        told.append("The answer came in one piece, so there is no tokens/s.")
    return told


def _machine() -> Machine:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return Machine(python, installed(PACKAGES), platform.platform(), _cpu(), os.cpu_count(), _memory())


def installed(names: Iterable[str]) -> dict[str, str]:
    """The versions of those that are here."""
    versions = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def _cpu() -> str:
    """Linux tells the name in a file of its own; elsewhere it may be the architecture only."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


# As Markdown


def markdown(record: Record) -> str:
    machine, data = record.machine, record.data
    memory = f"{machine.memory / 2**30:.1f} GiB" if machine.memory else "not told"
    blocks = [
        f"# Headrace check, {record.time}",
        f"**Failed**: {_plain(record.problem)}"
        if record.problem
        else f"**Succeeded**: {record.exchange and record.exchange.model} answered.",
        "## Machine",
        _table(
            ("", ""),
            ("Python", machine.python),
            ("packages", ", ".join(f"{name} {version}" for name, version in machine.packages.items())),
            ("system", machine.system),
            ("CPU", f"{machine.cpu}, {machine.cores or '?'} cores"),
            ("memory", memory),
        ),
        "## Data path",
        _table(("", ""), ("settings", data.settings), ("journal", data.journal), ("store", data.store)),
        "## Upstreams",
        _table(("upstream", "at", "answers", "models"), *(_row(upstream) for upstream in record.upstreams)),
        *(_told(record.exchange) if record.exchange else ()),
    ]
    if record.constraints:
        blocks += ["## Constraints met", "\n".join(f"- {_plain(constraint)}" for constraint in record.constraints)]
    return "\n\n".join(blocks) + "\n"


def _row(upstream: Listing) -> tuple[str, str, str, str]:
    names = [model.name for model in upstream.models]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return upstream.name, upstream.host, upstream.state, ", ".join(names[:5]) + more


def _told(exchange: Exchange) -> list[str]:
    figures = [
        ("TTFT", None if exchange.ttft_ms is None else f"{exchange.ttft_ms:.0f} ms"),
        ("whole", None if exchange.ms is None else f"{exchange.ms:.0f} ms"),
        ("output tokens", exchange.output_tokens),
        ("tokens/s", exchange.tokens_per_second),
        ("finish reason", exchange.finish_reason),
    ]
    return [
        "## Exchange",
        _table(("", ""), ("model", exchange.model), *((name, "-" if value is None else str(value)) for name, value in figures)),
        "Request, as `POST /chat` takes it:",
        _fenced(msgspec.json.encode(exchange.request).decode(), "json"),
        "First frames:",
        _fenced("\n\n".join(exchange.frames)),
        "Text:",
        _fenced(exchange.text),
    ]


def _table(head: tuple[str, ...], *rows: tuple[str, ...]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_plain(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _fenced(text: str, language: str = "") -> str:
    """In a fence that no line of the text can close."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{_plain(text, lines=True)}\n{fence}"


def _plain(text: str, *, lines: bool = False) -> str:
    """Without control characters: what a server says must not move a terminal's cursor."""
    return "".join(one if one.isprintable() or (lines and one in "\n\t") else " " for one in text)
