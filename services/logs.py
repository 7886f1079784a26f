"""The log of the process: one formatter for everything that is said through it, on stderr. It may not know what it is about.

    begin("info", "text", secrets)      once, at the start; `secrets` are asked for with each line: they change on the page
    request.set("req_...")              what is said from here on, in this task and those it starts, is about that request
    log.info("...", extra=told(status=200))     fields, for who reads the log with a program

Rule 1: one record is one line, in JSON, or in text with its traceback indented below: nobody's words can forge a second one.
Rule 2: keys never get in: not those that are known, not what looks like one.
Rule 3: who floods the log with the same complaint is counted, not written down: SAME a minute.
"""

import json
import logging
import re
import secrets as random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from services.redaction import escaped, without_secrets

Format = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]

request: ContextVar[str] = ContextVar("request", default="")

OURS = ("services", "ui", "headrace")  # loggers that go by the level; all others tell warnings and worse
SHORTEST = 6  # characters of a known secret that is looked for: a shorter one is a word of everyday
LONGEST = 16_000  # characters of a message, and of a traceback, that are kept
SAME = 30  # complaints of one kind that are written down in a minute

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def request_id(given: str | None) -> str:
    """The client's own, if it is a short plain word, or one of ours."""
    return given if given and _SAFE.fullmatch(given) else f"req_{random.token_hex(8)}"


def told(**fields: object) -> dict[str, Mapping[str, object]]:
    """For `extra`: fields of their own in JSON, `name=value` in text; None is left out."""
    return {"told": {name: value for name, value in fields.items() if value is not None}}


class Formatter(logging.Formatter):
    """`secrets` are texts that may not be seen."""

    def __init__(self, format: Format, secrets: Callable[[], Iterable[str]] = tuple) -> None:
        super().__init__()
        self._json = format == "json"
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields: dict[str, Any] = dict(getattr(record, "told", {}))
        message, trace = self._clean(_message(record)), self._clean(self._trace(record))
        if self._json:
            line: dict[str, Any] = {"time": when, "level": record.levelname.lower(), "logger": record.name, "message": message}
            line |= {name: self._clean(value) if isinstance(value, str) else value for name, value in fields.items()}
            line |= {"request": request.get()} if request.get() else {}
            line |= {"exception": trace} if trace else {}
            return json.dumps(line)  # ASCII: all that is odd is escaped
        said = " ".join([message, *(f"{name}={self._clean(str(value))}" for name, value in fields.items())])
        about = f" ({request.get()})" if request.get() else ""
        head = f"{when} {record.levelname} {record.name}: {escaped(said)}{about}"
        return "\n".join([head, *(f"    {escaped(line)}" for line in trace.split("\n") if line)])

    def _trace(self, record: logging.LogRecord) -> str:
        found = self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
        return f"{found}\n{record.stack_info}" if record.stack_info else found

    def _clean(self, text: str) -> str:
        for secret in self._secrets():
            if len(secret) >= SHORTEST:
                text = text.replace(secret, "[redacted]")
        if len(text) > LONGEST:
            text = f"{text[: LONGEST // 2]} [...] {text[-LONGEST // 2 :]}"  # of a traceback the end says what it was
        return without_secrets(text)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as exc:  # a line that cannot be put together must not take its caller down, nor be lost
        return f"{record.msg!s} (cannot be formatted: {type(exc).__name__})"


class Flood(logging.Filter):
    """Lets SAME complaints of one kind (logger and template) pass in a minute, and says how many it held back before the next one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}  # since when, and how many

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind, now = (record.name, str(record.msg)[:200]), self._clock()
        since, count = self._seen.pop(kind, (now, 0))
        if now - since >= 60:
            if count > SAME:
                record.msg, record.args = f"{_message(record)} (and {count - SAME} more like it before)", ()
            since, count = now, 0
        self._seen[kind] = since, count + 1
        if len(self._seen) > 1000:
            self._seen.pop(next(iter(self._seen)))
        return count < SAME


def begin(level: Level, format: Format, secrets: Callable[[], Iterable[str]] = tuple, stream: TextIO | None = None) -> None:
    """Everything that is logged, warned about or uncaught in this process goes to `stream` (stderr) from now on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter(format, secrets))
    handler.addFilter(Flood())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def _uncaught(kind: type[BaseException], exc: BaseException | None, trace: TracebackType | None) -> None:
    if exc is None or issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("headrace").critical("ended by an error of its own", exc_info=(kind, exc, trace))
