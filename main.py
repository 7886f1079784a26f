"""Headrace: the table of contents. Reads settings, builds everything once, mounts API and pages, runs."""

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from services import logs
from services.api.app import build
from services.api.capacity import Capacity
from services.api.rehearsal import Mock
from services.api.server import Server, bind, run
from services.attachments.attachments import Attachments, Limits
from services.attachments.shelf import Folder, Memory
from services.chat import Bounds, Chat, Installed, Records, Repertoire, Retention
from services.check import check
from services.doctor.doctor import Doctor
from services.doctor.tickets import Tickets
from services.errors import SettingsError
from services.generations import JOURNALS
from services.generations.journal import Journal
from services.lab.breaking import broken, on_pages
from services.people.command import COMMANDS
from services.people.oidc import Provider, Registration, check_installed
from services.people.people import People
from services.people.roll import Terms
from services.prices import Price
from services.recordings import keeper
from services.settings import Layers, Settings, read
from services.spans import open_spans
from services.store import open_store
from services.store.store import Store
from services.upstream.configured import Assembly
from services.upstream.connections import Connections
from services.upstream.rehearsal.scenes import SCENES
from services.upstream.rehearsal.script import Model
from services.upstream.rehearsal.scripted import Scripted
from services.upstream.rehearsal.server import Rehearsal
from services.upstream.rehearsal.tellers import VENDORS
from ui.pages import login_page, register, sentence_page

CHECKED = 400.0  # tokens per second of what clients are checked with


def main() -> None:
    logs.begin("warning", "text")
    if sys.argv[1:2] == ["check"]:
        sys.exit(check(sys.argv[2:]))
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        sys.exit(COMMANDS[sys.argv[1]](sys.argv[2:]))
    try:
        layers = read()
        settings = layers.settings
        logs.begin(settings.log.level, settings.log.format, lambda: layers.settings.secrets())
        script = settings.rehearsal.script
        repertoire = Repertoire(recordings(layers), Scripted(layers.home / script) if script else None)
        listening = bind(settings.server.host, settings.server.port, settings.server.write_timeout)
        storage = settings.storage
        journal = JOURNALS[storage.journal](layers.home / storage.folder, storage.synchronous == "full")  # first: it locks the folder
        serve(layers, listening, open_store(storage.url, layers.home), journal, repertoire)
    except SettingsError as exc:
        sys.stderr.write(f"{exc}\n")
        sys.exit(2)


def serve(layers: Layers, listening: socket.socket, store: Store, journal: Journal, repertoire: Repertoire) -> None:
    host, port = listening.getsockname()[:2]
    settings, connections = layers.settings, Connections()
    assembly = Assembly(connections, port, repertoire, broken if settings.server.faults else None)
    storage = settings.storage
    spans = open_spans(settings.tracing.endpoint)
    chat = Chat(
        assembly.catalogue(settings),
        store,
        journal,
        retention=Retention(storage.keep, storage.keep_for, storage.keep_bytes),
        max_running=settings.server.max_streams,
        grace=settings.server.grace,
        attachments=attachments(layers),
        titles=lambda: layers.settings.chat.titles,
        installed=Installed(layers, assembly),
        people=People(store, terms(settings)),
        spans=spans,
        repertoire=repertoire,
        records=Records(Bounds(settings.record.bytes, settings.record.all_bytes), on=settings.record.on),
        prices=[Price(**price.model_dump()) for price in settings.chat.prices],
        faults=on_pages() if settings.server.faults and settings.rehearsal.enabled else {},
        doctor=Doctor(connections, Tickets(time.monotonic, settings.server.heartbeat), reached(host, port)),
    )
    capacity = Capacity(**settings.gate.model_dump(exclude={"proxies"}))
    app = build(
        chat,
        register(chat),
        draw_login=login_page,
        draw_sentence=sentence_page,
        provider=provider(settings),
        secure=settings.login.public_url.startswith("https:"),
        mock=public_rehearsal(settings, repertoire),
        scenes=scenes(settings),
        hosts=(settings.server.host, *settings.server.hosts, *public_host(settings)),
        cors_origins=settings.server.cors_origins,
        proxies=settings.gate.proxies,
        capacity=capacity,
        max_body=settings.server.max_body,
        idle=settings.server.heartbeat,
        write_timeout=settings.server.write_timeout,
        faults=settings.server.faults,
        figures=settings.metrics.on,
    )
    sys.stdout.write(f"Headrace is at http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl+C ends it)\n")
    sys.stdout.flush()

    async def close() -> None:
        await connections.close()
        if spans:
            await asyncio.to_thread(spans.close)
        journal.close()  # last: everything before may still have something to keep

    run(Server(app, lambda: chat.close(settings.server.drain), chat.interrupt, capacity), listening, chat.restore, close)


def terms(settings: Settings) -> Terms:
    login = settings.login
    return Terms(login.kind, login.name, login.password.get_secret_value() if login.password else "", login.session)


def provider(settings: Settings) -> Provider | None:
    """Raises SettingsError when what checks its word is not installed."""
    login = settings.login
    if login.kind != "oidc":
        return None
    check_installed()
    secret = login.client_secret.get_secret_value() if login.client_secret else ""
    callback = f"{login.public_url}/login/callback"
    return Provider(Registration(login.issuer, login.client_id, secret, callback, login.claim, login.allow, login.admins))


def public_host(settings: Settings) -> list[str]:
    """Where people come from, if it is not where we listen."""
    return [host] if (host := urlsplit(settings.login.public_url).hostname) else []


def reached(host: str, port: int) -> str:
    """Where this very process is found from here, whatever it listens on."""
    everywhere = host != "localhost" and ip_address(host).is_unspecified
    here = host if not everywhere else "::1" if ":" in host else "127.0.0.1"
    return f"http://{f'[{here}]' if ':' in here else here}:{port}"


def attachments(layers: Layers) -> Attachments:
    settings = layers.settings
    storage = settings.storage
    shelf = Memory() if storage.database == "memory" else Folder(layers.home / storage.folder / "attachments")
    return Attachments(shelf, Limits(**settings.attachments.model_dump()))


def recordings(layers: Layers) -> keeper.Recordings:
    settings = layers.settings
    storage = settings.storage
    shelf = keeper.Memory() if storage.database == "memory" else keeper.Folder(layers.home / storage.folder / "recordings")
    return keeper.Recordings(shelf, keeper.Bounds(settings.recordings.bytes, settings.recordings.count, settings.recordings.everybody))


def public_rehearsal(settings: Settings, repertoire: Repertoire) -> Mock | None:
    """The built-in models as a server of every vendor."""
    if not settings.rehearsal.enabled:
        return None
    servers = {dialect: Rehearsal(settings.rehearsal.speed, dialect=dialect, repertoire=repertoire) for dialect in VENDORS}
    return Mock(servers, most=settings.server.max_streams, write_timeout=settings.server.write_timeout)


def scenes(settings: Settings) -> dict[str, Mock]:
    """Rehearsals that say the same whatever they are asked, each in every dialect: for the check of clients."""
    if not settings.rehearsal.enabled:
        return {}
    told = {}
    for name in ("text", "separators"):
        always = constantly(SCENES[name])
        servers = {dialect: Rehearsal(CHECKED, dialect=dialect, models=always) for dialect in VENDORS}
        told[name] = Mock(servers, most=settings.server.max_streams, write_timeout=settings.server.write_timeout)
    return told


def constantly(model: Model) -> Callable[[str], Model]:
    return lambda name: model


if __name__ == "__main__":
    main()
