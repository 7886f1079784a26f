"""Reads settings.toml, .env, the environment and flags, in rising priority, and says in sentences what is wrong with them.

The only TOML; opens files, no sockets. No sentence shows an api_key, nor what a ${VARIABLE} held.
"""

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from services.errors import SettingsError
from services.settings.tables import SLUG, Outside, Settings

Loc = tuple[int | str, ...]  # where a value stands: ("upstreams", 0, "base_url")

HOME = Path(__file__).resolve().parents[2]
PREFIX = "HEADRACE_"
FILE_VARIABLE = "HEADRACE_SETTINGS"


def load(argv: Sequence[str] | None = None, *, home: Path | None = None) -> Settings:
    """`argv` without the program's name, `home` the folder of settings.toml. Raises SettingsError; SystemExit(0) after --help."""
    words = sys.argv[1:] if argv is None else argv
    if not {"-h", "--help"}.isdisjoint(words):
        sys.stdout.write(usage())
        raise SystemExit(0)
    file, written = _read_file(home or HOME)
    dotenv = _read_dotenv(file.with_name(".env"))
    given, strays = _sort(words, dotenv, file.with_name(".env"))
    unresolved: dict[Loc, str] = {}
    resolved = _resolve(written, (), {**dotenv, **os.environ}, unresolved)
    said = _Said(file, written, given, _merge(resolved, _Variables(given)()))
    settings, mistakes = _validate(said, unresolved)
    if settings is None or strays or mistakes:
        raise SettingsError("\n".join([*strays, *mistakes]))
    return settings


def settings_file(home: Path | None = None) -> Path:
    """Where the file is looked for; it need not be there."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named).expanduser() if named else (home or HOME) / "settings.toml"


def usage() -> str:
    """What --help prints."""
    lines = ["usage: main.py [--KEY VALUE]...", "       main.py check [MODEL] [--json] [--KEY VALUE]...", ""]
    for key, field in knobs().items():
        if key != "upstreams":
            lines.append(f"  --{key:<24}{field.description} (default {json.dumps(field.default)})")
    lines += ["", f"Lists are JSON. The same keys stand in settings.toml, and in the environment as {PREFIX}SERVER__PORT=8080.", ""]
    return "\n".join(lines)


def knobs() -> dict[str, FieldInfo]:
    """Every setting by its dotted key; the upstreams are one setting."""
    found: dict[str, FieldInfo] = {}
    for section, table in Settings.model_fields.items():
        if isinstance(table.default, BaseModel):
            found |= {f"{section}.{key}": field for key, field in type(table.default).model_fields.items()}
        else:
            found[section] = table
    return found


class _Given(NamedTuple):
    """A text for one setting from outside the file. None: the flag came without one."""

    where: str
    key: str
    text: str | None


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
        variables = DotEnvSettingsSource(_Lens, env_file=file, case_sensitive=True).env_vars
    except OSError as exc:
        raise SettingsError(f"{file}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{file}: expected UTF-8 text: {exc.reason} at byte {exc.start}") from exc
    return {name: text or "" for name, text in variables.items()}


def _sort(words: Sequence[str], dotenv: Mapping[str, str], file: Path) -> tuple[dict[str, _Given], list[str]]:
    """The texts that are for a setting, by its key, the strongest place last and so kept; and a sentence for every other one."""
    environment = {name: text for name, text in os.environ.items() if name != FILE_VARIABLE}
    given: dict[str, _Given] = {}
    strays: list[str] = []
    known = knobs()
    for piece in chain(_variables(dotenv, f"{file}: "), _variables(environment, "environment variable "), _flags(words)):
        if piece.key not in known:
            strays.append(f"{piece.where}: unknown{_hint(piece.key, known)}")
        elif piece.text is None:
            strays.append(f"{piece.where}: expected a value after it")
        else:
            given[piece.key] = piece
    return given, strays


def _variables(variables: Mapping[str, str], place: str) -> Iterator[_Given]:
    for name, text in variables.items():
        if name.startswith(PREFIX):
            yield _Given(place + name, name.removeprefix(PREFIX).replace("__", ".").lower(), text)


def _flags(words: Sequence[str]) -> Iterator[_Given]:
    """--server.port 9000 and --server.port=9000. A value that begins with -- needs the second form."""
    rest = list(words)
    while rest:
        name, equals, text = rest.pop(0).partition("=")
        follows = not equals and rest and not rest[0].startswith("--")
        # The upstreams are no flag: whoever lists the processes of a machine would read the keys in it.
        key = name.removeprefix("--") if name.startswith("--") and name != "--upstreams" else ""
        yield _Given(f"flag {name}", key, text if equals else rest.pop(0) if follows else None)


class _Lens(BaseSettings, Settings):
    """How pydantic-settings is shown the Settings. Never made: what it reads goes through `load`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", strict=False, defer_build=True)


