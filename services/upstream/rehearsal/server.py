"""The model server that is not there: requests in, HTTP answers out. No sockets, no HTTP library, nothing but this process.

    server = Rehearsal()
    answer = await server.answer("POST", "/chat/completions", body)
    async with contextlib.aclosing(answer.chunks): ...

Whoever calls it treats it like any other server: the same client code, the same reader, real bytes.
"""

from collections.abc import AsyncGenerator, Callable, Iterable
from itertools import islice
from urllib.parse import unquote

import msgspec

from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.clock import Clock, Pace, Wall
from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.script import Answer, Delta, Fault, Model, Question, Think, after
from services.upstream.rehearsal.tellers import VENDORS
from services.upstream.rehearsal.tellers.teller import Teller, Wanted, Wrong


class Rehearsal:
    """`speed` in tokens per second; infinity is as fast as possible. Raises ValueError unless it is above 0.

    `dialect` is one of VENDORS and decides which vendor's paths there are; `models` finds a model by its name.
    """

    def __init__(
        self,
        speed: float = 60.0,
        clock: Clock | None = None,
        dialect: str = "openai_chat",
        models: Callable[[str], Model | None] = MODELS.get,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0 tokens per second, not {speed}")
        self._speed = speed
        self._clock = clock or Wall()
        self._dialect = dialect
        self._models = models
        self._vendor = VENDORS[dialect]

    def __repr__(self) -> str:
        return f"<Rehearsal {self._dialect} {self._speed:g} tokens/s {self._clock!r}>"

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        """`path` is percent-encoded, and may have a query."""
        place, _, query = path.partition("?")
        place = unquote(place)
        try:
            found = self._vendor.read(method, place, query, body)
            return self._play(found, path) if isinstance(found, Wanted) else _whole(200, {}, found)
        except Wrong as exc:
            return self.refuse(exc.fault, path)

    def refuse(self, fault: Fault, path: str = "") -> Answer:
        """An error before any byte, in the words of the vendor."""
        status, headers, value = self._vendor.refusal(fault, path)
        retry = {"retry-after": str(fault.retry_after)} if fault.retry_after is not None else {}
        return _whole(status, headers | retry, value)

    def _play(self, wanted: Wanted, path: str) -> Answer:
        asked = wanted.asked
        model = self._models(asked.model)
        if model is None:
            names = ", ".join(MODELS)
            raise Wrong(404, f"The model `{asked.model[:200]}` does not exist; there are {names}.", "model_not_found")
        script = model(Question(asked.question, int.from_bytes(asked.digest), self._speed, self._clock, asked.results))
        if isinstance(script, Answer):
            return script
        if isinstance(script, Fault):
            return self.refuse(script, path)
        if not asked.thoughts:
            script = script._replace(deltas=(delta for delta in script.deltas if not isinstance(delta, Think)))
        if asked.begun:
            script = script._replace(deltas=after(script.deltas, asked.begun))
        limited = Limited(script, asked.most, asked.stops)
        speed = script.speed or self._speed
        deltas: Iterable[Delta] = limited
        if isinstance(script.end, Fault) and not asked.stream:
            deltas = list(limited)  # its status goes before any byte
            if isinstance(limited.end, Fault):
                return self.refuse(limited.end, path)
        told = _Told(wanted.teller(limited, 1 / speed), deltas, limited, Pace(self._clock, speed, script.pause))
        return Answer(200, wanted.headers, told.stream() if asked.stream else told.whole())


class _Told:
    """A script at its pace. Use one of `stream` and `whole`, once."""

    def __init__(self, teller: Teller, deltas: Iterable[Delta], limited: Limited, pace: Pace) -> None:
        self._teller = teller
        self._deltas = iter(deltas)
        self._limited = limited
        self._pace = pace

    async def stream(self) -> AsyncGenerator[bytes, None]:
        yield self._teller.begin()
        while batch := await self._due():
            yield b"".join(map(self._teller.tell, batch))
        match self._limited.end:
            case Fault() as fault:
                yield self._teller.fail(fault)
            case "cut":
                pass
            case _:
                yield self._teller.end()

    async def whole(self) -> AsyncGenerator[bytes, None]:
        """The same answer in one JSON text, after the same time; half of it when it is cut."""
        deltas: list[Delta] = []
        while batch := await self._due():
            deltas += batch
        if self._limited.end == "cut":
            self._limited.end = "stop"
            body = self._teller.whole(deltas)
            yield body[: len(body) // 2]
        else:
            yield self._teller.whole(deltas)

    async def _due(self) -> list[Delta]:
        """The deltas that are due next; none when the script has ended. Its end is due like one more token."""
        return list(islice(self._deltas, await self._pace.due()))


def _whole(status: int, headers: dict[str, str], value: object) -> Answer:
    return Answer(status, headers | {"content-type": "application/json"}, _once(msgspec.json.encode(value)))


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
