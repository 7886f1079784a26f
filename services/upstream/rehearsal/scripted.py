"""The model that says what a file says: [[reply]] tables, of which the first one that fits the message is given (docs/rehearsal.md)."""

import math
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from services.errors import SettingsError
from services.settings.replies import Reply, read_replies
from services.upstream.rehearsal.script import Delta, End, Fault, Question, Script, Used, call, say, think

NAME = "script"
WRONG = 500


class Scripted:
    """The file is read at the start, and again when it is another one. Raises SettingsError for mistakes at the start."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = self._now()
        self._replies = read_replies(file)

    def play(self, question: Question) -> Script | Fault:
        """Mistakes that were made meanwhile are told by whoever is asked: the model."""
        seen = self._now()
        if seen != self._seen:
            try:
                self._replies = read_replies(self._file)
            except SettingsError as exc:
                return Fault(WRONG, str(exc).replace(str(self._file), self._file.name))
            self._seen = seen
        for reply in self._replies:
            if reply.fits(question.text, answered=bool(question.results)):
                return _script(reply, question)
        return Script(say(f"No reply in {self._file.name} fits this message."))

    def _now(self) -> tuple[int, int]:
        try:
            known = self._file.stat()
        except OSError:
            return 0, 0
        return known.st_mtime_ns, known.st_size


def _script(reply: Reply, question: Question) -> Script | Fault:
    fault = Fault(reply.error.status, reply.error.message, reply.error.code, reply.error.retry_after) if reply.error else None
    if fault and not (reply.text or reply.reasoning or reply.tool_calls):
        return fault
    end: End = fault or reply.finish or ("tool_calls" if reply.tool_calls else "stop")
    used = Used(reply.usage.input, reply.usage.output, reply.usage.reasoning)
    speed = reply.pace or question.speed
    pause = 9.0 if reply.pause is None or math.isinf(speed) else reply.pause * speed
    return Script(chain(think(reply.reasoning), say(reply.text), _calls(reply, question)), pause, reply.pace, end, used)


def _calls(reply: Reply, question: Question) -> Iterator[Delta]:
    random = question.random
    for one in reply.tool_calls:
        arguments = msgspec.json.encode(one.arguments, enc_hook=str).decode()
        yield from call(f"{random.getrandbits(96):024x}", one.name, arguments)
