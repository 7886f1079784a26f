"""What is wrong with what was said, in sentences: the place, the key, what came, what was expected. It reads nothing.

No sentence shows an api_key, nor what a ${VARIABLE} held.
"""

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from services.settings.tables import Settings
from services.settings.values import SLUG, is_loopback

SECRET = ("api_key", "password", "client_secret")
NO_FLAG = ("upstreams", "login.password", "login.client_secret")  # whoever lists the processes of a machine would read them
NO_LOGIN = (
    "expected a loopback address (127.0.0.1, ::1 or localhost), because login.kind is none and whoever reached the port could use "
    "your models. Set up a login first (docs/security.md), or come through an SSH tunnel (ssh -L 8080:127.0.0.1:8080 ...)"
)

Loc = tuple[int | str, ...]  # where a value stands: ("upstreams", 0, "base_url")
ON_THE_PAGE = ("chat", "rehearsal", "timeouts", "limits", "upstreams")  # what may be kept in settings.json


def knobs() -> dict[str, FieldInfo]:
    """Every setting by its dotted key; the upstreams are one setting."""
    found: dict[str, FieldInfo] = {}
    for section, table in Settings.model_fields.items():
        if isinstance(table.default, BaseModel):
            found |= {f"{section}.{key}": field for key, field in type(table.default).model_fields.items()}
        else:
            found[section] = table
    return found


class Given(NamedTuple):
    """A text for one setting from outside the files. None: the flag came without one."""

    where: str
    key: str
    text: str | None


class Mistake(NamedTuple):
    """`problem` is what was expected; `sentence` says where, and what came."""

    loc: Loc
    problem: str
    sentence: str


class Said(NamedTuple):
    """All that was said, and as it was written, so that a mistake can be shown at its place."""

    file: Path
    kept_file: Path
    kept: Mapping[str, Any]
    written: dict[str, Any]  # both files, one over the other
    below: int  # how many of the upstreams in it are those of `file`
    given: Mapping[str, Given]
    merged: dict[str, Any]

    def source(self, loc: Loc) -> Given | None:
        """None: one of the files."""
        return self.given.get(".".join(map(str, loc[:2]))) or self.given.get(str(loc[0]))

    def place(self, loc: Loc) -> str | Path:
        if source := self.source(loc):
            return source.where
        return self.kept_file if self._is_kept(loc) else self.file

    def _is_kept(self, loc: Loc) -> bool:
        section = self.kept.get(str(loc[0]))
        if loc[0] == "upstreams" and len(loc) > 1 and isinstance(section, list):
            name = _dig(self.written, (*loc[:2], "name"))
            over = next((entry for entry in section if isinstance(entry, dict) and entry.get("name") == name), {})
            return int(loc[1]) >= self.below or (len(loc) > 2 and loc[2] in over)
        return section is not None and (len(loc) < 2 or not isinstance(section, dict) or loc[1] in section)

    def mistake(self, loc: Loc, problem: str, came: object) -> Mistake:
        return Mistake(loc, problem, f"{self.place(loc)}: {self.name(loc)}{_shown(loc, came)}: {problem}")

    def name(self, loc: Loc) -> str:
        """server.port, server.hosts[0], upstreams[ollama].base_url; an upstream without a usable name is upstreams[#2]."""
        steps = [f".{step}" if isinstance(step, str) else f"[{step}]" for step in loc]
        if loc[0] == "upstreams" and len(loc) > 1 and isinstance(loc[1], int):
            name = _dig(self.merged, (*loc[:2], "name"))
            usable = isinstance(name, str) and SLUG.fullmatch(name)
            steps[1] = f"[{name}]" if usable else f"[#{loc[1] + 1}]"
        return "".join(steps).removeprefix(".")


def judge(said: Said, unresolved: Mapping[Loc, str]) -> tuple[Settings | None, list[Mistake]]:
    """A reference that failed speaks for its place alone, and only where no variable or flag replaces it."""
    failed = {loc: reason for loc, reason in unresolved.items() if not said.source(loc)}
    mistakes = [said.mistake(loc, reason, None) for loc, reason in failed.items()]
    here = "cannot be set here, but in settings.toml, the environment or a flag"
    mistakes += [said.mistake((key,), here, None) for key in said.kept if key in Settings.model_fields and key not in ON_THE_PAGE]
    try:
        settings = Settings.model_validate(said.merged)
        return settings, [*mistakes, *_together(settings, said)]
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
    mistakes += [_mistake(error, said) for error in errors if error["loc"] not in failed or error["type"] == "extra_forbidden"]
    return None, mistakes


def _together(settings: Settings, said: Said) -> list[Mistake]:
    """What no setting says alone."""
    login, host = settings.login, settings.server.host
    if login.kind == "none":
        return [] if is_loopback(host) else [said.mistake(("server", "host"), NO_LOGIN, host)]
    needed = ("password",) if login.kind == "password" else ("issuer", "client_id", "public_url", "allow")
    missing = [name for name in needed if not getattr(login, name)]
    return [said.mistake(("login", name), f"missing: login.kind is {login.kind} (docs/security.md)", None) for name in missing]


def _mistake(error: ErrorDetails, said: Said) -> Mistake:
    loc, kind = error["loc"], error["type"]
    if kind in {"missing", "extra_forbidden"}:
        return said.mistake(loc, "missing" if kind == "missing" else f"unknown{hint(str(loc[-1]), _siblings(loc))}", None)
    came = error["input"] if said.source(loc) else _dig(said.written, loc)
    return said.mistake(loc, problem_of(error), came)


def problem_of(error: ErrorDetails) -> str:
    """What was expected."""
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
    if came is None or loc[-1] in SECRET or (loc[0] == "upstreams" and len(loc) < 3):
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


def hint(key: str, known: Iterable[str]) -> str:
    near = get_close_matches(key, known, n=1) or [knob for knob in knobs() if key and knob.endswith(f".{key}")]
    return f"; did you mean {near[0]}?" if near else "; docs/settings.md and --help list the known ones"
