"""settings.json, what was set on the page: a layer over settings.toml and under everything else. It is written whole or not at all."""

import json
from pathlib import Path

import pytest

from services.errors import NotSaved, Rejected
from services.settings import Layers, read
from tests.settings.writing import SECRET, Write, complaint, upstream

LAB = {"name": "lab", "dialect": "ollama", "base_url": "http://gpu.lan"}


def keep(home: Path, kept: object) -> Path:
    (home / "data").mkdir(exist_ok=True)
    (home / "data" / "settings.json").write_text(kept if isinstance(kept, str) else json.dumps(kept))
    (home / "data" / "settings.json").chmod(0o600)
    return home


def test_it_lies_between_the_file_and_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    home = keep(write("[chat]\nprobe = 1\nmodel = 'a/toml'\n[timeouts]\ngap = 1"), {"chat": {"model": "a/json"}, "timeouts": {"gap": 2}})
    monkeypatch.setenv("HEADRACE_TIMEOUTS__GAP", "3")
    layers = read([], home=home)
    assert (layers.settings.chat.model, layers.settings.chat.probe, layers.settings.timeouts.gap) == ("a/json", 1.0, 3.0)
    assert layers.fixed("timeouts.gap") == "environment variable HEADRACE_TIMEOUTS__GAP"
    assert layers.fixed("chat.model") is None
    assert read(["--chat.model", "a/flag"], home=home).settings.chat.model == "a/flag"


def test_upstreams_are_laid_over_each_other_by_name(write: Write) -> None:
    toml = upstream(name='"one"', models='["m"]') + upstream(name='"two"')
    kept = {"upstreams": [{"name": "two", "enabled": False}, {"name": "one", "base_url": "http://gpu.lan", "api_key": SECRET}, LAB]}
    settings = read([], home=keep(write(toml), kept)).settings
    assert [(u.name, u.base_url, u.models, u.enabled) for u in settings.upstreams] == [
        ("one", "http://gpu.lan", ("m",), True),
        ("two", "http://127.0.0.1:11434", (), False),
        ("lab", "http://gpu.lan", (), True),
    ]
    assert [u.name for u in settings.other_servers()] == ["one", "lab"]


def test_upstreams_from_the_environment_are_all_there_are(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_UPSTREAMS", "[]")
    layers = read([], home=keep(write(upstream()), {"upstreams": [LAB]}))
    assert layers.settings.upstreams == ()
    assert layers.fixed("upstreams") == "environment variable HEADRACE_UPSTREAMS"


MISTAKES = [
    ("", "data/settings.json: expected JSON: "),
    ('{"chat": ', "data/settings.json: expected JSON: "),
    ("[]", "data/settings.json: expected an object"),
    ("[" * 100_000, "data/settings.json: expected JSON: "),
    ({"server": {"port": 1}}, "data/settings.json: server: cannot be set here"),
    ({"cat": {}}, "data/settings.json: cat: unknown; did you mean chat?"),
    ({"chat": {"probe": "soon"}}, 'data/settings.json: chat.probe = "soon": expected a number'),
    ({"chat": 5}, "data/settings.json: chat = 5: expected a table"),
    ({"upstreams": "lab"}, "data/settings.json: upstreams: expected"),
    ({"upstreams": [5]}, "data/settings.json: upstreams[#2]: expected a table"),
    ({"upstreams": [{"name": "new"}]}, "data/settings.json: upstreams[new].base_url: missing"),
    ({"upstreams": [{"name": "lab", "base_url": "gpu"}]}, 'data/settings.json: upstreams[lab].base_url = "gpu": expected http://'),
    ({"upstreams": [{"name": "lab", "api_key": "${NO_SUCH_KEY}"}]}, "data/settings.json: upstreams[lab].api_key: the environment variable"),
    ({"upstreams": [{"name": "lab", "api_key": SECRET + "\n"}]}, "data/settings.json: upstreams[lab].api_key: expected a key"),
    ({"upstreams": [{"name": "Lab"} | {key: LAB[key] for key in ("dialect", "base_url")}]}, "there are two called Lab"),
]


@pytest.mark.parametrize(("kept", "words"), MISTAKES)
def test_a_mistake_in_it_stops_the_start(kept: object, words: str, write: Write) -> None:
    said = complaint(keep(write(upstream()), kept))
    assert words in said
    assert SECRET not in said


def test_a_mistake_in_the_file_below_stays_the_file_s(write: Write) -> None:
    home = keep(write(upstream(base_url='"gpu"')), {"upstreams": [{"name": "lab", "enabled": False}]})
    assert complaint(home).startswith("settings.toml: upstreams[lab].base_url")


@pytest.mark.parametrize("folder", ["[storage]\nfolder = 'kept'", "[storage]\nfolder = '${PLACE}'", "flag"])
def test_it_is_kept_where_everything_is_kept(folder: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "kept")
    home = write("" if folder == "flag" else folder)
    flags = ["--storage.folder", "kept"] if folder == "flag" else []
    layers = read(flags, home=home)
    layers.keep({"upstreams": [LAB]})
    file = home / "kept" / "settings.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["settings.json"]
    assert read(flags, home=home).settings == layers.settings
    assert [upstream.name for upstream in layers.settings.upstreams] == ["lab"]


def unchanged(layers: Layers, kept: dict[str, object], error: type[Exception]) -> Exception:
    before = layers.settings
    with pytest.raises(error) as caught:
        layers.keep(kept)
    assert layers.settings == before
    assert layers.kept == {}
    return caught.value


def test_what_is_wrong_is_told_by_field_and_not_kept(write: Write) -> None:
    layers = read([], home=write(upstream()))
    error = unchanged(layers, {"upstreams": [{"name": "new", "dialect": "telnet", "base_url": "gpu"}]}, Rejected)
    assert isinstance(error, Rejected)
    assert set(error.fields) == {("upstreams", 1, "dialect"), ("upstreams", 1, "base_url")}
    assert error.fields["upstreams", 1, "base_url"].startswith("expected http://")
    assert not layers.kept_file.exists()


def test_what_cannot_be_written_is_not_kept(write: Write) -> None:
    home = write()
    (home / "data").write_text("in the way")
    unchanged(read([], home=home), {"upstreams": [LAB]}, NotSaved)
