"""A generation that a program started becomes a conversation: what was asked, and what came. Asked again it is the same one."""

import msgspec

from services.conversations import Conversation
from services.errors import Conflict
from services.exchange.loose import identity
from services.exchange.tree import Said, grown, result
from services.generations.registry import Generations
from services.manner import KNOBS, Manner, read, written
from services.messages import Image, Options, Part, Reply, Text, ToolResult, Turn
from services.store.store import Store
from services.talks.naming import named_after
from services.talks.tree import Tree
from services.talks.watchers import Watchers


class Adopting:
    def __init__(self, store: Store, generations: Generations, tree: Tree, watchers: Watchers) -> None:
        self._store = store
        self._generations = generations
        self._tree = tree
        self._watchers = watchers

    async def adopt(self, generation: str) -> str:
        """The id of the conversation. Raises NotFound, Gone, NotSaved, and Conflict while it runs or when the conversation was deleted."""
        await self._generations.recall(generation)
        turn, reply = self._generations.turn(generation), self._generations.reply(generation)
        if reply.state in ("waiting", "streaming"):
            raise Conflict("This reply is still running. Stop it, or wait for its end.")
        conversation = turn.conversation or identity(generation, "conversation")
        if known := await self._store.get(conversation):
            if known.deleted or conversation in self._tree.deleted:
                raise Conflict("Its conversation was deleted.")
            return conversation
        said = _said(turn, reply)
        found = grown(conversation, said, said[-1].id, reply.created)
        asked = next((message.text for message in turn.messages if message.role == "user" and message.text.strip()), turn.model)
        made = Conversation(
            conversation,
            named_after(asked),
            reply.created,
            reply.created,
            turn.model,
            found.shown,
            manner=written(_manner(turn)),
            owner=turn.owner,
        )
        await self._store.create(made, found.nodes)
        self._watchers.tell(conversation)
        return conversation


def _said(turn: Turn, reply: Reply) -> list[Said]:
    """In a row. What tools answered is kept in the answer that called them."""
    told = [
        Said("", None, "question", tuple(part for part in message.parts if isinstance(part, Text | Image)))
        if message.role == "user"
        else Said("", None, "answer", tuple(map(_kept, message.parts)), turn.model)
        for message in turn.messages
        if message.role != "system"
    ]
    last = Said("", None, "answer", reply.parts, turn.model, reply.created, reply.state, reply.reason, reply.problem, reply.usage)
    return [
        msgspec.structs.replace(said, id=str(number), parent=str(number - 1) if number else None)
        for number, said in enumerate([*told, last])
    ]


def _kept(part: Part) -> Part:
    return result(part.name or "", part.text, failed=part.failed) if isinstance(part, ToolResult) else part


def _manner(turn: Turn) -> Manner:
    """What a person can set as well; the rest of what a program wanted ends with its request."""
    system = "\n\n".join(message.text for message in turn.messages if message.role == "system")
    options = {name: getattr(turn.options, name) for name in KNOBS}
    return read(written(Manner(system, Options(**options))))
