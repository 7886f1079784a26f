"""What the tests of the rehearsal share: asking it in any dialect, every rest over at once."""

import json
from contextlib import aclosing
from itertools import groupby
from typing import Any

from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.server import Rehearsal
from services.wire.sse import SSEDecoder


def chat(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


async def ask(
    dialect: str, path: str, body: Any = None, method: str | None = None, speed: float = 60.0
) -> tuple[int, dict[str, str], bytes]:
    clock = Stepped()
    clock.step(1_000_000)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    method = method or ("GET" if body is None else "POST")
    answer = await Rehearsal(speed, clock, dialect).answer(method, path, b"" if body is None else sent)
    async with aclosing(answer.chunks) as chunks:
        return answer.status, answer.headers, b"".join([chunk async for chunk in chunks])


async def told(dialect: str, path: str, body: Any) -> Any:
    status, _, text = await ask(dialect, path, {"model": "scenes", **body})
    assert status == 200
    return json.loads(text)


async def frames(dialect: str, path: str, body: Any) -> list[tuple[str, Any]]:
    """Event and JSON of every frame."""
    _, headers, stream = await ask(dialect, path, {"model": "scenes", "stream": True, **body})
    assert headers["content-type"].startswith("text/event-stream")
    return [(event, json.loads(data)) for event, data, _ in SSEDecoder().feed(stream)]


def order(events: list[str]) -> list[str]:
    return [event for event, _ in groupby(events)]
