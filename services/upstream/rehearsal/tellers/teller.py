"""What a dialect of the rehearsal is: how it reads a request, and how it tells a script. Values and Protocols only.

    found = vendor.read(method, path, query, body, names)     a value that is the answer, or Wanted: somebody wants to hear a script
    teller = found.teller(limited, gap)
    teller.begin() teller.tell(delta)* teller.end()     the bytes of a stream
    teller.whole(deltas)                                or of one JSON text

A teller is told every delta in order and may say nothing for some. It never reads `limited` before `end` or `whole`.
"""

from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.script import Delta, Fault

CREATED = 1_767_225_600  # 2026-01-01: fixed, because the same request gets the same bytes

Object = dict[str, Any]
T = TypeVar("T")


class Wrong(Exception):
    """The request is refused."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.fault = Fault(status, message, code)


class Asked(NamedTuple):
    """What the requests of all dialects come to."""

    model: str  # its name in MODELS
    question: str
    results: tuple[str, ...]
    digest: bytes  # equal for equal model and messages
    most: int | None
    stops: tuple[str, ...]
    stream: bool
    thoughts: bool = True  # False: the client wants none
    begun: str = ""  # how the answer begins, where the last message is the assistant's: told is what comes after it


class Teller(Protocol):
    def begin(self) -> bytes: ...

    def tell(self, delta: Delta) -> bytes: ...

    def end(self) -> bytes: ...

    def fail(self, fault: Fault) -> bytes: ...

    def whole(self, deltas: Sequence[Delta]) -> bytes: ...


class Wanted(NamedTuple):
    """`headers` are those of the stream or of the one JSON text, as `asked.stream` says."""

    asked: Asked
    headers: dict[str, str]
    teller: Callable[[Limited, float], Teller]  # the float: seconds for one token, 0 when as fast as possible
    dialect: str


class Vendor(Protocol):
    def read(self, method: str, path: str, query: str, body: bytes, names: Collection[str]) -> "Wanted | Object":
        """`names` are the models there are. Raises Wrong."""

    def refusal(self, fault: Fault, path: str) -> tuple[int, dict[str, str], Object | list[Object]]:
        """Status, headers and body of an error before the stream; `path` with its query."""


def ending(teller: Teller, limited: Limited) -> bytes:
    """The last bytes of a stream, whose deltas have all been told."""
    match limited.end:
        case Fault() as fault:
            return teller.fail(fault)
        case "cut":
            return b""
        case _:
            return teller.end()


def whole(teller: Teller, limited: Limited, deltas: Sequence[Delta]) -> bytes:
    """The one JSON text; half of it when the answer is cut."""
    if limited.end != "cut":
        return teller.whole(deltas)
    limited.end = "stop"
    body = teller.whole(deltas)
    return body[: len(body) // 2]


def digest(*values: object) -> bytes:
    return sha256(msgspec.json.encode(values)).digest()


def decoded(body: bytes, shape: type[T], name: str) -> T:
    """Raises Wrong when the body is no such request."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (ValueError, RecursionError) as exc:
        raise Wrong(400, f"The request body is not {name}: {exc}") from exc


def nothing_at(method: str, path: str) -> Wrong:
    return Wrong(404, f"Invalid URL ({method} {path[:200]})")


def not_allowed(method: str, path: str) -> Wrong:
    return Wrong(405, f"Not allowed to {method} on {path[:200]}")
