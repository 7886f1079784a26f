"""Settings are read from four places: variables, flags, references, other files; which one wins, and what each says when it is wrong."""

import re
from pathlib import Path

import pytest

from services.settings import Settings, TimeoutOverrides, knobs, load, usage
from services.settings.mistakes import NO_FLAG
from tests.settings.writing import Write, complaint, upstream


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


DATABASES = [
    ("", (), "sqlite:///data/headrace.db"),
    ("[storage]\nfolder = 'kept'", (), "sqlite:///kept/headrace.db"),
    ("[storage]\nfolder = 'kept'", ("--storage.folder", "/srv/chat"), "sqlite:////srv/chat/headrace.db"),
    ("[storage]\nfolder = 'kept'\ndatabase = 'sqlite:///data/mine.db'", (), "sqlite:///data/mine.db"),
    ("", ("--storage.folder", "kept", "--storage.database", "memory"), "memory"),
]


@pytest.mark.parametrize(("toml", "flags", "url"), DATABASES)
def test_conversations_go_where_the_folder_is_unless_told_otherwise(toml: str, flags: tuple[str, ...], url: str, write: Write) -> None:
    assert load(flags, home=write(toml)).storage.url == url


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
    assert re.findall(r"^  --(\S+)", usage(), re.MULTILINE) == [key for key in knobs() if key not in NO_FLAG]
