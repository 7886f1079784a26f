"""A file with keys in it is for its owner's eyes only: mode 0600, or the start stops. It opens no file, it only asks for its mode.

A key that only stands as ${NAME} is not in the file, and a short word such as `none` or `ollama` is no key.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SHORTEST = 12  # characters of a key; services/record/hiding.py has the same
_SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|UPSTREAMS|STORAGE__DATABASE", re.IGNORECASE)


def exposed(file: Path, written: Mapping[str, Any]) -> list[str]:
    """What is wrong with a file of settings: a sentence, where others may read keys that stand in it."""
    return _sentence(file, next(_keys(written), None))


def exposed_variables(file: Path, variables: Mapping[str, str]) -> list[str]:
    """The same of .env, whose names say what is a secret."""
    return _sentence(file, next((name for name, text in variables.items() if _SECRET_NAMES.search(name) and len(text) >= SHORTEST), None))


def _keys(written: Mapping[str, Any]) -> Iterator[str]:
    upstreams = written.get("upstreams")
    for entry in upstreams if isinstance(upstreams, list) else ():
        if isinstance(entry, dict) and _is_there(entry.get("api_key")):
            yield f"upstreams[{str(entry.get('name'))[:64]}].api_key"
    login = written.get("login")
    for name in ("password", "client_secret"):
        if isinstance(login, dict) and _is_there(login.get(name)):
            yield f"login.{name}"
    storage = written.get("storage")
    url = storage.get("database") if isinstance(storage, dict) else None
    if isinstance(url, str) and (password := re.search(r"://[^:/@]*:(.*)@", url)) and re.sub(r"\$\{[^}]*\}", "", password[1]):
        yield "the password in storage.database"


def _is_there(key: object) -> bool:
    return isinstance(key, str) and len(re.sub(r"\$\{[^}]*\}", "", key)) >= SHORTEST


def _sentence(file: Path, what: str | None) -> list[str]:
    if what is None or os.name != "posix":
        return []
    try:
        mode = file.stat().st_mode & 0o777
    except OSError:
        return []
    if not mode & 0o077:
        return []
    return [f"{file}: holds {what}, and others on this machine may read it (mode {mode:04o}): chmod 600 {file}"]
