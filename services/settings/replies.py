"""The file of scripted replies ([rehearsal] script): what the model `rehearsal/script` answers to what. Read, and judged.

    replies = read_replies(file)        SettingsError: one mistake a line, each with the file, its line, the key and what was expected

The first reply that fits the last message of the user is given; one that names nothing fits every message.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationError

from services.errors import SettingsError
from services.settings.mistakes import hint, problem_of

FILE = 1_000_000  # bytes
LOOKED_AT = 500  # characters of a message that a pattern sees
PATTERN = 200  # characters
REPEATS = 2

_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")
_TOO_FREE = (
    f"expected a pattern that ends soon on any text: at most {REPEATS} of *, + and {{n,}}, and none over a group that repeats or chooses"
)


def pattern(text: str) -> str:
    """A regular expression that no message of LOOKED_AT characters keeps busy for long: Python's own engine goes back on its steps."""
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as exc:
        raise ValueError(f"expected a regular expression: {exc}") from exc
    repeats, groups, at = 0, [False], 0  # of each open group, whether it repeats or chooses
    while at < len(text):
        sign, at, closed = text[at], at + 1, False
        if sign == "\\":
            if text[at : at + 1].isdigit():
                raise ValueError("expected a pattern without references to its groups")
            at += 1
        elif sign == "[":
            found = re.compile(r"\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL).match(text, at)
            at = found.end() if found else at
        elif sign == "(":
            groups.append(False)
            at += 1 if text[at : at + 1] == "?" else 0
        elif sign == ")":
            closed = groups.pop()
            groups[-1] |= closed
        elif sign == "|":
            groups[-1] = True
        if found := _UNBOUNDED.match(text, at):
            repeats += 1
            groups[-1] = True
            if closed or repeats > REPEATS:
                raise ValueError(_TOO_FREE)
            at = found.end()
    return text


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


Positive = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]


class ToolCall(_Table):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    arguments: dict[str, Any] = {}


class Usage(_Table):
    input: Tokens | None = None
    output: Tokens | None = None
    reasoning: Tokens | None = None


class Problem(_Table):
    status: Annotated[int, Field(ge=400, le=599)]
    message: Annotated[str, Field(max_length=10_000)] = "This reply is scripted to fail."
    code: Annotated[str, Field(max_length=100)] | None = None
    retry_after: Annotated[int, Field(ge=0, le=86_400)] | None = None


class Reply(_Table):
    match: str = ""
    match_regex: Annotated[str, Field(max_length=PATTERN), AfterValidator(pattern)] = ""
    after_tools: bool | None = None
    text: str = ""
    reasoning: str = ""
    tool_calls: Annotated[tuple[ToolCall, ...], Strict(False), Field(max_length=200)] = ()
    usage: Usage = Usage()
    finish: Literal["stop", "length", "tool_calls", "cut"] | None = None
    error: Problem | None = None
    pace: Positive | None = None
    pause: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] | None = None

    def fits(self, message: str, *, answered: bool) -> bool:
        """`answered`: tools have answered since the message, so that what calls them would call them for ever."""
        after = self.after_tools if self.after_tools is not None else False if self.tool_calls else None
        if after is not None and after != answered:
            return False
        if self.match and self.match.casefold() not in message.casefold():
            return False
        return not self.match_regex or re.search(self.match_regex, message[:LOOKED_AT]) is not None


class _File(_Table):
    reply: Annotated[tuple[Reply, ...], Strict(False), Field(min_length=1, max_length=1000)]


def read_replies(file: Path) -> tuple[Reply, ...]:
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE + 1)
        text = data.decode("utf-8-sig")
    except OSError as exc:
        raise SettingsError(f"{file}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{file}: expected UTF-8 text: {exc.reason} at byte {exc.start}") from exc
    if len(data) > FILE:
        raise SettingsError(f"{file}: expected at most {FILE:,} bytes")
    try:
        return _File.model_validate(tomllib.loads(text)).reply
    except ValidationError as exc:
        raise SettingsError("\n".join(_sentence(file, text, error) for error in exc.errors(include_url=False))) from exc
    except (ValueError, RecursionError) as exc:
        raise SettingsError(f"{file}: expected TOML: {exc}") from exc


def _sentence(file: Path, text: str, error: Any) -> str:
    loc = error["loc"]
    steps = "".join(f"[#{step + 1}]" if isinstance(step, int) else f".{step}" for step in loc).removeprefix(".")
    if error["type"] == "missing":
        told = "missing" if loc != ("reply",) else "expected tables that each begin with [[reply]]"
    elif error["type"] == "extra_forbidden":
        told = f"unknown{hint(str(loc[-1]), Reply.model_fields if len(loc) == 3 else ())}"
    else:
        told = problem_of(error)
    return f"{file}, line {_line(text, loc)}: {steps}: {told}"


def _line(text: str, loc: tuple[int | str, ...]) -> int:
    """Where a key stands, or the table it belongs into."""
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*reply\s*\]\]", line)]
    if len(loc) < 2 or not isinstance(loc[1], int) or loc[1] >= len(starts):
        return 1
    first = starts[loc[1]]
    last = starts[loc[1] + 1] if loc[1] + 1 < len(starts) else len(lines) + 1
    key = re.compile(rf"\s*(\[+reply\.)?{re.escape(str(loc[2]))}\b") if len(loc) > 2 else None
    return next((number for number in range(first, last) if key and key.match(lines[number - 1])), first)
