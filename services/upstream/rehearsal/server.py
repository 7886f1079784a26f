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
from services.upstream.rehearsal.repertoire import Repertoire
from services.upstream.rehearsal.replay import Replays, played
from services.upstream.rehearsal.script import Answer, Delta, Fault, Model, Question, Think, after
from services.upstream.rehearsal.tellers import VENDORS
from services.upstream.rehearsal.tellers.teller import Teller, Wanted, Wrong, ending, whole


class Rehearsal:
    """`speed` in tokens per second; infinity is as fast as possible. Raises ValueError unless it is above 0.

    `dialect` is one of VENDORS and decides which vendor's paths there are; `models` finds a model by its name. `faithful` is as
    replay.py has it.
    """

    def __init__(
        self,
        speed: float = 60.0,
        clock: Clock | None = None,
        dialect: str = "openai_chat",
        models: Callable[[str], Model | None] = MODELS.get,
        *,
        repertoire: Repertoire | None = None,
        faithful: bool = False,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0 tokens per second, not {speed}")
        self._speed = speed
        self._clock = clock or Wall()
        self._dialect = dialect
        self._models = models
        self._vendor = VENDORS[dialect]
        self._repertoire = repertoire or Repertoire()
        self._replays = Replays(self._repertoire, self._clock, faithful=faithful)

    def __repr__(self) -> str:
        return f"<Rehearsal {self._dialect} {self._speed:g} tokens/s {self._clock!r}>"

    def of(self, person: str) -> "Rehearsal":
        """The same, for somebody: with the recordings that are theirs."""
        repertoire = self._repertoire.of(person)
        if repertoire is self._repertoire:
            return self
        faithful = self._replays.faithful
        return Rehearsal(self._speed, self._clock, self._dialect, self._models, repertoire=repertoire, faithful=faithful)

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        """`path` is percent-encoded, and may have a query."""
        began = self._clock.now()
        place, _, query = path.partition("?")
        place = unquote(place)
        try:
            found = self._vendor.read(method, place, query, body, self._repertoire.names)
            if not isinstance(found, Wanted):
                return _whole(200, {}, found)
            if replay := played(found.asked.model):
                told = await self._replays.answer(replay, found, began)
                return self.refuse(told, path) if isinstance(told, Fault) else told
            return self._play(found, path)
        except Wrong as exc:
            return self.refuse(exc.fault, path)

    def refuse(self, fault: Fault, path: str = "") -> Answer:
        """An error before any byte, in the words of the vendor."""
        status, headers, value = self._vendor.refusal(fault, path)
        retry = {"retry-after": str(fault.retry_after)} if fault.retry_after is not None else {}
        return _whole(status, headers | retry, value)

    def _play(self, wanted: Wanted, path: str) -> Answer:
        asked = wanted.asked
        model = self._models(asked.model) or self._repertoire.model(asked.model)
        if model is None:
            names = ", ".join(self._repertoire.names)
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
        yield ending(self._teller, self._limited)

    async def whole(self) -> AsyncGenerator[bytes, None]:
        """The same answer in one JSON text, after the same time; half of it when it is cut."""
        deltas: list[Delta] = []
        while batch := await self._due():
            deltas += batch
        yield whole(self._teller, self._limited, deltas)

    async def _due(self) -> list[Delta]:
        """The deltas that are due next; none when the script has ended. Its end is due like one more token."""
        return list(islice(self._deltas, await self._pace.due()))


def _whole(status: int, headers: dict[str, str], value: object) -> Answer:
    return Answer(status, headers | {"content-type": "application/json"}, _once(msgspec.json.encode(value)))


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
