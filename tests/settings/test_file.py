"""The file: what it means, and every mistake in it is a sentence that names its place and shows no secret."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from services.settings import Settings, Timeouts, Upstream, load
from services.settings.tables import Dialect
from tests.settings.writing import SECRET, Write, complaint, upstream

DIALECTS = get_args(Dialect)


def test_nothing_at_all_is_fine(tmp_path: Path) -> None:
    assert load([], home=tmp_path) == Settings()


def test_a_whole_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    settings = load(
        [], home=write("[server]\nport = 9000\n" + upstream(api_key='"${OPENAI_API_KEY}"', timeouts="{gap = 5}", models='["m"]'))
    )
    (lab,) = settings.upstreams
    assert settings.server.port == 9000
    assert lab.api_key is not None
    assert lab.api_key.get_secret_value() == SECRET
    assert lab.models == ("m",)
    assert settings.timeouts_for(lab) == Timeouts(gap=5.0)


MISTAKES = [
    ("port = 1", "settings.toml: port: unknown; did you mean server.port?"),
    ("[sever]", "settings.toml: sever: unknown; did you mean server?"),
    ("[server]\nprot = 1", "settings.toml: server.prot: unknown; did you mean port?"),
    ("[server]\nzzz = 1", "settings.toml: server.zzz: unknown; docs/settings.md and --help list the known ones"),
    ("server = 5", "settings.toml: server = 5: expected a table"),
    ("[server]\nport = '80'", 'settings.toml: server.port = "80": expected a whole number'),
    ("[server]\nport = true", "server.port = true: expected a whole number"),
    ("[server]\nport = 80.0", "server.port = 80.0: expected a whole number"),
    ("[server]\nport = [1]", "server.port = [...]: expected a whole number"),
    ("[server]\nport = {a = 1}", "server.port = {...}: expected a whole number"),
    ("[server]\nport = 65536", "server.port = 65536: expected at most 65535"),
    ("[server]\nport = -1", "server.port = -1: expected at least 0"),
    ("[server]\nmax_body = 0", "server.max_body = 0: expected at least 1"),
    ("[server]\nheartbeat = 0", "server.heartbeat = 0: expected more than 0"),
    ("[server]\nheartbeat = inf", "server.heartbeat = Infinity: expected a finite number"),
    ("[server]\nheartbeat = 2026-01-01", 'server.heartbeat = "2026-01-01": expected a number'),
    ("[server]\nhosts = 'a.example'", 'server.hosts = "a.example": expected a list'),
    ("[server]\nhosts = [5]", "server.hosts[0] = 5: expected text"),
    ("[server]\nhosts = ['*']", 'server.hosts[0] = "*": expected a bare name'),
    ("[server]\nhosts = ['http://a.example']", "expected a bare name"),
    ("[server]\ncors_origins = ['*']", 'server.cors_origins[0] = "*": expected an origin'),
    ("[server]\ncors_origins = ['https://a.example/']", "no path"),
    ("[server]\ncors_origins = ['https://A.example']", "lower case"),
    ("[server]\ncors_origins = ['https://a.example:443']", "no default port"),
    ("[server]\ncors_origins = ['null']", "expected an origin"),
    ("[server]\nhost = '0.0.0.0'", 'server.host = "0.0.0.0": expected a loopback address'),
    ("[server]\nhost = '192.168.1.5'", "because login.kind is none"),
    ("[server]\nhost = '::'", "Set up a login first"),
    ("[server]\nhost = 'localhost.evil.example'", "SSH tunnel"),
    ("[storage]\njournal = 'redis'", "storage.journal = \"redis\": expected 'sqlite' or 'memory'"),
    ("[chat]\nmodel = 'llama3'", 'chat.model = "llama3": expected upstream/model'),
    ("[rehearsal]\nenabled = 'yes'", 'rehearsal.enabled = "yes": expected true or false'),
    ("[timeouts]\ngap = 'long'", 'timeouts.gap = "long": expected a number'),
    ("[limits]\nline = 0", "limits.line = 0: expected at least 1"),
    ("[upstreams]\nname = 'lab'", "upstreams: expected tables that each begin with [[upstreams]]"),
    ("upstreams = 5", "upstreams: expected tables that each begin with [[upstreams]]"),
    ("upstreams = ['lab']", "upstreams[#1]: expected a table"),
    ("[[upstreams]]\nname = 'lab'", "upstreams[lab].base_url: missing"),
    ("[[upstreams]]", "upstreams[#1].name: missing"),
    (upstream(name='"my lab"'), 'upstreams[#1].name = "my lab": expected a short name'),
    (upstream(name='"rehearsal"'), "upstreams[rehearsal].name"),
    (upstream() + upstream(name='"Lab"'), "upstreams: expected every upstream to have its own name; there are two called Lab"),
    (
        upstream(dialect='"openai"'),
        f'upstreams[lab].dialect = "openai": expected {", ".join(map(repr, DIALECTS[:-1]))} or {DIALECTS[-1]!r}',
    ),
    (upstream(colour='"red"'), "upstreams[lab].colour: unknown"),
    (upstream(url='"http://x"'), "upstreams[lab].url: unknown; docs/settings.md"),
    (upstream(models="[1]"), "upstreams[lab].models[0] = 1: expected text"),
    (upstream(models='[""]'), 'upstreams[lab].models[0] = "": expected text that is not empty'),
    (upstream(timeouts="{gap = -1}"), "upstreams[lab].timeouts.gap = -1: expected more than 0"),
    (upstream(timeouts="{gab = 1}"), "upstreams[lab].timeouts.gab: unknown; did you mean gap?"),
    (upstream(api_key='"${NO_SUCH_KEY}"'), "upstreams[lab].api_key: the environment variable NO_SUCH_KEY is not set"),
    (upstream(api_key='"${NO_SUCH_KEY"'), "upstreams[lab].api_key: expected ${NAME}"),
    (upstream(api_key='"${}"'), "upstreams[lab].api_key: expected ${NAME}"),
    (upstream(api_key='""'), "upstreams[lab].api_key: expected a key"),
    ("[chat]\nmodel = 'lab/${NO_SUCH_MODEL}'", "chat.model: the environment variable NO_SUCH_MODEL is not set"),
    ("[server]\nport = 1\nport = 2", "settings.toml: expected TOML: Cannot overwrite a value (at line 3, the end)"),
    ("\n[server\n", "(at line 2"),
]


@pytest.mark.parametrize(("toml", "words"), MISTAKES)
def test_a_mistake_in_the_file(toml: str, words: str, write: Write) -> None:
    said = complaint(write(toml))
    assert words in said
    assert said.startswith("settings.toml: ")


def test_every_mistake_has_its_line(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_SERVER__HEARTBEAT", "soon")
    home = write("[server]\nport = 'x'\nprot = 1\n" + upstream(api_key='"${NO_SUCH_KEY}"'), "HEADRACE_CHAT__PROBE=never")
    assert complaint(home, "--limits.lines", "5").splitlines() == [
        "flag --limits.lines: unknown; did you mean limits.line?",
        "settings.toml: upstreams[lab].api_key: the environment variable NO_SUCH_KEY is not set",
        'settings.toml: server.port = "x": expected a whole number',
        'environment variable HEADRACE_SERVER__HEARTBEAT: server.heartbeat = "soon": expected a number',
        "settings.toml: server.prot: unknown; did you mean port?",
        '.env: HEADRACE_CHAT__PROBE: chat.probe = "never": expected a number',
    ]


def test_a_reference_that_fails_has_one_line_and_hides_no_other_mistake(write: Write) -> None:
    assert complaint(write("[server]\nport = '${NO_SUCH_PORT}'\nprot = '${NO_SUCH_PORT}'")).splitlines() == [
        "settings.toml: server.port: the environment variable NO_SUCH_PORT is not set",
        "settings.toml: server.prot: the environment variable NO_SUCH_PORT is not set",
        "settings.toml: server.prot: unknown; did you mean port?",
    ]


GOOD_URLS = [
    ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
    ("http://127.0.0.1:11434/", "http://127.0.0.1:11434"),
    ("HTTPS://Api.Example.org/v1/", "HTTPS://Api.Example.org/v1"),
    ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ("http://gpu_box.lan", "http://gpu_box.lan"),
]


@pytest.mark.parametrize(("url", "kept"), GOOD_URLS)
def test_a_good_base_url(url: str, kept: str, write: Write) -> None:
    assert load([], home=write(upstream(base_url=f'"{url}"'))).upstreams[0].base_url == kept


# fmt: off
BAD_URLS = [
    "ftp://lab", "file:///etc/passwd", "lab", "lab:8000", "//lab", "http://", "http:///v1", "http://.", "http://?x", "http://:80",
    "http://lab:0", "http://lab:65536", "http://lab:x", "http://lab:80:80", "http://[::g]", "http://[127.0.0.1]", "http://[::1",
    "http://u@lab", "http://u:p@lab", "http://lab?key=1", "http://lab#x", "http://lab\\\\@evil", "http://l%61b",
    "http://１２７.0.0.1", "http://ſab",
    "http://lab /v1", "http://l\\tab", "http://lab\\n", " http://lab",
]
# fmt: on


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_bad_base_url(url: str, write: Write) -> None:
    assert "expected http:// or https://" in complaint(write(upstream(base_url=f'"{url}"')))


# fmt: off
METADATA = [
    "169.254.169.254", "169.254.0.1:80/v1", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376", "169.254.43518", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "100.100.100.200", "metadata.google.internal", "METADATA.google.internal.",
]
# fmt: on


@pytest.mark.parametrize("host", METADATA)
def test_what_hands_out_credentials_is_no_model_server(host: str, write: Write) -> None:
    assert complaint(write(upstream(base_url=f'"http://{host}"'))).endswith("which may hand out credentials")


SECRETS = [
    (upstream(api_key=f'"{SECRET} "'), "api_key"),
    (upstream(api_key=f'["{SECRET}"]'), "api_key"),
    (upstream(api_key=f'"{SECRET}${{NO_SUCH_KEY}}"'), "api_key"),
    (upstream(api_keys=f'"{SECRET}"'), "did you mean api_key?"),
    (upstream(base_url=f'"http://me:{SECRET}@lab"'), '"http://***@lab"'),
    (upstream(base_url=f'"http://me:a/{SECRET}@lab"'), '"http://***@lab"'),
    (upstream(base_url=f'"http://lab/v1?key={SECRET}"'), '"http://lab/v1?***"'),
    (upstream(base_url='"${OPENAI_API_KEY}"'), 'base_url = "${OPENAI_API_KEY}"'),
    (upstream(name='"${OPENAI_API_KEY} "'), 'name = "${OPENAI_API_KEY} "'),
    ("[server]\nport = '${OPENAI_API_KEY}'", 'server.port = "${OPENAI_API_KEY}"'),
    (f"upstreams = '{SECRET}'", "upstreams: expected"),
    (f"upstreams = ['{SECRET}']", "upstreams[#1]: expected"),
    (f"api_key = '{SECRET}'", "api_key: unknown"),
]


@pytest.mark.parametrize(("toml", "words"), SECRETS)
def test_no_sentence_shows_a_secret(toml: str, words: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    said = complaint(write(toml))
    assert words in said
    assert SECRET not in said


@pytest.mark.parametrize("json", [f'["{SECRET}"', f'[{{"api_key": ["{SECRET}"]}}]', f'{{"api_key": "{SECRET}"}}'])
def test_no_sentence_about_a_variable_shows_a_secret(json: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_UPSTREAMS", json)
    said = complaint(write())
    assert said.startswith("environment variable HEADRACE_UPSTREAMS: upstreams")
    assert SECRET not in said


def test_an_unknown_flag_does_not_show_its_value(write: Write) -> None:
    assert SECRET not in complaint(write(), "--openai.api_key", SECRET, f"--api_key={SECRET}", "--upstreams", SECRET)


def test_no_repr_shows_a_secret(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    settings = load([], home=write(upstream(api_key='"${OPENAI_API_KEY}"')))
    assert SECRET not in f"{settings!r}{settings}{settings.model_dump()}{settings.model_dump_json()}"


SERVERS = [
    ("http://127.0.0.1:8080/v1", False),
    ("http://localhost:8080", False),
    ("http://LOCALHOST.:8080", False),
    ("http://[::1]:8080", False),
    ("http://[::ffff:127.0.0.1]:8080", False),
    ("http://127.1:8080", False),
    ("http://0.0.0.0:8080", False),
    ("http://127.0.0.1:8081", True),
    ("http://127.0.0.1", True),
    ("http://192.168.1.5:8080", True),
    ("http://gpu.lan:8080", True),
]


@pytest.mark.parametrize(("url", "is_other"), SERVERS)
def test_this_very_server_is_no_upstream(url: str, is_other: bool) -> None:
    settings = Settings(upstreams=(Upstream(name="lab", dialect="ollama", base_url=url),))
    assert bool(settings.other_servers()) is is_other
    assert settings.other_servers(port=1) == settings.upstreams


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().server.port = 1
    assert hash(Settings()) == hash(Settings())


def test_loopback_hosts(write: Write) -> None:
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        assert load(["--server.host", host], home=write()).server.host == host
