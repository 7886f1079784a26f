"""Headrace: the table of contents. Reads settings, builds everything once, mounts API and pages, runs."""

import logging
import socket
import sys

import httpx

from services.api.app import build
from services.api.rehearsal import Mock
from services.api.server import Server, bind, run
from services.chat import Chat
from services.errors import SettingsError
from services.generations import JOURNALS
from services.settings import Settings, load
from services.store import STORES
from services.upstream import READERS
from services.upstream.catalogue import Catalogue
from services.upstream.http import HTTPUpstream, in_process, open_transport
from services.upstream.patience import Timeouts
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.server import Rehearsal
from services.upstream.rehearsal.tellers import VENDORS
from ui.pages import register


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = load()
        listening = bind(settings.server.host, settings.server.port, settings.server.write_timeout)
    except SettingsError as exc:
        sys.stderr.write(f"{exc}\n")
        sys.exit(2)
    serve(settings, listening)


def serve(settings: Settings, listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    transport = open_transport()
    chat = Chat(
        catalogue(settings, transport, port),
        STORES["memory"](),
        JOURNALS[settings.storage.journal](),
        keep=settings.storage.keep,
        keep_for=settings.storage.keep_for,
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
    run(Server(app, lambda: chat.close(settings.server.drain)), listening, transport.aclose)


def public_rehearsal(settings: Settings) -> Mock | None:
    """The built-in models as a server of every vendor."""
    if not settings.rehearsal.enabled:
        return None
    servers = {dialect: Rehearsal(settings.rehearsal.speed, dialect=dialect) for dialect in VENDORS}
    return Mock(servers, most=settings.server.max_streams, write_timeout=settings.server.write_timeout)


def catalogue(settings: Settings, transport: httpx.AsyncBaseTransport, port: int) -> Catalogue:
    """Every upstream of the settings but ourselves, then the built-in one."""
    upstreams = [
        HTTPUpstream(
            upstream.name,
            READERS[upstream.dialect],
            upstream.base_url,
            transport,
            api_key=upstream.api_key.get_secret_value() if upstream.api_key else None,
            timeouts=Timeouts(**settings.timeouts_for(upstream).model_dump()),
            max_line=settings.limits.line,
            max_reply=settings.limits.reply,
        )
        for upstream in settings.other_servers(port)
    ]
    if settings.rehearsal.enabled:
        rehearsal = Rehearsal(settings.rehearsal.speed)
        upstreams.append(HTTPUpstream("rehearsal", READERS["openai_chat"], "http://rehearsal", in_process(rehearsal.answer)))
    fixed = {upstream.name: upstream.models for upstream in settings.upstreams if upstream.models} | {"rehearsal": tuple(MODELS)}
    return Catalogue(upstreams, fixed=fixed, preferred=settings.chat.model, patience=settings.chat.probe)


if __name__ == "__main__":
    main()
