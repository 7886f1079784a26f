"""The settings as typed, frozen tables: names, types and defaults. It reads nothing.

A setting is a field of a table here, a line in settings.toml and a row in docs/settings.md: the tests compare the three.
"""

import re
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from services.settings.values import (
    Collector,
    Count,
    Database,
    Hash,
    Host,
    Issuer,
    ModelName,
    Models,
    Names,
    Origins,
    Positive,
    Proxies,
    PublicURL,
    Secret,
    ServerURL,
    Slug,
    Whom,
    is_local,
)

Dialect = Literal["openai_chat", "openai_responses", "openai_completions", "anthropic", "gemini", "ollama", "ollama_generate"]
Journal = Literal["sqlite", "memory"]
Synchronous = Literal["normal", "full"]
Level = Literal["debug", "info", "warning", "error"]
Format = Literal["text", "json"]


def _different_names(upstreams: tuple["Upstream", ...]) -> tuple["Upstream", ...]:
    seen: set[str] = set()
    for upstream in upstreams:
        if upstream.name.lower() in seen:
            raise ValueError(f"expected every upstream to have its own name; there are two called {upstream.name}")
        seen.add(upstream.name.lower())
    return upstreams


class Outside(str):
    """Text from outside the file: a variable, a flag, a ${...}. It is read as the setting's type; in the file, 80 is not "80"."""

    __slots__ = ()


