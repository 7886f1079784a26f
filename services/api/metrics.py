"""`GET /metrics`: what is counted here, in the text that Prometheus reads; and how late the event loop is, looked at now and then."""

import asyncio
import os
import time
from pathlib import Path

from starlette.requests import Request
from starlette.types import ASGIApp

from services.api.access import Call
from services.api.errors import json_response
from services.api.policies import mine
from services.errors import NotFound
from services.metrics.house import House
from services.metrics.instruments import MEDIA, Counter, Family, exposition, gauge

EVERY = 0.5  # seconds between two looks at the loop
BEGAN = time.time()


class Metrics:
    """Knows of a call when it is over; the rest is asked for when somebody looks."""

    def __init__(self, house: House, *, on: bool = True) -> None:
        self._house = house
        self._on = on

    async def get(self, request: Request) -> ASGIApp:
        if not self._on:
            raise NotFound("The figures of this house are not told: metrics.on is false.")
        families = [*self._house.families(), *mine(request).figures(), *process()]
        return json_response(exposition(families), media=MEDIA)

    async def watch_the_loop(self) -> None:
        """For ever: to be cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY
            await asyncio.sleep(EVERY)
            self._house.lag.see(max(0.0, loop.time() - due))

    def began(self, call: Call) -> None:
        """The head of its answer was sent."""
        self._house.traffic.open += call.is_stream

    def ended(self, call: Call) -> None:
        house = self._house
        house.calls.add(call.method, call.route or "none", str(call.status or "left"))
        if call.is_stream:
            house.traffic.open -= 1
            house.traffic.ended(call.stream_end, call.streamed)


def process() -> list[Family]:
    """Of this process, under the names that Prometheus' own clients give it. What the system does not tell is left out."""
    cpu = Counter("process_cpu_seconds_total", "CPU time, user and system.")
    cpu.add(by=time.process_time())
    found = [cpu.family(), gauge("process_start_time_seconds", "Start of the process, in Unix seconds.", BEGAN)]
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        found.append(gauge("process_resident_memory_bytes", "Resident memory.", pages * os.sysconf("SC_PAGE_SIZE")))
        found.append(gauge("process_open_fds", "Open file descriptors.", len(os.listdir("/proc/self/fd"))))  # noqa: PTH208
    except OSError:
        pass
    return found
