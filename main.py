"""Headrace: the table of contents. Reads settings, builds everything once, mounts API and pages, runs."""

import asyncio
import logging
import socket
import sys

import msgspec

from services.api.app import build
from services.api.rehearsal import Mock
from services.api.server import Server, bind, run
from services.chat import Chat, Retention
from services.check import Arguments, DataPath, Record, check, markdown
from services.errors import HeadraceError, SettingsError
from services.generations import JOURNALS
from services.generations.journal import Journal
from services.generations.memory import MemoryJournal
from services.settings import Settings, load, settings_file, without_password
from services.store import open_store
from services.store.memory import MemoryStore
from services.store.store import Store
from services.upstream import PREFILLING, READERS
from services.upstream.attempts import Persistent
from services.upstream.catalogue import Catalogue
from services.upstream.connections import Connections, InProcess, Transport
from services.upstream.http import HTTPUpstream
from services.upstream.patience import Timeouts
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.server import Rehearsal
from services.upstream.rehearsal.tellers import VENDORS
from ui.pages import register


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if sys.argv[1:2] == ["check"]:
        sys.exit(check_all(sys.argv[2:]))
    try:
        settings = load()
        listening = bind(settings.server.host, settings.server.port, settings.server.write_timeout)
        storage, home = settings.storage, settings_file().parent
        journal = JOURNALS[storage.journal](home / storage.folder, storage.synchronous == "full")  # first: it locks the folder
        serve(settings, listening, open_store(storage.database, home), journal)
    except SettingsError as exc:
        sys.stderr.write(f"{exc}\n")
        sys.exit(2)


def serve(settings: Settings, listening: socket.socket, store: Store, journal: Journal) -> None:
    host, port = listening.getsockname()[:2]
    connections = Connections()
    storage = settings.storage
    chat = Chat(
        catalogue(settings, connections, port),
        store,
        journal,
        retention=Retention(storage.keep, storage.keep_for, storage.keep_bytes),
        max_running=settings.server.max_streams,
    )
    app = build(
        chat,
        register(chat),
        mock=public_rehearsal(settings),
        hosts=(settings.server.host, *settings.server.hosts),
        cors_origins=settings.server.cors_origins,
        max_body=settings.server.max_body,
        idle=settings.server.heartbeat,
        write_timeout=settings.server.write_timeout,
    )
    sys.stdout.write(f"Headrace is at http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl+C ends it)\n")
    sys.stdout.flush()

    async def close() -> None:
        await connections.close()
        journal.close()  # last: everything before may still have something to keep

    run(Server(app, lambda: chat.close(settings.server.drain)), listening, chat.restore, close)


def check_all(words: list[str]) -> int:
    """`main.py check`: write the record of this installation; the exit code, 0 when a model has answered."""
    try:
        asked = Arguments.read(words)
        settings = load(asked.flags)
    except HeadraceError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    record = asyncio.run(examine(settings, asked.model))
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(record)).decode() + "\n" if asked.json else markdown(record))
    if record.problem:
        sys.stderr.write(f"{record.problem}\n")
    return 1 if record.problem else 0


async def examine(settings: Settings, model: str) -> Record:
    """Every server is asked, also one whose models the settings name, and more patiently than at a start."""
    patient = settings.model_copy(update={"chat": settings.chat.model_copy(update={"probe": max(settings.chat.probe, 2.0)})})
    unnamed = tuple(upstream.model_copy(update={"models": ()}) for upstream in settings.upstreams)
    file = settings_file()
    data = DataPath(
        str(file) if file.exists() else f"no {file}: the defaults", settings.storage.journal, without_password(settings.storage.database)
    )
    connections = Connections()
    try:
        asked = catalogue(patient.model_copy(update={"upstreams": unnamed}), connections, settings.server.port)
        chat = Chat(catalogue(patient, connections, settings.server.port), MemoryStore(), MemoryJournal())
        await asyncio.gather(asked.refresh(), chat.refresh_models())
        return await check(chat, model, asked.listings(), data)
    finally:
        await connections.close()


def public_rehearsal(settings: Settings) -> Mock | None:
    """The built-in models as a server of every vendor."""
    if not settings.rehearsal.enabled:
        return None
    servers = {dialect: Rehearsal(settings.rehearsal.speed, dialect=dialect) for dialect in VENDORS}
    return Mock(servers, most=settings.server.max_streams, write_timeout=settings.server.write_timeout)


def catalogue(settings: Settings, connections: Transport, port: int) -> Catalogue:
    """Every upstream of the settings but ourselves, then the built-in one."""
    servers = [
        HTTPUpstream(
            upstream.name,
            READERS[upstream.dialect],
            upstream.base_url,
            connections,
            api_key=upstream.api_key.get_secret_value() if upstream.api_key else None,
            timeouts=Timeouts(**settings.timeouts_for(upstream).model_dump()),
            max_line=settings.limits.line,
            max_reply=settings.limits.reply,
        )
        for upstream in settings.other_servers(port)
    ]
    if settings.rehearsal.enabled:
        rehearsal = Rehearsal(settings.rehearsal.speed)
        servers.append(HTTPUpstream("rehearsal", READERS["openai_chat"], "http://rehearsal", InProcess(rehearsal.answer)))
    fixed = {upstream.name: upstream.models for upstream in settings.upstreams if upstream.models} | {"rehearsal": tuple(MODELS)}
    persistent = (Persistent(server, spare=server.name != "rehearsal") for server in servers)
    return Catalogue(
        persistent,
        fixed=fixed,
        preferred=settings.chat.model,
        patience=settings.chat.probe,
        prefilling=("rehearsal", *(upstream.name for upstream in settings.upstreams if upstream.dialect in PREFILLING)),
    )


if __name__ == "__main__":
    main()