class _Table(BaseModel):
    """A frozen value; two with the same fields are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _read(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, Outside) or info.field_name is None:
            return value
        annotation: Any = cls.model_fields[info.field_name].annotation
        try:
            return TypeAdapter(annotation).validate_strings(value)
        except ValidationError:
            return str(value)


class Server(_Table):
    host: Host = Field(default="127.0.0.1", description="address to listen on; loopback only, unless login.kind says how people come in")
    port: int = Field(default=8080, ge=0, le=65535, description="port to listen on; 0 takes any free one")
    hosts: Names = Field(default=(), description="more names accepted in the Host header, such as that of a reverse proxy")
    cors_origins: Origins = Field(default=(), description="web pages elsewhere that may call the API, as scheme://host[:port]")
    max_body: Count = Field(default=20_000_000, description="bytes of a request body")
    heartbeat: Positive = Field(default=15.0, description="seconds without events before a comment keeps a stream open")
    write_timeout: Positive = Field(default=30.0, description="seconds after which a client that takes no bytes is dropped")
    drain: float = Field(default=2.0, ge=0, allow_inf_nan=False, description="seconds that open streams may finish in after SIGTERM")
    grace: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="seconds until a reply that nobody reads any more is stopped")
    max_streams: Count = Field(default=1000, description="replies running at the same time")
    faults: bool = Field(default=True, description="break a stream where its request asks for that (docs/faults.md)")


class Login(_Table):
    """How people come in. What goes together is checked in mistakes.py."""

    kind: Literal["none", "password", "oidc"] = Field(default="none", description="how people come in")
    name: Annotated[str, Field(min_length=1, max_length=80)] = Field(default="admin", description="what the first person is called")
    password: Hash | None = Field(default=None, description="hash of the first person's password, as `main.py password` writes it")
    public_url: PublicURL = Field(default="", description="address that people type, when a proxy is in front")
    session: Positive = Field(default=43_200.0, description="seconds until one has to log in again")
    issuer: Issuer = Field(default="", description="OIDC: URL of the provider")
    client_id: str = Field(default="", description="OIDC: what Headrace is called there")
    client_secret: Secret | None = Field(default=None, description="OIDC: the secret that goes with it")
    claim: Annotated[str, Field(min_length=1)] = Field(default="email", description="OIDC: the claim that says who somebody is")
    allow: Whom = Field(default=(), description="OIDC: who may come in: addresses, @domains, or * for all that the provider knows")
    admins: Whom = Field(default=(), description="OIDC: who of them is an admin")


class Gate(_Table):
    """What is let in, and whose word is taken for where it comes from. Times in seconds."""

    proxies: Proxies = Field(default=(), description="addresses of reverse proxies whose X-Forwarded headers are believed")
    header_bytes: Count = Field(default=32_768, description="bytes of a request's address and headers")
    header_count: Count = Field(default=100, description="headers of a request")
    header_time: Positive = Field(default=20.0, description="seconds until the headers of a request have come")
    body_time: Positive = Field(default=60.0, description="seconds until a body has come, and one more for each 10 kB of it")
    connections: Count = Field(default=4000, description="connections that are open at the same time")
    sockets: Count = Field(default=1000, description="websockets of pages that are open at the same time")
    peer_sockets: Count = Field(default=200, description="the same, from one address")
    peer_pages: Count = Field(default=200, description="pages of one address in a minute that never open their websocket")
    messages: Count = Field(default=200, description="messages a second that are read from one websocket")


class Storage(_Table):
    database: Database = Field(
        default="sqlite",
        description="where conversations are kept: sqlite (in the folder), sqlite:///PATH, postgresql://... or memory",
        repr=False,
    )
    journal: Journal = Field(default="sqlite", description="what keeps generations; memory forgets them when the process ends")
    folder: Annotated[str, Field(min_length=1)] = Field(
        default="data", description="where all that is kept goes, from the folder of settings.toml"
    )
    synchronous: Synchronous = Field(
        default="normal", description="what replies survive: the end of the process (normal), a power cut (full)"
    )
    keep: int = Field(default=500, ge=0, description="finished generations that are kept")
    keep_for: Positive = Field(default=86_400.0, description="seconds that a finished generation is kept")
    keep_bytes: Count = Field(default=1_000_000_000, description="bytes of finished generations that are kept")

    @property
    def url(self) -> str:
        """Of the database: plain `sqlite` lies in the folder, so that two folders are two houses with nothing in common."""
        return f"sqlite:///{self.folder}/headrace.db" if self.database == "sqlite" else self.database


class Price(_Table):
    """Of a million tokens of the models whose full names fit the pattern."""

    model: Annotated[str, Field(min_length=1)]
    input: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    output: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    currency: Annotated[str, Field(max_length=8)] = "$"


class ChatDefaults(_Table):
    model: ModelName = Field(
        default="", description="default model as upstream/model; empty: the first one of the first upstream that answers"
    )
    probe: Positive = Field(default=0.3, description="seconds that all local servers together have to answer for that")
    prices: Annotated[tuple[Price, ...], Strict(False)] = Field(default=(), description="of tokens, to show what a reply cost")
    titles: bool = Field(default=True, description="ask the model that answered first for a title of the conversation")


class Attachments(_Table):
    """Of what a person attaches to a question."""

    bytes: Count = Field(default=20_000_000, description="bytes of one attached file")
    files: Count = Field(default=10, description="files attached to one message")
    pixels: Count = Field(default=50_000_000, description="pixels of an attached picture, width times height")
    side: int = Field(default=2048, ge=256, description="pixels of a side; the page makes larger pictures smaller before it sends them")
    characters: Count = Field(default=200_000, description="characters of one attached text that a model is given")
    pages: Count = Field(default=500, description="pages of an attached PDF that are read")
    paste: Count = Field(default=8_000, description="characters from which a pasted text is made a file, which can be undone")


class Record(_Table):
    """What the inspector shows of a reply: requests, reads and writes, in memory only."""

    on: bool = Field(default=True, description="keep what went over the wires for each reply, for the inspector")
    bytes: Count = Field(default=16_000_000, description="bytes kept of one reply")
    all_bytes: Count = Field(default=64_000_000, description="bytes kept of all replies together; the oldest go first")


class Log(_Table):
    level: Level = Field(
        default="info", description="what is told on stderr: debug, info (a line for each call of the API), warning, error"
    )
    format: Format = Field(default="text", description="text for people, json for programs: one object a line")


class Recordings(_Table):
    """Of the named recordings in `recordings/` of the storage folder."""

    bytes: Count = Field(default=32_000_000, description="bytes of one recording")
    count: Count = Field(default=200, description="recordings that a person keeps")
    everybody: Count = Field(default=2000, description="recordings of everybody together")


class Metrics(_Table):
    on: bool = Field(default=True, description="tell the figures of the house at /metrics")


class Tracing(_Table):
    endpoint: Collector = Field(default="", description="where spans of generations go, by OTLP over HTTP; empty: nowhere")


class Rehearsal(_Table):
    enabled: bool = Field(default=True, description="offer the built-in models, which need no server")
    speed: Positive = Field(default=60.0, description="tokens per second of the built-in models")
    script: str = Field(default="", description="a file of [[reply]] tables, from the folder of settings.toml, for rehearsal/script")


class Timeouts(_Table):
    """Seconds, of one request to an upstream."""

    connect: Positive = Field(default=5.0, description="seconds until a connection stands")
    first_byte: Positive = Field(default=120.0, description="seconds until an upstream begins its reply")
    gap: Positive = Field(default=60.0, description="seconds between two pieces of content")
    total: Positive = Field(default=1800.0, description="seconds of a whole reply")


class TimeoutOverrides(_Table):
    """None: as in Timeouts."""

    connect: Positive | None = None
    first_byte: Positive | None = None
    gap: Positive | None = None
    total: Positive | None = None


class Limits(_Table):
    """Bytes, from one upstream."""

    line: Count = Field(default=1_048_576, description="bytes of one line or frame from an upstream")
    reply: Count = Field(default=16_000_000, description="bytes of one whole reply from an upstream")


class Upstream(_Table):
    name: Slug
    dialect: Dialect
    base_url: ServerURL
    api_key: Secret | None = None
    models: Models = ()  # empty: asked from the server
    timeouts: TimeoutOverrides = TimeoutOverrides()
    enabled: bool = True


class Settings(_Table):
    """Made by `load`; `Settings()` is what an empty file means."""

    server: Server = Server()
    login: Login = Login()
    gate: Gate = Gate()
    storage: Storage = Storage()
    chat: ChatDefaults = ChatDefaults()
    attachments: Attachments = Attachments()
    record: Record = Record()
    log: Log = Log()
    recordings: Recordings = Recordings()
    metrics: Metrics = Metrics()
    tracing: Tracing = Tracing()
    rehearsal: Rehearsal = Rehearsal()
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    upstreams: Annotated[tuple[Upstream, ...], Strict(False), AfterValidator(_different_names)] = ()

    def other_servers(self, port: int | None = None) -> tuple[Upstream, ...]:
        """Those that are asked: not this very server, which would ask itself for ever. `port` is the one really bound, if known."""
        ours = self.server.port if port is None else port
        return tuple(upstream for upstream in self.upstreams if upstream.enabled and not is_local(upstream.base_url, ours))

    def secrets(self) -> tuple[str, ...]:
        """What may stand in no log: the keys of all upstreams, what the login is set up with, and the password of the database."""
        given = [upstream.api_key for upstream in self.upstreams] + [self.login.client_secret, self.login.password]
        keys = [secret.get_secret_value() for secret in given if secret]
        return tuple(keys + [unquote(each) for each in re.findall(r"://[^:/@]*:(.*)@", self.storage.database)])

    def timeouts_for(self, upstream: Upstream) -> Timeouts:
        return self.timeouts.model_copy(update=upstream.timeouts.model_dump(exclude_none=True))
