"""The upstreams that settings name, ready to be asked."""

from functools import cache

from services.errors import Invalid
from services.messages import Message, Options, Text, Turn
from services.settings import Settings, Upstream
from services.upstream import PREFILLING, READERS
from services.upstream.attempts import Persistent
from services.upstream.catalogue import Catalogue
from services.upstream.connections import Transport
from services.upstream.http import HTTPUpstream
from services.upstream.patience import Timeouts
from services.upstream.rehearsal.repertoire import Repertoire
from services.upstream.rehearsed import Broken, Rehearsed

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


class Assembly:
    """Makes upstreams of settings. One whose settings are as they were is the one that was made then: its breaker remembers."""

    def __init__(self, connections: Transport, port: int, repertoire: Repertoire | None = None, broken: Broken | None = None) -> None:
        self._connections = connections
        self._port = port  # our own, on which no upstream of ours is
        self.repertoire = repertoire or Repertoire()
        self._broken = broken
        self._made: dict[str, tuple[object, Persistent]] = {}

    def catalogue(self, settings: Settings) -> Catalogue:
        """Every upstream of the settings but ourselves, then the built-in one."""
        upstreams = [
            self._same(upstream.name, (upstream, *_limits(settings, upstream)), settings) for upstream in settings.other_servers(self._port)
        ]
        if settings.rehearsal.enabled:
            upstreams.append(self._same("rehearsal", settings.rehearsal, settings))
        fixed = {upstream.name: upstream.models for upstream in settings.upstreams if upstream.models}
        fixed["rehearsal"] = self.repertoire.common
        dialects = {upstream.name: str(upstream.dialect) for upstream in settings.upstreams} | {"rehearsal": "openai_chat"}
        return Catalogue(
            upstreams,
            fixed=fixed,
            own=lambda person: self.repertoire.of(person).replays,
            preferred=settings.chat.model,
            patience=settings.chat.probe,
            refuses=lambda upstream: refused(dialects[upstream]) if upstream in dialects else frozenset(),
            prefilling=("rehearsal", *(upstream.name for upstream in settings.upstreams if upstream.dialect in PREFILLING)),
        )

    def _same(self, name: str, said: object, settings: Settings) -> Persistent:
        if name not in self._made or self._made[name][0] != said:
            self._made[name] = said, self.make(name, settings)
        return self._made[name][1]

    def make(self, name: str, settings: Settings) -> Persistent:
        """One upstream, by the name that settings give it."""
        if name == "rehearsal":
            return Persistent(Rehearsed(settings.rehearsal.speed, self.repertoire, self._broken), spare=False)
        [upstream] = [upstream for upstream in settings.upstreams if upstream.name == name]
        timeouts, max_line, max_reply = _limits(settings, upstream)
        return Persistent(
            HTTPUpstream(
                name,
                READERS[upstream.dialect],
                upstream.base_url,
                self._connections,
                api_key=upstream.api_key.get_secret_value() if upstream.api_key else None,
                timeouts=timeouts,
                max_line=max_line,
                max_reply=max_reply,
            )
        )


def _limits(settings: Settings, upstream: Upstream) -> tuple[Timeouts, int, int]:
    return Timeouts(**settings.timeouts_for(upstream).model_dump()), settings.limits.line, settings.limits.reply


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