class _Variables(EnvSettingsSource):
    """pydantic-settings on the texts that were sorted, whatever place they came from."""

    def __init__(self, given: Mapping[str, _Given]) -> None:
        super().__init__(_Lens)
        self.env_vars = {f"{PREFIX}{key.replace('.', '__')}".lower(): Outside(piece.text) for key, piece in given.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return str(value)  # not JSON: the validation says what was expected, and where


def _resolve(value: Any, loc: Loc, variables: Mapping[str, str], unresolved: dict[Loc, str]) -> Any:
    """`value` with every ${NAME} replaced; what cannot be is left, and its reason put into `unresolved`."""
    match value:
        case dict():
            return {key: _resolve(item, (*loc, key), variables, unresolved) for key, item in value.items()}
        case list():
            return [_resolve(item, (*loc, index), variables, unresolved) for index, item in enumerate(value)]
        case str() if "${" in value:
            try:
                return Outside(re.sub(r"\$?\$\{([^}]*)(\}?)", lambda found: _replacement(found, variables), value))
            except LookupError as exc:
                unresolved[loc] = exc.args[0]
    return value


def _replacement(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found[0].startswith("$$"):
        return found[0][1:]
    if not found[2] or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", found[1]):
        raise LookupError("expected ${NAME}, the name of an environment variable; $${ stands for ${ itself")
    if found[1] not in variables:
        raise LookupError(f"the environment variable {found[1]} is not set")
    return variables[found[1]]


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for section, values in above.items():
        under = below.get(section, {})
        if not isinstance(values, dict):
            merged[section] = values
        elif isinstance(under, dict):
            merged[section] = {**under, **values}
    return merged


class _Said(NamedTuple):
    """All that was said, and as it was written, so that a mistake can be shown at its place."""

    file: Path
    written: dict[str, Any]
    given: dict[str, _Given]
    merged: dict[str, Any]

    def source(self, loc: Loc) -> _Given | None:
        """None: the file."""
        return self.given.get(".".join(map(str, loc[:2]))) or self.given.get(str(loc[0]))

    def sentence(self, loc: Loc, problem: str, came: object) -> str:
        source = self.source(loc)
        place = source.where if source else self.file
        return f"{place}: {self.name(loc)}{_shown(loc, came)}: {problem}"

    def name(self, loc: Loc) -> str:
        """server.port, server.hosts[0], upstreams[ollama].base_url; an upstream without a usable name is upstreams[#2]."""
        steps = [f".{step}" if isinstance(step, str) else f"[{step}]" for step in loc]
        if loc[0] == "upstreams" and len(loc) > 1 and isinstance(loc[1], int):
            name = _dig(self.merged, (*loc[:2], "name"))
            usable = isinstance(name, str) and SLUG.fullmatch(name)
            steps[1] = f"[{name}]" if usable else f"[#{loc[1] + 1}]"
        return "".join(steps).removeprefix(".")


def _validate(said: _Said, unresolved: Mapping[Loc, str]) -> tuple[Settings | None, list[str]]:
    """A reference that failed speaks for its place alone, and only where no variable or flag replaces it."""
    failed = {loc: reason for loc, reason in unresolved.items() if not said.source(loc)}
    mistakes = [said.sentence(loc, reason, None) for loc, reason in failed.items()]
    try:
        return Settings.model_validate(said.merged), mistakes
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
    mistakes += [_mistake(error, said) for error in errors if error["loc"] not in failed or error["type"] == "extra_forbidden"]
    return None, mistakes


def _mistake(error: ErrorDetails, said: _Said) -> str:
    loc, kind = error["loc"], error["type"]
    if kind in {"missing", "extra_forbidden"}:
        return said.sentence(loc, "missing" if kind == "missing" else f"unknown{_hint(str(loc[-1]), _siblings(loc))}", None)
    came = error["input"] if said.source(loc) else _dig(said.written, loc)
    return said.sentence(loc, _problem(error), came)


def _problem(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "tuple_type" and error["loc"] == ("upstreams",):
        return "expected tables that each begin with [[upstreams]], or in a variable a JSON list of objects"
    return EXPECTED[error["type"]].format(**context) if error["type"] in EXPECTED else error["msg"]


EXPECTED = {
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "greater_than": "expected more than {gt:g}",
    "greater_than_equal": "expected at least {ge:g}",
    "less_than_equal": "expected at most {le:g}",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "string_sub_type": "expected text",
    "string_too_short": "expected text that is not empty",
    "literal_error": "expected {expected}",
    "tuple_type": 'expected a list, such as ["a", "b"]',
    "model_type": "expected a table",
}


def _shown(loc: Loc, came: object) -> str:
    """What came, on one line, unless it is a secret or may hold one. Only the forms of tables and lists are shown."""
    if came is None or loc[-1] == "api_key" or (loc[0] == "upstreams" and len(loc) < 3):
        return ""
    if isinstance(came, dict | list):
        return " = {...}" if isinstance(came, dict) else " = [...]"
    if isinstance(came, str):
        came = re.sub(r"[?#].*", "?***", re.sub(r"^(\w*:?/*).*@", r"\1***@", came, flags=re.DOTALL), flags=re.DOTALL)
    text = json.dumps(came, default=str)
    return f" = {text}" if len(text) <= 80 else f" = {text[:77]}..."


def _dig(value: Any, loc: Loc) -> Any:
    try:
        for step in loc:
            value = value[step]
    except (LookupError, TypeError):
        return None
    return value


def _siblings(loc: Loc) -> Iterable[str]:
    """The keys known beside the one at `loc`."""
    fields = Settings.model_fields
    for step in loc[:-1]:
        if isinstance(step, str):
            table: Any = fields[step].annotation
            fields = (get_args(table) or (table,))[0].model_fields
    return fields


def _hint(key: str, known: Iterable[str]) -> str:
    near = get_close_matches(key, known, n=1) or [knob for knob in knobs() if key and knob.endswith(f".{key}")]
    return f"; did you mean {near[0]}?" if near else "; docs/settings.md and --help list the known ones"
