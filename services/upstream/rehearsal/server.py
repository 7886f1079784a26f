"""The model server that is not there: requests in, HTTP answers out. No sockets, no HTTP library, nothing but this process.

    server = Rehearsal()
    answer = await server.answer("POST", "/chat/completions", body)
    async with contextlib.aclosing(answer.chunks): ...

Whoever calls it treats it like any other server: the same client code, the same reader, real bytes.
"""

from collections.abc import AsyncGenerator

import msgspec

from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.clock import Clock, Pace, Wall
from services.upstream.rehearsal.completion import CREATED, Asked, Completion
from services.upstream.rehearsal.limits import Limited
from services.upstream.rehearsal.script import Answer, Question


class Rehearsal:
    """`speed` in tokens per second; infinity is as fast as possible. Raises ValueError unless it is above 0."""

    def __init__(self, speed: float = 60.0, clock: Clock | None = None) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0 tokens per second, not {speed}")
        self._speed = speed
        self._clock = clock or Wall()

    def __repr__(self) -> str:
        return f"<Rehearsal {self._speed:g} tokens/s {self._clock!r}>"

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        match method, path.partition("?")[0]:
            case "GET", "/models":
                return _whole(200, _models())
            case "POST", "/chat/completions":
                return self._completion(body)
            case _, "/models" | "/chat/completions":
                return _refusal(405, f"Not allowed to {method} on {path}")
            case _:
                return _refusal(404, f"Invalid URL ({method} {path})")

    def _completion(self, body: bytes) -> Answer:
        try:
            asked = msgspec.json.decode(body, type=Asked)
        except (ValueError, RecursionError) as exc:
            return _refusal(400, f"The request body is not a chat completion request: {exc}")
        model = MODELS.get(asked.model)
        if model is None:
            return _refusal(404, f"The model `{asked.model}` does not exist; there are {', '.join(MODELS)}.", "model_not_found")
        script = model(Question(asked.question, int.from_bytes(asked.digest), self._speed, self._clock))
        if isinstance(script, Answer):
            return script
        pace = Pace(self._clock, script.speed or self._speed, script.pause)
        completion = Completion(asked, Limited(script, asked.most, asked.stops), pace)
        headers = {"x-request-id": f"req_{asked.digest.hex()[:32]}"}
        if asked.stream:
            return Answer(200, headers | {"content-type": "text/event-stream; charset=utf-8"}, completion.stream())
        return Answer(200, headers | {"content-type": "application/json"}, completion.whole())


def _models() -> object:
    listed = [{"id": name, "object": "model", "created": CREATED, "owned_by": "headrace"} for name in MODELS]
    return {"object": "list", "data": listed}


def _refusal(status: int, message: str, code: str | None = None) -> Answer:
    return _whole(status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}})


def _whole(status: int, value: object) -> Answer:
    return Answer(status, {"content-type": "application/json"}, _once(msgspec.json.encode(value)))


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
