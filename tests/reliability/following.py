"""A client that keeps what it was shown: whole frames of the native stream, as bytes."""

import os
from collections.abc import Callable

import httpx


def count(variable: str, default: int) -> int:
    """How often: a few times by default, as often as the environment variable says for the figures in docs/reliability.md."""
    return int(os.environ.get(variable, default))


def patient() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=60, limits=httpx.Limits(max_connections=None))


class Transcript:
    """Frames as they were shown, in this order. Half a frame was not shown."""

    def __init__(self, heard: Callable[[int], None] = lambda _: None) -> None:
        self._heard = heard  # told how many frames have come
        self.id: str | None = None
        self.frames: list[bytes] = []
        self._half = b""

    @property
    def last(self) -> int:
        """The number of the last entry that was shown; 0 for none."""
        return next((number(frame) for frame in reversed(self.frames) if frame.startswith(b"id: ")), 0)

    @property
    def ended(self) -> bool:
        return bool(self.frames) and (b"event: end\n" in self.frames[-1] or b"event: failed\n" in self.frames[-1])

    def feed(self, data: bytes) -> None:
        *whole, self._half = (self._half + data).split(b"\n\n")
        self.frames += [frame for frame in map(_without_comments, whole) if frame]
        self._heard(len(whole))

    def cut(self) -> None:
        """The connection is gone, and with it what was half here."""
        self._half = b""

    async def ask(self, client: httpx.AsyncClient, url: str, text: str) -> None:
        """Start a generation and read its stream, until its end or the server's."""
        question = {"messages": [{"role": "user", "content": text}], "on_disconnect": "keep"}
        async with client.stream("POST", f"{url}/chat?model=rehearsal/longform", json=question) as response:
            assert response.status_code == 200, await response.aread()
            self.id = response.headers["headrace-generation"]
            async for data in response.aiter_raw():
                self.feed(data)

    async def resume(self, client: httpx.AsyncClient, url: str, most: int | None = None) -> None:
        """Go on after the last frame; leave after `most` bytes, or at the end."""
        headers = {"accept": "text/event-stream", "last-event-id": str(self.last)}
        self.cut()
        async with client.stream("GET", f"{url}/chat/{self.id}", headers=headers) as response:
            assert response.status_code == (204 if self.ended else 200), await response.aread()
            async for data in response.aiter_raw():
                taken = data if most is None else data[:most]
                self.feed(taken)
                if most is not None:
                    most -= len(taken)
                    if most <= 0:
                        return


def _without_comments(frame: bytes) -> bytes:
    """A heartbeat is a line that comes before the next frame."""
    while frame.startswith(b":"):
        frame = frame.partition(b"\n")[2]
    return frame


def number(frame: bytes) -> int:
    return int(frame.split(b"\n", 1)[0].removeprefix(b"id: "))


def check_numbers(frames: list[bytes]) -> None:
    """Rising, none twice, and exactly one end. (Not every entry has a frame: closing a part says nothing to the native stream.)"""
    numbers = [number(frame) for frame in frames]
    assert numbers == sorted(set(numbers))
    ends = [b"event: end\n" in frame or b"event: failed\n" in frame for frame in frames]
    assert ends == [False] * (len(ends) - 1) + [True]
