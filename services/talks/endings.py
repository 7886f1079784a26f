"""What a generation says comes into its conversation: while it runs, when it has ended, and when an earlier process did not see to it.

A store that cannot keep a reply now is asked again when the conversation is opened; until it has it, the log is not dropped.
"""

import logging
from contextlib import suppress

import msgspec

from services.conversations import Node
from services.errors import Gone, HeadraceError, NotFound
from services.generations.generation import Generation
from services.generations.registry import Generations
from services.messages import Problem, Reply
from services.store.store import Store
from services.talks.watchers import Watchers

log = logging.getLogger(__name__)


class Endings:
    def __init__(self, store: Store, generations: Generations, watchers: Watchers) -> None:
        self._store = store
        self._generations = generations
        self._watchers = watchers
        self._answers: dict[str, Node] = {}  # running answers, by generation

    def expect(self, generation: str, node: Node) -> None:
        """This generation is about to start; what it says belongs to this answer."""
        self._answers[generation] = node

    def forget(self, generation: str) -> None:
        """It did not start."""
        del self._answers[generation]

    async def ended(self, generation: Generation) -> None:
        """Keep the reply in its conversation."""
        node = self._answers.get(generation.id)
        conversation = generation.turn.conversation
        if node is None or conversation is None:
            self._generations.told(generation.id)
            return
        await self._keep(conversation, msgspec.structs.replace(node, reply=generation.reply))
        del self._answers[generation.id]
        self._watchers.tell(conversation)

    async def restored(self, generation: Generation) -> None:
        """The same for one that ended in an earlier process, or with it, long before its log is dropped. Raises NotSaved."""
        conversation = generation.turn.conversation
        for node in await self._store.nodes(conversation) if conversation else ():
            if conversation and node.generation == generation.id and node.reply is None and not node.damaged:
                await self._keep(conversation, msgspec.structs.replace(node, reply=generation.reply))
                return
        self._generations.told(generation.id)

    async def _keep(self, conversation: str, node: Node) -> None:
        """Late or not: an answer that has gone on meanwhile is not overwritten. Until it is done the log is not dropped."""
        try:
            await self._store.settle(conversation, node)
            self._generations.told(node.generation or "")
        except HeadraceError as exc:
            log.error("the reply of generation %s is not in its conversation yet: %s", node.generation, exc)

    def so_far(self, node: Node) -> Node:
        """The answer as far as it has come."""
        if node.generation is None or node.reply is not None or node.damaged:
            return node
        try:
            return msgspec.structs.replace(node, reply=self._generations.reply(node.generation))
        except (NotFound, Gone):
            return node

    async def recalled(self, node: Node) -> Node:
        """The same for one that may have ended in an earlier process. Of one that nobody knows any more, what is left of it."""
        if node.generation is not None and node.reply is None and not node.damaged:
            with suppress(NotFound, Gone):
                await self._generations.recall(node.generation)
        node = self.so_far(node)
        if node.generation is None or node.reply is not None or node.damaged:
            return node
        lost = Problem("interrupted", "Headrace was ended while this answer was running, and nothing of it was kept.", retryable=True)
        return msgspec.structs.replace(node, reply=Reply(node.generation, "", 0, "interrupted", 0, problem=lost))

    async def whole(self, conversation: str, node: Node) -> Node:
        """The same, and stored if it has ended and was not: the store was busy then, or the process ended too soon."""
        whole = await self.recalled(node)
        reply = whole.reply if whole is not node else None
        if reply and reply.seq and reply.state not in ("waiting", "streaming") and node.generation not in self._answers:
            await self._keep(conversation, whole)
        return whole
