"""A file with keys is for its owner's eyes only."""

import json

import pytest

from services.errors import SettingsError
from services.settings import load
from tests.settings.writing import SECRET, Write

UPSTREAM = '[[upstreams]]\nname = "far"\ndialect = "openai_chat"\nbase_url = "http://127.0.0.1:9"\napi_key = "{key}"\n'
DATABASE = '[storage]\ndatabase = "postgresql://me:{}@127.0.0.1/x"\n'


@pytest.mark.parametrize(
    ("toml", "dotenv", "open_file", "told"),
    [
        (UPSTREAM.format(key=SECRET), "", "settings.toml", "upstreams[far].api_key"),
        (DATABASE.format("pw"), "", "settings.toml", "the password in storage.database"),
        (UPSTREAM.format(key="${FAR_API_KEY}"), f"FAR_API_KEY={SECRET}", ".env", "FAR_API_KEY"),
    ],
    ids=["key", "database", "env"],
)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_with_keys_that_others_may_read_stops_the_start(
    write: Write, toml: str, dotenv: str, open_file: str, told: str, mode: int
) -> None:
    home = write(toml, dotenv)
    load([], home=home)
    (home / open_file).chmod(mode)
    with pytest.raises(SettingsError) as raised:
        load([], home=home)
    assert str(raised.value) == (
        f"{home / open_file}: holds {told}, and others on this machine may read it (mode {mode:04o}): chmod 600 {home / open_file}"
    )


@pytest.mark.parametrize("key", ["${FAR_API_KEY}", "none", "ollama"])
def test_a_file_without_a_key_in_it_may_be_read_by_all(write: Write, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("FAR_API_KEY", SECRET)
    home = write(UPSTREAM.format(key=key), "HEADRACE_SERVER__PORT=9000")
    for name in ("settings.toml", ".env"):
        (home / name).chmod(0o644)
    assert len(load([], home=home).upstreams) == 1


def test_the_page_s_own_file_too(write: Write) -> None:
    home = write()
    kept = home / "data" / "settings.json"
    kept.parent.mkdir()
    far = {"name": "far", "dialect": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": SECRET}
    kept.write_text(json.dumps({"upstreams": [far]}))
    kept.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load([], home=home)
    kept.chmod(0o600)
    load([], home=home)


def test_all_of_them_are_known_so_that_no_log_has_one(write: Write) -> None:
    login = f'[login]\nkind = "oidc"\nissuer = "https://issuer.test"\nclient_id = "headrace"\nclient_secret = "of-the-client-{SECRET}"\n'
    rest = 'public_url = "https://chat.example.org"\nallow = ["*"]\n'
    known = load([], home=write(login + rest + DATABASE.format("pw%40word") + UPSTREAM.format(key=SECRET))).secrets()
    assert set(known) == {SECRET, f"of-the-client-{SECRET}", "pw@word"}
