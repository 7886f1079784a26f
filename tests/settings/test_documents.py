"""The shipped file and the page in docs: every setting stands in both, with its default."""

import re
import tomllib
from typing import get_args

import pytest

from services.settings import Settings, TimeoutOverrides, Timeouts, Upstream, knobs, load
from services.settings.tables import Dialect
from services.upstream import READERS
from tests.settings.writing import SECRET, TOP, Write

DIALECTS = get_args(Dialect)


def test_every_dialect_has_a_reader_and_a_place_in_the_documents() -> None:
    assert set(DIALECTS) == set(READERS)
    for document in ("docs/settings.md", "settings.toml"):
        text = (TOP / document).read_text("utf-8")
        assert [dialect for dialect in DIALECTS if not re.search(rf"\b{dialect}\b", text)] == []


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
    assert written | {"upstreams", "login.password", "login.client_secret"} == set(knobs())  # the secrets are comments


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
        told = {key: None if row[2] == "none" else tomllib.loads(f"x = {row[2]}")["x"] for key, row in rows.items()}
        assert told == defaults


def test_the_page_has_every_setting_of_an_upstream() -> None:
    keys = [key for key in Upstream.model_fields if key != "timeouts"]
    assert list(documented("[[upstreams]]")) == [*keys, *(f"timeouts.{key}" for key in Timeouts.model_fields)]
    assert list(TimeoutOverrides.model_fields) == list(Timeouts.model_fields)
