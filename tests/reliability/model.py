"""What must be true of a Headrace whatever is done to it: what it has told is remembered here, and compared after every step."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import aclosing, suppress

from services.chat import Asked, Chat
from services.conversations import Node
from services.errors import Gone, HeadraceError
from services.events import Entry, Failed, Finished, PartDelta, PartFinished, PartStarted
from services.messages import Text, fold
from tests.reliability.house import House

RUNNING = ("waiting", "streaming")


class Reader:
    """Somebody who reads a generation from a position, leaves in the middle, and comes back after what was read last."""

    def __init__(self, id: str, after: int) -> None:
        self.id = id
        self.after = after
        self.entries: list[Entry] = []
        self.task: asyncio.Task[None] | None = None

    @property
    def is_there(self) -> bool:
        return self.task is not None and not self.task.done()

    def come(self, chat: Chat) -> None:
        self.task = asyncio.get_running_loop().create_task(self._read(chat))

    async def _read(self, chat: Chat) -> None:
        async with aclosing(chat.follow(self.id, self.after + len(self.entries))) as batches:
            async for entries in batches:
                self.entries += entries

    async def leave(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError, HeadraceError):
                await self.task


class Model:
    """`asked` is what was acknowledged; `perhaps` what was under way when the process was killed; `refused` what must be nowhere."""

    def __init__(self) -> None:
        self.asked: dict[str, Asked] = {}  # by the id of the answer
        self.places: dict[str, str] = {}  # of every acknowledged message, its conversation
        self.started: set[str] = set()  # generations
        self.together: dict[str, str] = {}  # those of several models, and their question
        self.perhaps: set[str] = set()  # messages
        self.refused: set[str] = set()
        self.deleted: set[str] = set()
        self.perhaps_deleted: set[str] = set()
        self.titles: dict[str, set[str]] = {}
        self.readers: list[Reader] = []
        self.logs: dict[str, list[Entry]] = {}  # as far as they have been seen
        self.texts: dict[str, str] = {}  # of every answer, as far as it has been seen
        self.told: Counter[str] = Counter()

    def took(self, asked: Asked) -> None:
        for node in (asked.question, asked.answer, *asked.beside):
            self.places[node.id] = asked.conversation
        for node in (asked.answer, *asked.beside):
            self.asked[node.id] = asked._replace(answer=node)
            assert node.generation is not None
            self.started.add(node.generation)
            if asked.beside:
                self.together[node.generation] = asked.question.id

    @property
    def alive(self) -> list[str]:
        """Conversations that are there for certain."""
        gone = self.deleted | self.perhaps_deleted
        return sorted({place for place in self.places.values() if place not in gone})

    async def check(self, house: House, *, settled: bool = False) -> None:
        chat = house.chat
        running = [summary for summary in chat.generations() if summary.state in RUNNING]
        assert not (settled and running)
        groups = {(summary.conversation, self.together.get(summary.id, summary.id)) for summary in running if summary.conversation}
        talking = [conversation for conversation, _ in groups]
        assert len(talking) == len(set(talking)), "two answers in one conversation that were not started together"
        assert not self.deleted & set(talking), "an answer goes on in a deleted conversation"
        for id in self.started:
            await self._check_log(chat, id)
        for reader in self.readers:
            read = list(reader.entries)
            if reader.after + len(read) > len(self.logs[reader.id]) and not await self._check_log(chat, reader.id):
                read = read[: max(0, len(self.logs[reader.id]) - reader.after)]
            log = self.logs[reader.id]
            assert read == log[reader.after : reader.after + len(read)], "a reader has what is not in the log"
            if settled and reader.is_there:
                await reader.task  # type: ignore[misc]
                assert reader.after + len(reader.entries) >= len(log)
        await self._check_conversations(house, settled)

    async def _check_log(self, chat: Chat, id: str) -> bool:
        """False: it is no longer kept."""
        before = self.logs.get(id, [])
        if before and isinstance(before[-1].event, Finished | Failed) and self.told["checked"] % 10:
            return True  # looked at again now and then
        try:
            await chat.recall(id)
        except Gone:
            return False
        follower = chat.follow(id)
        log, complete = follower.take(), follower.at_end
        await follower.aclose()
        assert log[: len(before)] == before, "what was shown has changed"
        self.logs[id] = log
        check_story(log, complete)
        reply = chat.reply(id)
        assert reply == fold(log)
        assert (reply.state in RUNNING) != complete
        if not complete:
            assert any(summary.id == id and summary.state in RUNNING for summary in chat.generations()), "nobody owns what runs"
        return True

    async def _check_conversations(self, house: House, settled: bool) -> None:
        self.told["checked"] += 1
        there = {conversation.id: conversation for conversation in await house.chat.conversations()}
        assert not self.deleted & set(there), "a deleted conversation is back"
        assert set(self.alive) <= set(there), "a conversation is lost"
        for id, conversation in there.items():
            nodes = await house.store.nodes(id)
            self._check_tree(id, nodes)
            assert conversation.shown in {node.id for node in nodes}
            if id in self.titles:
                assert conversation.title in self.titles[id]
            for node in nodes:
                if node.generation:
                    await self._check_answer(house.chat, node, settled)
            if settled:
                for node in (await house.chat.open(id)).nodes:
                    assert node.generation is None or (node.reply and node.reply.state not in RUNNING)

    def _check_tree(self, id: str, nodes: Sequence[Node]) -> None:
        ids = [node.id for node in nodes]
        assert len(ids) == len(set(ids))
        assert not self.refused & set(ids), "what was refused was stored"
        assert {node for node, place in self.places.items() if place == id} <= set(ids), "a message is lost"
        for node in nodes:
            assert not node.damaged
            assert node.parent is None or node.parent in ids
            known = node.id in self.places or node.id in self.perhaps
            if node.generation is None:
                assert known, "a message that nobody sent"
                assert any(other.parent == node.id and other.generation for other in nodes), "a question without an answer"
            else:
                assert known or node.parent in self.perhaps, "an answer that nobody asked for"

    async def _check_answer(self, chat: Chat, node: Node, settled: bool) -> None:
        asked = self.asked.get(node.id)
        if asked and node.id not in self.perhaps:
            assert node.generation == asked.answer.generation, "another generation is in this place"
        kept = node.generation in self.started and await self._check_log(chat, node.generation or "")  # it may have ended a moment ago
        log = self.logs[node.generation or ""] if kept else []
        if node.reply is not None and log:
            assert node.reply == fold(log), "the store and the log differ"
        if settled and log:
            assert node.reply is not None, "an answer has ended and its conversation does not know"
        text = said(node)
        assert text.startswith(before := self.texts.get(node.id, "")), f"an answer was {before!r} and is {text!r}"
        self.texts[node.id] = text


def said(node: Node) -> str:
    return "".join(part.text for part in node.parts if isinstance(part, Text))


def check_story(log: Sequence[Entry], complete: bool) -> None:
    """Numbers from 1 without gaps; one terminal event, at the end; every part begins, and ends before that."""
    assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
    ends = [entry for entry in log if isinstance(entry.event, Finished | Failed)]
    assert ends == (log[-1:] if complete else [])
    assert not (complete and _open(log))


def _open(log: Iterable[Entry]) -> set[int]:
    parts: set[int] = set()
    for entry in log:
        match entry.event:
            case PartStarted(part):
                assert part not in parts
                parts.add(part)
            case PartDelta(part):
                assert part in parts
            case PartFinished(part):
                parts.remove(part)
    return parts
