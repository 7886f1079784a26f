"""An empty environment, and a folder with the settings of a test."""

import os
from pathlib import Path

import pytest

from tests.settings.writing import Write


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HEADRACE_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes settings.toml and .env into a folder and returns it."""

    def written(toml: str = "", dotenv: str = "") -> Path:
        for name, text in {"settings.toml": toml, ".env": dotenv}.items():
            (tmp_path / name).write_text(text, "utf-8")
            (tmp_path / name).chmod(0o600)
        return tmp_path

    return written
