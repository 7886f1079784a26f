"""What it costs to know who asks, and whether the time that it takes says anything of a key: `uv run python -m benchmarks.guard`.

Microseconds of CPU per request in the guard: of nobody where there is no login, by a key, by a cookie. And Welch's t between keys that
are wrong from the first and from the last character on (SAMPLES of each): beyond 4.5 it would be told from noise.
"""

import asyncio
import random
import statistics
import time
from math import sqrt

from services.api.guard import Guard
from services.chat import Chat
from services.generations.memory import MemoryJournal
from services.people.people import People
from services.people.roll import Terms
from services.persons import ANYBODY, Limits
from services.store.memory import MemoryStore
from services.upstream.catalogue import Catalogue

ROUNDS, SAMPLES = 20_000, 10_000
HEADERS = [(b"host", b"127.0.0.1:8080"), (b"user-agent", b"benchmark"), (b"content-type", b"application/json"), (b"accept", b"*/*")]


async def nothing(scope: object, receive: object, send: object) -> None:
    pass


async def cost(guard: Guard, *more: tuple[bytes, bytes]) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        scope = {"type": "http", "method": "POST", "path": "/chat", "query_string": b"", "headers": [*HEADERS, *more], "client": None}
        await guard(scope, nothing, nothing)  # type: ignore[arg-type]
    return (time.process_time() - began) / ROUNDS * 1e6


async def main() -> None:
    rows = []
    for kind in ("none", "password"):
        people = People(MemoryStore(), Terms(kind))
        chat = Chat(Catalogue([]), MemoryStore(), MemoryJournal(), people=people)
        guard = Guard(nothing, chat)
        await people.load()
        _, token = await people.make_key(ANYBODY, "benchmark", ["chat"], 0.0, Limits())
        person = people.person("local")
        assert person
        _, cookie = await people.enter(person)
        if kind == "none":
            rows.append(("no login", await cost(guard)))
            rows.append(("no login, an SDK's made-up key", await cost(guard, (b"authorization", b"Bearer sk-anything"))))
        else:
            rows.append(("a key", await cost(guard, (b"authorization", b"Bearer " + token.encode()))))
            rows.append(("a cookie", await cost(guard, (b"cookie", b"headrace=" + cookie.encode()))))
        last = token
    for name, microseconds in rows:
        print(f"{name:<34}{microseconds:6.1f} us")
    first_wrong, last_wrong = "hr_" + ("A" if last[3] != "A" else "B") + last[4:], last[:-1] + ("A" if last[-1] != "A" else "B")
    times: dict[str, list[int]] = {first_wrong: [], last_wrong: []}
    for _ in range(SAMPLES):
        for key, found in random.sample(list(times.items()), 2):
            began = time.perf_counter_ns()
            await people.by_key(key)
            found.append(time.perf_counter_ns() - began)
    one, other = (sorted(found)[: int(SAMPLES * 0.95)] for found in times.values())  # without the scheduler's own
    spread = sqrt(statistics.variance(one) / len(one) + statistics.variance(other) / len(other))
    print(f"Welch's t: {(statistics.mean(one) - statistics.mean(other)) / spread:+.2f}")
    await people.close()


if __name__ == "__main__":
    asyncio.run(main())
