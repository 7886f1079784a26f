"""Reads settings.toml, .env, the environment and flags: what stands in them, and a sentence for what is none of ours.

The only TOML; opens files, no sockets.
"""

import json
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic_settings import DotEnvSettingsSource

from services.errors import SettingsError
from services.settings.kept import read_kept
from services.settings.layers import PREFIX, Layers, Lens
from services.settings.mistakes import NO_FLAG, Given, hint, knobs
from services.settings.privacy import exposed, exposed_variables
from services.settings.tables import Settings

HOME = Path(__file__).resolve().parents[2]
FILE_VARIABLE = "HEADRACE_SETTINGS"


def load(argv: Sequence[str] | None = None, *, home: Path | None = None) -> Settings:
    """`argv` without the program's name, `home` the folder of settings.toml. Raises SettingsError; SystemExit(0) after --help."""
    return read(argv, home=home).settings


def read(argv: Sequence[str] | None = None, *, home: Path | None = None) -> Layers:
    """The same, with all that was said beside the settings that it comes to."""
    words = sys.argv[1:] if argv is None else argv
    if not {"-h", "--help"}.isdisjoint(words):
        sys.stdout.write(usage())
        raise SystemExit(0)
    file, written = _read_file(home or HOME)
    dotenv = _read_dotenv(file.with_name(".env"))
    given, strays = _sort(words, dotenv, file.with_name(".env"))
    layers = Layers(file, written, given, {**dotenv, **os.environ})
    kept = read_kept(layers.kept_file)
    strays += exposed(file, written) + exposed_variables(file.with_name(".env"), dotenv) + exposed(layers.kept_file, kept)
    settings, mistakes = layers.judge(kept)
    if settings is None or strays or mistakes:
        raise SettingsError("\n".join([*strays, *(mistake.sentence for mistake in mistakes)]))
    layers.settings, layers.kept = settings, kept
    return layers


def settings_file(home: Path | None = None) -> Path:
    """Where the file is looked for; it need not be there."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named).expanduser() if named else (home or HOME) / "settings.toml"


def version() -> str:
    """Of Headrace itself."""
    return str(tomllib.loads((HOME / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def usage() -> str:
    """What --help prints."""
    lines = ["usage: main.py [--KEY VALUE]...", "       main.py check [MODEL] [--json] [--KEY VALUE]...", ""]
    for key, field in knobs().items():
        if key not in NO_FLAG:
            lines.append(f"  --{key:<24}{field.description} (default {json.dumps(field.default)})")
    lines += ["", f"Lists are JSON. The same keys stand in settings.toml, and in the environment as {PREFIX}SERVER__PORT=8080.", ""]
    return "\n".join(lines)


def _read_file(home: Path) -> tuple[Path, dict[str, Any]]:
    file, named = settings_file(home), os.environ.get(FILE_VARIABLE)
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError as exc:
        if not named:
            return file, {}
        raise SettingsError(f"environment variable {FILE_VARIABLE}: expected a file, there is none at {file}") from exc
    except OSError as exc:
        raise SettingsError(f"{file}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{file}: expected UTF-8 text: {exc.reason} at byte {exc.start}") from exc
    try:
        return file, tomllib.loads(text)
    except ValueError as exc:
        at_end = f"line {len(text.splitlines())}, the end"
        raise SettingsError(f"{file}: expected TOML: {str(exc).replace('end of document', at_end)}") from exc


def _read_dotenv(file: Path) -> dict[str, str]:
    try:
        variables = DotEnvSettingsSource(Lens, env_file=file, case_sensitive=True).env_vars
    except OSError as exc:
        raise SettingsError(f"{file}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{file}: expected UTF-8 text: {exc.reason} at byte {exc.start}") from exc
    return {name: text or "" for name, text in variables.items()}


def _sort(words: Sequence[str], dotenv: Mapping[str, str], file: Path) -> tuple[dict[str, Given], list[str]]:
    """The texts that are for a setting, by its key, the strongest place last and so kept; and a sentence for every other one."""
    environment = {name: text for name, text in os.environ.items() if name != FILE_VARIABLE}
    given: dict[str, Given] = {}
    strays: list[str] = []
    known = knobs()
    for piece in chain(_variables(dotenv, f"{file}: "), _variables(environment, "environment variable "), _flags(words)):
        if piece.key not in known:
            strays.append(f"{piece.where}: unknown{hint(piece.key, known)}")
        elif piece.text is None:
            strays.append(f"{piece.where}: expected a value after it")
        else:
            given[piece.key] = piece
    return given, strays


def _variables(variables: Mapping[str, str], place: str) -> Iterator[Given]:
    for name, text in variables.items():
        if name.startswith(PREFIX):
            yield Given(place + name, name.removeprefix(PREFIX).replace("__", ".").lower(), text)


def _flags(words: Sequence[str]) -> Iterator[Given]:
    """--server.port 9000 and --server.port=9000. A value that begins with -- needs the second form."""
    rest = list(words)
    while rest:
        name, equals, text = rest.pop(0).partition("=")
        follows = not equals and rest and not rest[0].startswith("--")
        key = name.removeprefix("--") if name.startswith("--") and name.removeprefix("--") not in NO_FLAG else ""
        yield Given(f"flag {name}", key, text if equals else rest.pop(0) if follows else None)
