"""The upstreams that settings name, ready to be asked."""

from services.settings import Settings
from services.upstream import PREFILLING, READERS
from services.upstream.attempts import Persistent
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess, Transport
from services.upstream.http import HTTPUpstream
from services.upstream.patience import Timeouts
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.server import Rehearsal


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
