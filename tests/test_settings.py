"""Settings are read from four places, and every mistake is a sentence that names its place."""

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from services.errors import SettingsError
from services.settings import Settings, TimeoutOverrides, Timeouts, Upstream, knobs, load, usage
from services.settings.tables import Dialect
from services.upstream import READERS

TOP = Path(__file__).resolve().parent.parent
SECRET = "sk-do-not-show-me"
DIALECTS = get_args(Dialect)

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HEADRACE_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes settings.toml and .env into a folder and returns it."""

    def written(toml: str = "", dotenv: str = "") -> Path:
        (tmp_path / "settings.toml").write_text(toml, "utf-8")
        (tmp_path / ".env").write_text(dotenv, "utf-8")
        return tmp_path

    return written


def test_every_dialect_has_a_reader_and_a_place_in_the_documents() -> None:
    assert set(DIALECTS) == set(READERS)
    for document in ("docs/settings.md", "settings.toml"):
        text = (TOP / document).read_text("utf-8")
        assert [dialect for dialect in DIALECTS if not re.search(rf"\b{dialect}\b", text)] == []


def complaint(home: Path, *argv: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(argv, home=home)
    return str(caught.value).replace(f"{home}{os.sep}", "")


def upstream(**fields: str) -> str:
    known = {"name": '"lab"', "dialect": '"ollama"', "base_url": '"http://127.0.0.1:11434"'} | fields
    return "[[upstreams]]\n" + "".join(f"{key} = {value}\n" for key, value in known.items())


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
    ("[server]\nhost = '192.168.1.5'", "there is no login yet"),
    ("[server]\nhost = '::'", "reverse proxy with a login"),
    ("[server]\nhost = 'localhost.evil.example'", "SSH tunnel"),
    ("[storage]\njournal = 'redis'", "storage.journal = \"redis\": expected 'sqlite' or 'memory'"),
    ("[chat]\nmodel = 'llama3'", 'chat.model = "llama3": expected upstream/model'),
    ("[rehearsal]\nenabled = 'yes'", 'rehearsal.enabled = "yes": expected true or false'),
    ("[timeouts]\ngap = 'long'", 'timeouts.gap = "long": expected a number'),
    ("[limits]\nline = 0", "limits.line = 0: expected at least 1"),
    ("[upstreams]\nname = 'lab'", "upstreams: expected tables that each begin with [[upstreams]]"),
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


def test_rising_priority(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write("[server]\nport = 1\nmax_streams = 1\nmax_body = 1\n[chat]\nprobe = 1")
    assert load([], home=home).server.port == 1
    write("[server]\nport = 1\nmax_streams = 1\nmax_body = 1\n[chat]\nprobe = 1", "HEADRACE_SERVER__PORT=2\nHEADRACE_SERVER__MAX_STREAMS=2")
    assert load([], home=home).server.port == 2
    monkeypatch.setenv("HEADRACE_SERVER__PORT", "3")
    assert load([], home=home).server.port == 3
    settings = load(["--server.port", "4"], home=home)
    assert (settings.server.port, settings.server.max_streams, settings.server.max_body, settings.chat.probe) == (4, 2, 1, 1.0)


def test_a_stronger_place_mends_a_mistake(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_SERVER__PORT", "3")
    assert load(["--chat.model=a/b"], home=write("[server]\nport = 'x'\n[chat]\nmodel = '${NO_SUCH_MODEL}'")).server.port == 3


def test_a_stronger_place_does_not_hide_that_a_table_is_none(write: Write) -> None:
    assert complaint(write("server = 5"), "--server.port", "1") == "settings.toml: server = 5: expected a table"


TEXTS = [
    ("server.port", "9000", 9000),
    ("server.hosts", '["Chat.Example.org"]', ("chat.example.org",)),
    ("server.cors_origins", '["https://a.example"]', ("https://a.example",)),
    ("chat.probe", "1", 1.0),
    ("chat.model", "lab/5", "lab/5"),
    ("chat.model", "", ""),
    ("rehearsal.enabled", "false", False),
    ("storage.journal", "memory", "memory"),
    ("storage.keep_bytes", "1000", 1000),
]


@pytest.mark.parametrize(("key", "text", "meaning"), TEXTS)
def test_text_is_read_as_the_type_of_its_setting(
    key: str, text: str, meaning: object, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, name = key.split(".")
    by_flag = load([f"--{key}={text}"], home=write())
    by_dotenv = load([], home=write("", f"HEADRACE_{section}__{name}='{text}'".upper().replace(text.upper(), text)))
    monkeypatch.setenv(f"HEADRACE_{section}__{name}".upper(), text)
    by_environment = load([], home=write())
    assert by_flag == by_environment == by_dotenv
    assert getattr(getattr(by_flag, section), name) == meaning


BAD_VARIABLES = [
    ("HEADRACE_SERVER__PORT", "80a", 'server.port = "80a": expected a whole number'),
    ("HEADRACE_SERVER__PORT", "", 'server.port = "": expected a whole number'),
    ("HEADRACE_SERVER__PORT", "true", 'server.port = "true": expected a whole number'),
    ("HEADRACE_SERVER__HOSTS", "a.example", 'server.hosts = "a.example": expected a list, such as ["a", "b"]'),
    ("HEADRACE_SERVER__PORT__X", "1", "unknown"),
    ("HEADRACE_SERVR__PORT", "1", "unknown; did you mean server.port?"),
    ("HEADRACE_PORT", "1", "unknown; did you mean server.port?"),
    ("HEADRACE_SERVER", "{}", "unknown"),
    ("HEADRACE_UPSTREAMS__0__NAME", "lab", "unknown; did you mean upstreams?"),
    ("HEADRACE_", "1", "unknown"),
]


@pytest.mark.parametrize(("name", "text", "words"), BAD_VARIABLES)
def test_a_mistake_in_a_variable(name: str, text: str, words: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    in_dotenv = complaint(write("", f"{name}={text}"))
    assert in_dotenv.startswith(f".env: {name}: ")
    monkeypatch.setenv(name, text)
    in_environment = complaint(write())
    assert in_environment.startswith(f"environment variable {name}: ")
    assert words in in_dotenv
    assert words in in_environment


BAD_FLAGS = [
    (["--server.port", "80a"], 'flag --server.port: server.port = "80a": expected a whole number'),
    (["--server.port"], "flag --server.port: expected a value after it"),
    (["--server.port", "--chat.probe", "1"], "flag --server.port: expected a value after it"),
    (["--server.prot", "1"], "flag --server.prot: unknown; did you mean server.port?"),
    (["--server.prot=1"], "flag --server.prot: unknown; did you mean server.port?"),
    (["--server.por", "1"], "flag --server.por: unknown; did you mean server.port?"),
    (["--port", "1"], "flag --port: unknown; did you mean server.port?"),
    (["--server", "{}"], "flag --server: unknown"),
    (["--upstreams", "[]"], "flag --upstreams: unknown"),
    (["server.port=1"], "flag server.port: unknown"),
    (["-p"], "flag -p: unknown"),
    (["--"], "flag --: unknown"),
]


@pytest.mark.parametrize(("argv", "sentence"), BAD_FLAGS)
def test_a_mistake_in_a_flag(argv: list[str], sentence: str, write: Write) -> None:
    said = complaint(write(), *argv)
    assert said.startswith(sentence)
    assert "\n" not in said


def test_other_variables_are_nobody_s_business(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACER_PORT", "1")
    assert load([], home=write("", "SERVER__PORT=1\nOPENAI_API_KEY=x\n")) == Settings()


def test_upstreams_from_the_environment_take_the_place_of_the_list(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_UPSTREAMS", '[{"name": "far", "dialect": "openai_chat", "base_url": "https://far.example/v1"}]')
    assert [u.name for u in load([], home=write(upstream(name='"near"'))).upstreams] == ["far"]


REFERENCES = [
    ("${WORD}", "lab/word"),
    ("${WORD}${WORD}", "lab/wordword"),
    ("$${WORD}", "lab/${WORD}"),
    ("$WORD", "lab/$WORD"),
    ("a$$b", "lab/a$$b"),
    ("${FROM_DOTENV}", "lab/dotenv"),
    ("${TRICK}", "lab/${WORD}"),
]


@pytest.mark.parametrize(("text", "meaning"), REFERENCES)
def test_references(text: str, meaning: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "word")
    monkeypatch.setenv("TRICK", "${WORD}")
    home = write(f"[chat]\nmodel = 'lab/{text}'", "FROM_DOTENV=dotenv\nWORD=weaker")
    assert load([], home=home).chat.model == meaning


def test_a_reference_is_read_as_the_type_of_its_setting(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("GAP", "1.5")
    settings = load([], home=write("[server]\nport = '${PORT}'\nhosts = ['h${PORT}']\n" + upstream(timeouts="{gap = '${GAP}'}")))
    assert settings.server.port == 9000
    assert settings.server.hosts == ("h9000",)
    assert settings.upstreams[0].timeouts == TimeoutOverrides(gap=1.5)


def test_another_file(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write("[server]\nport = 9000\n", "HEADRACE_SERVER__DRAIN=7")
    monkeypatch.setenv("HEADRACE_SETTINGS", str(home / "settings.toml"))
    settings = load([], home=tmp_path / "elsewhere")
    assert (settings.server.port, settings.server.drain) == (9000, 7.0)


def test_another_file_that_is_not_there(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home = write()
    monkeypatch.setenv("HEADRACE_SETTINGS", str(home / "settnigs.toml"))
    assert complaint(home) == "environment variable HEADRACE_SETTINGS: expected a file, there is none at settnigs.toml"


def test_files_that_are_no_text(write: Write, tmp_path: Path) -> None:
    (write() / "settings.toml").write_bytes(b"[server]\nhost = '\xff'")
    assert complaint(tmp_path) == "settings.toml: expected UTF-8 text: invalid start byte at byte 17"
    (write() / ".env").write_bytes(b"A=\xff")
    assert complaint(tmp_path).startswith(".env: expected UTF-8 text")
    (tmp_path / "settings.toml").unlink()
    (tmp_path / "settings.toml").mkdir()
    assert complaint(tmp_path) == "settings.toml: cannot be read: Is a directory"


def test_a_byte_order_mark_is_no_mistake(write: Write) -> None:
    assert load([], home=write("\ufeff[server]\nport = 9000", "\ufeffHEADRACE_SERVER__DRAIN=7")).server.drain == 7.0


def test_help_lists_every_flag(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        load(["--server.port", "x", "--help"], home=write("not TOML"))
    assert caught.value.code == 0
    assert capsys.readouterr().out == usage()
    assert re.findall(r"^  --(\S+)", usage(), re.MULTILINE) == [key for key in knobs() if key != "upstreams"]


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


def shipped() -> str:
    return (TOP / "settings.toml").read_text("utf-8")


def test_the_shipped_file_spells_out_the_defaults(write: Write) -> None:
    settings = load([], home=write(shipped()))
    assert settings.model_copy(update={"upstreams": ()}) == Settings()
    assert [u.name for u in settings.upstreams] == ["ollama", "lmstudio", "llamacpp", "vllm"]
    assert [u.name for u in settings.other_servers()] == ["ollama", "lmstudio", "vllm"]


def test_the_shipped_file_has_every_setting() -> None:
    tables = tomllib.loads(shipped())
    written = {f"{section}.{key}" for section, table in tables.items() if section != "upstreams" for key in table}
    assert written | {"upstreams"} == set(knobs())


def test_the_commented_upstream_of_the_shipped_file_works(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    plain, mark, example = shipped().partition("# [[upstreams]]")
    openai = load([], home=write(plain + re.sub("^# ", "", mark + example, flags=re.MULTILINE))).upstreams[-1]
    assert openai.name == "openai"
    assert openai.model_fields_set == set(Upstream.model_fields)


def documented(section: str) -> dict[str, list[str]]:
    """The rows of a section of docs/settings.md by their key."""
    text = (TOP / "docs" / "settings.md").read_text("utf-8").partition(f"## `{section}`")[2].partition("\n## ")[0]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    return {row[0]: row for row in rows}


def test_the_page_has_every_setting_and_its_default() -> None:
    for section, field in Settings.model_fields.items():
        if section == "upstreams":
            continue
        rows = documented(f"[{section}]")
        defaults = {f"{section}.{key}": value for key, value in field.default.model_dump(mode="json").items()}
        assert list(rows) == list(defaults)
        assert {key: tomllib.loads(f"x = {row[2]}")["x"] for key, row in rows.items()} == defaults


def test_the_page_has_every_setting_of_an_upstream() -> None:
    keys = [key for key in Upstream.model_fields if key != "timeouts"]
    assert list(documented("[[upstreams]]")) == [*keys, *(f"timeouts.{key}" for key in Timeouts.model_fields)]
    assert list(TimeoutOverrides.model_fields) == list(Timeouts.model_fields)
