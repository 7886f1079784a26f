"""What the tests of settings share: what is written, and what is said about it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.errors import SettingsError
from services.settings import load

TOP = Path(__file__).resolve().parent.parent.parent
SECRET = "sk-do-not-show-me"

Write = Callable[..., Path]


def complaint(home: Path, *argv: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(argv, home=home)
    return str(caught.value).replace(f"{home}{os.sep}", "")


def upstream(**fields: str) -> str:
    known = {"name": '"lab"', "dialect": '"ollama"', "base_url": '"http://127.0.0.1:11434"'} | fields
    return "[[upstreams]]\n" + "".join(f"{key} = {value}\n" for key, value in known.items())
