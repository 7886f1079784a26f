"""All that was said of the settings, laid over each other: settings.toml, settings.json, .env, the environment, flags.

    layers = Layers(file, written, given, variables)
    settings, mistakes = layers.judge(kept)          what `kept`, the content of settings.json, would come to
    settings = layers.keep(kept)                     the same, kept in settings.json from now on

Rule: the weaker place is laid under the stronger one key by key, the upstreams of the two files name by name. Who gives all
upstreams in a variable has said all of them. It opens no file but settings.json (kept.py).
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from services.errors import Rejected
from services.settings.kept import write_kept
from services.settings.mistakes import Given, Loc, Mistake, Said, judge
from services.settings.tables import Outside, Settings, Storage

PREFIX = "HEADRACE_"


class Layers:
    """`written` is what stands in settings.toml, `given` the texts from outside by key, `variables` what ${NAME} stands for."""

    def __init__(self, file: Path, written: dict[str, Any], given: Mapping[str, Given], variables: Mapping[str, str]) -> None:
        self._file = file
        self.home = file.parent  # what relative paths are meant from
        self._written = written
        self._given = given
        self._variables = variables
        self.kept_file = self.home / self._folder() / "settings.json"
        self.kept: Mapping[str, Any] = {}
        self.settings = Settings()

    def __repr__(self) -> str:
        return f"<Layers {self._file}, {self.kept_file}>"

    def _folder(self) -> str:
        """Of the storage, before anything is judged: where settings.json is cannot stand in it."""
        if given := self._given.get("storage.folder"):
            return given.text or Storage().folder
        table = self._written.get("storage")
        folder = _resolve(table.get("folder"), (), self._variables, {}) if isinstance(table, dict) else None
        return str(folder) if isinstance(folder, str) and folder else Storage().folder

    def judge(self, kept: Mapping[str, Any]) -> tuple[Settings | None, list[Mistake]]:
        """The settings as they would be; None when they cannot be used."""
        written = _lay(self._written, kept)
        unresolved: dict[Loc, str] = {}
        resolved = _resolve(written, (), self._variables, unresolved)
        merged = _merge(resolved, _Variables(self._given)())
        below = self._written.get("upstreams")
        count = len(below) if isinstance(below, list) else 0
        return judge(Said(self._file, self.kept_file, kept, written, count, self._given, merged), unresolved)

    def accept(self, kept: Mapping[str, Any]) -> Settings:
        """The same. Raises Rejected with what is wrong."""
        settings, mistakes = self.judge(kept)
        if settings is None or mistakes:
            raise Rejected("\n".join(mistake.sentence for mistake in mistakes), {mistake.loc: mistake.problem for mistake in mistakes})
        return settings

    def keep(self, kept: Mapping[str, Any]) -> Settings:
        """Write settings.json, and go by it. Raises Rejected, and NotSaved; then everything is as it was."""
        settings = self.accept(kept)
        write_kept(self.kept_file, kept)
        self.settings, self.kept = settings, kept
        return settings

    def fixed(self, key: str) -> str | None:
        """The variable or flag that has the last word on a setting, such as "environment variable HEADRACE_CHAT__MODEL"."""
        given = self._given.get(key)
        return given.where.replace(f"{self.home}{os.sep}", "") if given else None

    def upstreams_below(self) -> dict[str, dict[str, Any]]:
        """Those of settings.toml as they stand there, by name."""
        return {entry["name"]: entry for entry in self._written.get("upstreams", [])}


def _lay(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """settings.json over settings.toml: an upstream that both name has the fields of both."""
    merged = _merge(below, above)
    lower, upper = below.get("upstreams", []), above.get("upstreams", [])
    if isinstance(lower, list) and isinstance(upper, list):
        names = [entry.get("name") if isinstance(entry, dict) else None for entry in lower]
        laid = list(lower)
        for entry in upper:
            if isinstance(entry, dict) and entry.get("name") in names and entry.get("name") is not None:
                at = names.index(entry["name"])
                laid[at] = {**laid[at], **entry}
            else:
                laid.append(entry)
        merged["upstreams"] = laid
    return merged


class Lens(BaseSettings, Settings):
    """How pydantic-settings is shown the Settings. Never made: what it reads goes through `load`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", strict=False, defer_build=True)


class _Variables(EnvSettingsSource):
    """pydantic-settings on the texts that were sorted, whatever place they came from."""

    def __init__(self, given: Mapping[str, Given]) -> None:
        super().__init__(Lens)
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


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for section, values in above.items():
        under = below.get(section, {})
        if not isinstance(values, dict) or section == "upstreams":
            merged[section] = values
        elif isinstance(under, dict):
            merged[section] = {**under, **values}
    return merged
