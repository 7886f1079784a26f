"""One walk through what people and programs do: a step is drawn, done on the real door, and told to the model, which must hold."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from starlette.requests import Request

from services.api.keys import started_once
from services.api.policies import CHAT
from services.chat import Asked
from services.conversations import Node
from services.errors import Conflict, Gone, Invalid, NotFound
from services.messages import Message, Text, Turn
from tests.reliability.house import House
from tests.reliability.model import RUNNING, Model, Reader, said

MODELS = ["rehearsal/longform"] * 4 + ["rehearsal/echo", "rehearsal/scenes", "rehearsal/thinker"]
SCENES = ["length", "error", "cut", "refused", "overloaded", "tools", "reasoning", "slow"]


class Walk:
    def __init__(self, seed: int, folder: Path) -> None:
        self.random = Random(seed)
        self.model = Model()
        self.steps: list[str] = []
        self._house = House(folder, keep=4 if seed % 5 == 4 else 10_000)
        self._names = 0
        self._here: str | None = None  # where two things happen at once
        self._keys: dict[str, tuple[Turn, str]] = {}  # what was asked with each, and the generation
        self._asking: list[Callable[[], Awaitable[object]]] = [
            *[self.begin, self.send, self.edit, self.regenerate, self.retry, self.go_on] * 2,
            *[self.compare, self.keep, self.spread] * 2,
            *[self.choose, self.rename, self.delete, self.twice, self.stop],
        ]
        self._rules: list[Callable[[], Awaitable[object]]] = [
            *self._asking,
            *[self.tokens] * 8,
            *[self.read, self.leave, self.come_back, self.stop, self.at_once, self.go_on] * 3,
            *[self.reload, self.same_key, self.settle, self.kill, self.kill, self.kill_in_the_middle, self.restart],
        ]

    async def go(self, steps: int) -> None:
        await self.begin()
        for _ in range(steps):
            rule = self.random.choice(self._rules)
            self.steps.append(rule.__name__)
            await rule()
            self.model.told["steps"] += 1
            await self.model.check(self._house)
        await self.settle()
        for reader in self.model.readers:
            await reader.leave()
        await self._house.close()

    # Asking

    async def begin(self) -> None:
        await self._ask(None)

    async def send(self) -> None:
        if place := self._place():
            await self._ask(place)

    async def _ask(self, place: str | None, id: str | None = None, text: str | None = None) -> Asked | None:
        id, model = id or self._id(), self._model()
        return await self._asked(id, lambda: self._house.chat.send(place, model, text or self._text(model), id=id))

    async def compare(self) -> None:
        place = self.random.choice([None, self._place()])
        id, models = self._id(), self.random.sample(sorted(set(MODELS)), self.random.choice([2, 3]))
        asked = await self._asked(id, lambda: self._house.chat.compare(place, models, self._text(models[0]), id=id))
        self.model.told["compared"] += asked is not None

    async def keep(self) -> None:
        if node := await self._node(lambda node: node.generation is not None):
            with suppress(NotFound, Gone):
                await self._house.chat.keep(self.model.places[node.id], node.id)

    async def spread(self) -> None:
        if node := await self._node(lambda node: node.generation is not None):
            with suppress(NotFound, Invalid):
                await self._house.chat.spread(self.model.places[node.id], node.id)

    async def edit(self) -> None:
        if node := await self._node(lambda node: node.generation is None):
            id, model = self._id(), self._model()
            await self._asked(id, lambda: self._house.chat.edit(self.model.places[node.id], node.id, model, self._text(model), id=id))

    async def regenerate(self) -> None:
        if node := await self._node(lambda node: node.generation is not None):
            id = self._id()
            await self._asked(id, lambda: self._house.chat.regenerate(self.model.places[node.id], node.id, self._model(), id=id))

    async def retry(self) -> None:
        if place := self._place():
            id = self._id()
            await self._asked(id, lambda: self._house.chat.retry(place, self._model(), id=id))

    async def go_on(self) -> None:
        if node := await self._node(lambda node: node.may_go_on):
            before = said(node)
            again = node.id in self.model.perhaps
            self.model.perhaps.add(node.id)
            try:
                asked = await self._house.chat.go_on(self.model.places[node.id], node.id, self._model(), after=node.generation or "")
            except (Conflict, NotFound):
                self.model.told["conflicts"] += 1
            else:
                assert said(asked.answer).startswith(before)
                self.model.took(asked)
                self.model.told["continued"] += 1
            if not again:
                self.model.perhaps.discard(node.id)

    async def _asked(self, id: str, ask: Callable[[], Awaitable[Asked]]) -> Asked | None:
        asked: Asked | None = None
        self.model.perhaps.add(id)
        try:
            asked = await ask()
            self.model.took(asked)
        except (Conflict, NotFound) as exc:
            self.model.told["conflicts"] += isinstance(exc, Conflict)
            self.model.refused.add(id)
        self.model.perhaps.discard(id)
        return asked

    async def twice(self) -> None:
        """The same message in one moment, and again later: one question, one answer, one generation."""
        place, id, model = self._place(), self._id(), self._model()
        text = self._text(model)
        both = await asyncio.gather(*(self._asked(id, lambda: self._house.chat.send(place, model, text, id=id)) for _ in range(2)))
        await self.tokens()
        if (first := both[0]) is None:
            assert both == [None, None]
            return
        if first.conversation in self.model.alive:
            for asked in (both[1], await self._ask(first.conversation, id, text)):
                assert asked
                assert (asked.conversation, asked.question, asked.answer.generation) == (
                    first.conversation,
                    first.question,
                    first.answer.generation,
                )

    async def same_key(self) -> None:
        """An Idempotency-Key: one generation, also after a restart, and never another request's."""
        key = self.random.choice([*self._keys, f"key {len(self._keys)}"])
        turn = Turn("rehearsal/longform", (Message("user", (Text(self._text("rehearsal/longform")),)),), client="chat")
        turn, before = self._keys.get(key, (turn, ""))
        body = {"messages": [{"role": "user", "content": turn.messages[0].parts[0].text}]}  # type: ignore[union-attr]
        scope = {"type": "http", "path": "/chat", "query_string": b"", "headers": [(b"idempotency-key", key.encode())]}
        request = Request({**scope, CHAT: self._house.chat})
        known = {summary.id for summary in self._house.chat.generations()}
        started, again = await asyncio.gather(*(started_once(request, body, turn) for _ in range(2)))
        assert started == again
        await self._house.chat.recall(started.generation)
        self.model.started.add(started.generation)
        if before in known:
            reply = self._house.chat.reply(before)
            assert started.generation == before or (reply.problem and not reply.parts)
            with suppress(Gone):
                try:
                    await started_once(request, {**body, "seed": 1}, turn)
                    raise AssertionError("a key was taken for another request")
                except Invalid:
                    pass
        self._keys[key] = (turn, started.generation)

    # Whatever else may happen meanwhile

    async def tokens(self) -> None:
        for _ in range(self.random.choice([1, 3, 10, 40, 150])):
            self._house.clock.step(min(1, self._house.clock.resting))
            await asyncio.sleep(0)
        if self.random.random() < 0.3:
            await asyncio.sleep(0.003)  # a commit or two

    async def settle(self) -> None:
        """Let everything come to its end, and look at all of it."""
        async with asyncio.timeout(20):
            while self._running() or self._house.chat._tasks:
                self._house.clock.step(64)
                await asyncio.sleep(0.001)
        await self.model.check(self._house, settled=True)

    async def stop(self) -> None:
        if running := self._running():
            id = self.random.choice(running)
            with suppress(Gone):
                assert (await self._house.chat.stop(id)).state not in RUNNING
            self.model.told["stops"] += 1

    async def choose(self) -> None:
        if node := await self._node(lambda node: True):
            with suppress(NotFound):
                await self._house.chat.choose(self.model.places[node.id], node.id)

    async def rename(self) -> None:
        if place := self._place():
            title = f"Title {len(self.steps)}"
            if place not in self.model.titles:
                self.model.titles[place] = {known.title for known in await self._house.chat.conversations() if known.id == place}
            self.model.titles[place].add(title)
            with suppress(NotFound):
                await self._house.chat.rename(place, title)
                if self.steps[-1] == "rename":
                    assert (await self._house.chat.open(place)).conversation.title == title
                    self.model.titles[place] = {title}

    async def delete(self) -> None:
        if (place := self._place()) and self.random.random() < 0.5:
            self.model.perhaps_deleted.add(place)
            with suppress(NotFound):  # by two at once
                await self._house.chat.delete(place)
            self.model.deleted.add(place)
            self.model.told["deleted"] += 1

    async def reload(self) -> None:
        if place := self._place():
            for node in (await self._house.chat.open(place)).nodes:
                if node.reply and node.reply.seq:
                    assert node.reply.state in RUNNING or node.generation not in self._running()

    # Readers

    async def read(self) -> None:
        """From any position, as a second tab or a client that comes back."""
        if generations := sorted(self.model.started):
            id = self.random.choice(self._running() or generations)
            with suppress(Gone):
                await self._house.chat.recall(id)
                reader = Reader(id, self.random.choice([0, 0, self.random.randint(0, self._house.chat.reply(id).seq)]))
                reader.come(self._house.chat)
                self.model.started.add(id)
                self.model.readers.append(reader)
                self.model.told["readers"] += 1

    async def leave(self) -> None:
        if there := [reader for reader in self.model.readers if reader.is_there]:
            await self.random.choice(there).leave()

    async def come_back(self) -> None:
        if away := [reader for reader in self.model.readers if not reader.is_there]:
            reader = self.random.choice(away)
            with suppress(Gone):
                await self._house.chat.recall(reader.id)
                reader.come(self._house.chat)

    # Two things at once, and the end of the process

    async def at_once(self) -> None:
        self._here = self._place()
        rules = [self.random.choice(self._asking), self.random.choice([*self._asking, *[self.delete] * 6])]
        self.steps.append(" and ".join(rule.__name__ for rule in rules))
        await asyncio.gather(*(rule() for rule in rules))
        self._here = None

    async def kill_in_the_middle(self) -> None:
        """Of whatever was being asked for: it may have happened or not, all of it or nothing."""
        rule = self.random.choice([self.begin, *self._asking])
        self.steps.append(f"kill during {rule.__name__}")
        doing = asyncio.get_running_loop().create_task(_run(rule))
        for _ in range(self.random.randrange(12)):
            await asyncio.sleep(self.random.choice([0, 0, 0.0005]))
        await self.kill(doing)

    async def kill(self, *doing: "asyncio.Task[None]") -> None:
        house = self._house
        for task in [*doing, *(reader.task for reader in self.model.readers if reader.task)]:
            task.cancel()
        self._house = await house.killed()
        await asyncio.gather(*doing, return_exceptions=True)
        self.model.told["kills"] += 1
        await self._after_the_end()

    async def restart(self) -> None:
        self._house = await self._house.restarted()
        await self._after_the_end()

    async def _after_the_end(self) -> None:
        for reader in self.model.readers:
            await reader.leave()
        assert not self._running()
        if self.random.random() < 0.5:  # else it goes on while the rest is still brought into the conversations
            await self.settle()

    # Choosing

    def _id(self) -> str:
        self._names += 1
        return f"{self._names:032x}"

    def _model(self) -> str:
        return self.random.choice(MODELS)

    def _text(self, model: str) -> str:
        if model.endswith("scenes"):
            return self.random.choice(SCENES)
        return f"{self.random.choice([3, 30, 100, 300])} tokens, only prose, number {self._names}"

    def _place(self) -> str | None:
        alive = self.model.alive
        if self._here in alive:
            return self._here
        return self.random.choice(alive) if alive else None

    def _running(self) -> list[str]:
        return [summary.id for summary in self._house.chat.generations() if summary.state in RUNNING]

    async def _node(self, wanted: Callable[[Node], bool]) -> Node | None:
        """One of those that are shown somewhere."""
        if place := self._place():
            with suppress(NotFound):
                shown = await self._house.chat.open(place)
                nodes = [node for node in (*shown.nodes, *shown.beside) if node.id in self.model.places and wanted(node)]
                return self.random.choice(nodes) if nodes else None
        return None


async def _run(rule: Callable[[], Awaitable[object]]) -> None:
    await rule()
