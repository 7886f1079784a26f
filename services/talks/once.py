"""What is asked for under a name is asked for once: who asks the same again, while it is on its way or afterwards, joins."""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import NamedTuple

from services.conversations import Node
from services.errors import Conflict, Invalid
from services.store.store import Store
from services.talks.endings import Endings
from services.talks.tree import find

log = logging.getLogger(__name__)

ID = re.compile(r"[0-9a-f]{32}")


class Asked(NamedTuple):
    """What was asked, and where its answer grows; `beside` it those of other models that were asked at the same time."""

    conversation: str
    question: Node
    answer: Node
    beside: tuple[Node, ...] = ()


class Once:
    """Goes on when who asked has left."""

    def __init__(self, store: Store, endings: Endings) -> None:
        self._store = store
        self._endings = endings
        self._asking: set[asyncio.Task[Asked]] = set()
        self._joined: dict[str, asyncio.Task[Asked]] = {}  # by the name that who asked gave

    async def ask(self, id: str | None, ask: Callable[[str], Awaitable[Asked]], text: str | None = None) -> Asked:
        """`text` is what the question says, if it is part of what is asked. Raises Invalid for an id that means something else."""
        if id is not None and not ID.fullmatch(id):
            raise Invalid(f"A message's id is 32 hexadecimal digits, not {id[:80]!r}.")
        task = self._joined.get(id) if id else None
        if task is None:
            task = self._spawn(self._known_or_new(id or new_id(), ask))
            if id:
                self._joined[id] = task
                task.add_done_callback(lambda _: self._joined.pop(id, None))
        asked = await asyncio.shield(task)
        if text is not None and asked.question.message is not None and asked.question.message.text != text:
            raise Invalid("This id belongs to another message.")
        return asked

    async def nameless(self, asking: Coroutine[None, None, Asked]) -> Asked:
        return await asyncio.shield(self._spawn(asking))

    async def close(self) -> None:
        """Let what is on its way arrive, or be refused: nothing starts after this, if nothing is admitted any more."""
        while self._asking:
            await asyncio.wait(self._asking)

    async def _known_or_new(self, id: str, ask: Callable[[str], Awaitable[Asked]]) -> Asked:
        conversation = await self._store.find(id)
        if conversation is None:
            return await ask(id)
        nodes = await self._store.nodes(conversation)
        node = find(nodes, id)
        question = find(nodes, node.parent or "") if node.generation else node
        answers = [other for other in nodes if other.parent == question.id]
        if not answers:
            raise Conflict("This message is here already, without an answer.")
        first, *more = [node] if node.generation else answers
        return Asked(
            conversation, question, await self._endings.recalled(first), tuple([await self._endings.recalled(each) for each in more])
        )

    def _spawn(self, asking: Coroutine[None, None, Asked]) -> "asyncio.Task[Asked]":
        task = asyncio.get_running_loop().create_task(asking)
        self._asking.add(task)
        task.add_done_callback(self._asked)
        return task

    def _asked(self, task: "asyncio.Task[Asked]") -> None:
        self._asking.discard(task)
        if not task.cancelled() and (exc := task.exception()):  # who asked is told, unless they have left
            log.info("a question was not taken: %s", exc)


def new_id() -> str:
    """128 bits: not to be guessed."""
    return secrets.token_hex(16)
