"""The upstreams that settings name, ready to be asked."""

from functools import cache

from services.errors import Invalid
from services.messages import Message, Options, Text, Turn
from services.settings import Settings
from services.upstream import PREFILLING, READERS
from services.upstream.attempts import Persistent
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess, Transport
from services.upstream.http import HTTPUpstream
from services.upstream.patience import Timeouts
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.server import Rehearsal

# One value of each option that a person can set, such as every server would take that knows the option.
_SAMPLES = (
    Options(temperature=0.5),
    Options(top_p=0.5),
    Options(top_k=10),
    Options(min_p=0.1),
    Options(max_tokens=100),
    Options(stop=("end",)),
    Options(seed=1),
    Options(presence_penalty=0.5),
    Options(frequency_penalty=0.5),
    Options(repeat_penalty=1.1),
    Options(reasoning_effort="low"),
    Options(reasoning_budget=2000),
)


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
    dialects = {upstream.name: str(upstream.dialect) for upstream in settings.upstreams} | {"rehearsal": "openai_chat"}
    persistent = (Persistent(server, spare=server.name != "rehearsal") for server in servers)
    return Catalogue(
        persistent,
        fixed=fixed,
        preferred=settings.chat.model,
        patience=settings.chat.probe,
        refuses=lambda upstream: refused(dialects[upstream]) if upstream in dialects else frozenset(),
        prefilling=("rehearsal", *(upstream.name for upstream in settings.upstreams if upstream.dialect in PREFILLING)),
    )


@cache
def refused(dialect: str) -> frozenset[str]:
    """The options that a dialect has no words for, by asking its reader: it makes the request, or refuses."""
    reader, names = READERS[dialect](), []
    for options in _SAMPLES:
        [name] = [name for name in Options.__struct_fields__ if getattr(options, name) not in (None, ())]
        try:
            reader.request(Turn("model", (Message("user", (Text("Hello"),)),), options))
        except Invalid:
            names.append(name)
    return frozenset(names)
