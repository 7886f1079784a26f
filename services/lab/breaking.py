"""The rehearsal as an upstream, broken on purpose: what a fault does to its answers, before the reader of Headrace sees them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping

from services.errors import Invalid
from services.faults import FAULTS
from services.faults.actions import Action, Asked, Chain, End, Head, Wait, Write
from services.faults.choosing import choose
from services.upstream.connections import Into, Response, Transport, pour

ON_PURPOSE = "broken on purpose"
FAMILIES = {"openai_responses": "responses", "openai": "openai", "anthropic": "anthropic", "gemini": "gemini", "ollama": "ollama"}


def on_pages() -> dict[str, str]:
    """What a conversation can be broken with: the names, and what each does."""
    return {fault.name: fault.does for fault in FAULTS.values() if "events" in fault.kinds}


def broken(transport: Transport, fault: str, dialect: str) -> Transport:
    """`fault` as in services.faults.choosing; one that there is not, or not any more, breaks nothing."""
    family = next((family for start, family in FAMILIES.items() if dialect.startswith(start)), "openai")
    try:
        choose([fault])
    except Invalid:
        return transport
    return Breaking(transport, fault, family)


class Breaking:
    def __init__(self, transport: Transport, fault: str, family: str) -> None:
        self._transport = transport
        self._fault = fault
        self._family = family

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, connect: float) -> Response:
        answer = Answer(await self._transport.send(method, url, headers, body, connect), self._fault, self._family)
        await answer.begin()
        return answer

    async def close(self) -> None:
        await self._transport.close()


class Answer:
    """A Response: what the chain makes of another one. A connection that is reset, or ends without an end, is a ConnectionError."""

    def __init__(self, response: Response, fault: str, family: str) -> None:
        self._response = response
        self._actions = self._made(choose([fault]).chain(family, time.time()))
        self.status, self.headers = response.status, dict(response.headers)
        self.at_end = False

    async def begin(self) -> None:
        """Up to the headers."""
        async for action in self._actions:
            match action:
                case Head(status, headers):
                    self.status, self.headers = status, {name.decode().lower(): value.decode() for name, value in headers}
                    return
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case End():
                    raise ConnectionResetError(ON_PURPOSE)

    async def read(self) -> bytes:
        async for action in self._actions:
            match action:
                case Write(data) if data:
                    return data
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case End(how) if how != "properly":
                    raise ConnectionResetError(ON_PURPOSE)
        self.at_end = True
        return b""

    async def pour(self, into: Into) -> None:
        await pour(self.read, into)

    async def close(self) -> None:
        await self._actions.aclose()
        await self._response.close()

    async def _made(self, chain: Chain) -> AsyncGenerator[Action, None]:
        """Lazily, up to the first End: a fault may go on for ever."""
        given = self._response
        head = Head(given.status, tuple((name.encode(), value.encode()) for name, value in given.headers.items()))
        async for told in self._told(Asked(), head):
            for action in chain.feed(told):
                yield action
                if isinstance(action, End):
                    return

    async def _told(self, *first: Action) -> AsyncGenerator[Action, None]:
        for action in first:
            yield action
        while data := await self._response.read():
            yield Write(data)
        yield End()
