"""How a model is asked: a system prompt and options, as a person sets them for a conversation or keeps them as a preset. Pure values.

A manner is kept as JSON text. What another version of Headrace wrote is read as far as it is understood; the rest counts as not set.
"""

import math
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from services.conversations import cleaned
from services.messages import Options

LONGEST = 100_000  # characters of a system prompt
LONGEST_FAULT = 200
STOPS = 16  # strings that end an answer; servers take 4 (OpenAI) and more

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class Knob(NamedTuple):
    """One option that a person can set, named as in services.messages.Options. Numbers from `least` to `most`, None: no limit."""

    name: str
    kind: Literal["number", "count", "lines", "word"]
    least: float | None = None
    most: float | None = None


KNOBS: Mapping[str, Knob] = {
    knob.name: knob
    for knob in (
        Knob("temperature", "number", 0, 2),
        Knob("top_p", "number", 0, 1),
        Knob("top_k", "count", 0, 1_000_000),
        Knob("min_p", "number", 0, 1),
        Knob("max_tokens", "count", 1, 100_000_000),
        Knob("seed", "count", -(2**31), 2**53),
        Knob("presence_penalty", "number", -2, 2),
        Knob("frequency_penalty", "number", -2, 2),
        Knob("repeat_penalty", "number", 0, 10),
        Knob("reasoning_effort", "word"),
        Knob("reasoning_budget", "count", 0, 100_000_000),
        Knob("stop", "lines"),
    )
}


class Manner(msgspec.Struct, frozen=True, omit_defaults=True):
    """`preset` is the id of the one that it was taken from. Empty and None mean: as the server does by itself.

    `fault` breaks what the built-in model answers, on purpose; other models know nothing of it.
    """

    system: str = ""
    options: Options = Options()
    preset: str = ""
    fault: str = ""

    @property
    def differs(self) -> bool:
        """Something is said that a server would not do by itself."""
        return bool(self.system.strip()) or self.options != Options() or bool(self.fault)


PLAIN = Manner()


class Preset(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model and a manner under a name."""

    id: str
    name: str
    model: str
    manner: Manner = Manner()


def written(manner: Manner) -> str:
    """The default is the empty text."""
    return msgspec.json.encode(manner).decode() if manner != PLAIN else ""


def read(text: str) -> Manner:
    """Never raises: what cannot be understood of it is left out."""
    try:
        given = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        return PLAIN
    return _manner(given) if isinstance(given, dict) else Manner()


def presets(text: str) -> tuple[Preset, ...]:
    """A list of them as JSON, likewise."""
    try:
        given = msgspec.json.decode(text or "[]")
    except (msgspec.DecodeError, RecursionError):
        return ()
    found = []
    for each in given if isinstance(given, list) else ():
        if isinstance(each, dict) and all(isinstance(each.get(name), str) for name in ("id", "name", "model")):
            manner = each.get("manner")
            found.append(Preset(each["id"], each["name"], each["model"], _manner(manner if isinstance(manner, dict) else {})))
    return tuple(found)


def _manner(given: dict[str, object]) -> Manner:
    system, options, preset, fault = (given.get(name) for name in ("system", "options", "preset", "fault"))
    good: dict[str, object] = {}
    for name, value in (options if isinstance(options, dict) else {}).items():
        if name in KNOBS and (fitting := _fitting(KNOBS[name], value)) is not None:
            good[name] = fitting
    return Manner(
        system[:LONGEST] if isinstance(system, str) else "",
        msgspec.convert(good, Options),
        preset if isinstance(preset, str) else "",
        fault[:LONGEST_FAULT] if isinstance(fault, str) else "",
    )


def _fitting(knob: Knob, value: object) -> object:
    """None for what this option cannot be."""
    match knob.kind, value:
        case "lines", list():
            return tuple(each for each in value if isinstance(each, str) and each)[:STOPS]
        case "word", str():
            return value if re.fullmatch(r"[\w.-]{1,40}", value) else None
        case (("number" | "count"), int() | float()) if not isinstance(value, bool):
            whole = knob.kind == "number" or value == int(value)
            return (value if knob.kind == "number" else int(value)) if whole and _within(knob, value) else None
    return None


def _within(knob: Knob, value: float) -> bool:
    return math.isfinite(value) and (knob.least is None or value >= knob.least) and (knob.most is None or value <= knob.most)


def parsed(knob: Knob, text: str) -> object:
    """What a person wrote: a number may have a comma, stops stand one on a line. None for nothing. Raises ValueError."""
    if knob.kind == "lines":
        lines = tuple(line.replace("\\n", "\n").replace("\\t", "\t") for line in cleaned(text).split("\n") if line)
        if len(lines) > STOPS:
            raise ValueError(text)
        return lines or None
    text = text.strip()
    if not text:
        return None
    value = text if knob.kind == "word" else float(text.replace(",", ".")) if knob.kind == "number" else int(text)
    if (fitting := _fitting(knob, value)) is None:
        raise ValueError(text)
    return fitting


def shown(knob: Knob, options: Options) -> str:
    """What `parsed` would read as this option again."""
    value = getattr(options, knob.name)
    if knob.kind == "lines":
        return "\n".join(line.replace("\n", "\\n").replace("\t", "\\t") for line in value)
    return "" if value is None else f"{value:g}" if knob.kind == "number" else str(value)


def with_option(manner: Manner, name: str, value: object) -> Manner:
    """None and nothing leave it to the server."""
    given = {name: () if value is None and name == "stop" else value}
    return msgspec.structs.replace(manner, options=msgspec.structs.replace(manner.options, **given))
