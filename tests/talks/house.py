"""What the tests of conversations share: a whole Headrace whose model server stands still until it is stepped."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec

from services.attachments.attachments import Attachments
from services.chat import Asked, Chat, Retention
from services.conversations import Node
from services.generations.memory import MemoryJournal
from services.messages import Reply, Text
from services.store import open_store
from services.upstream import READERS
from services.upstream.catalogue import Catalogue
from services.upstream.connections import InProcess, Response
from services.upstream.http import HTTPUpstream
from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.server import Rehearsal

ECHO, LONG, SCENES = "rehearsal/echo", "rehearsal/longform", "rehearsal/scenes"
SQLITE = "sqlite:///data/headrace.db"
ID, OTHER = "a" * 32, "b" * 32


class Counting(InProcess):
    """The way to the rehearsal; keeps what was POSTed."""

    def __init__(self, server: Rehearsal) -> None:
        super().__init__(server.answer)
        self.posted: list[dict[str, Any]] = []

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, connect: float) -> Response:
        if method == "POST":
            self.posted.append(msgspec.json.decode(body or b""))
        return await super().send(method, url, headers, body, connect)


class House:
    """One process's worth of Headrace. The clock of its model server stands still until it is stepped."""

    def __init__(
        self,
        home: Path,
        url: str = SQLITE,
        prefilling: Iterable[str] = ("rehearsal",),
        keep: int = 200,
        undo: float = 60.0,
        attachments: Attachments | None = None,
    ) -> None:
        self.clock = Stepped()
        self.way = Counting(Rehearsal(10.0, self.clock))
        upstream = HTTPUpstream("rehearsal", READERS["openai_chat"], "http://rehearsal", self.way)
        self.store = open_store(url, home)
        self.chat = Chat(
            Catalogue([upstream], fixed={"rehearsal": tuple(MODELS)}, prefilling=prefilling),
            self.store,
            MemoryJournal(),
            retention=Retention(keep),
            undo=undo,
            attachments=attachments,
        )

    async def ended(self, asked: Asked) -> Node:
        """The answer once it has ended, the clock running; what is stored is what is shown."""
        generation = asked.answer.generation or ""
        async with aclosing(self.chat.follow(generation)) as batches:
            ticking = asyncio.create_task(self._tick())
            async for _ in batches:
                pass
            ticking.cancel()
        return await self.kept(asked)

    async def kept(self, asked: Asked) -> Node:
        """The answer as the store has it, once it has."""
        while True:
            for node in await self.store.nodes(asked.conversation):
                if node.id == asked.answer.id and node.reply is not None and node.reply.generation == asked.answer.generation:
                    return node
            await asyncio.sleep(0)

    async def _tick(self) -> None:
        while True:
            self.clock.step(self.clock.resting)
            await asyncio.sleep(0)

    async def begun(self, asked: Asked, characters: int = 40) -> str:
        """Let the answer say that much; what it has said. Then it stands still, running."""
        generation = asked.answer.generation or ""
        while len(said := texts(self.chat.reply(generation))) < characters:
            self.clock.step(min(1, self.clock.resting))
            await asyncio.sleep(0)
        return said

    async def stopped(self, asked: Asked) -> Node:
        await self.begun(asked)
        await self.chat.stop(asked.answer.generation or "")
        return await self.kept(asked)

    async def shown(self, conversation: str) -> list[str]:
        nodes = (await self.chat.open(conversation)).nodes
        return [
            node.message.text if node.message else "".join(part.text for part in node.parts if isinstance(part, Text)) for node in nodes
        ]


def texts(reply: Reply | None) -> str:
    return "".join(part.text for part in reply.parts if isinstance(part, Text)) if reply else ""
