"""What a conversation is: a tree of questions and answers, of which one branch is shown. Pure values."""

from collections.abc import Sequence

import msgspec

from services.messages import Message, Reply


class Node(msgspec.Struct, frozen=True):
    """One message in the tree of a conversation: a question (`message`) or an answer to its parent (`generation`).

    An answer that still runs, or whose log is still kept, has a `generation`; `reply` is set when it has ended.
    """

    id: str
    parent: str | None
    message: Message | None = None
    generation: str | None = None
    reply: Reply | None = None


class Conversation(msgspec.Struct, frozen=True):
    """Times are Unix seconds, for display and order only."""

    id: str
    title: str
    created: float
    updated: float
    model: str


def path(nodes: Sequence[Node]) -> list[Node]:
    """The branch that is shown: from the first question to the node added last."""
    by_id = {node.id: node for node in nodes}
    branch: list[Node] = []
    here = nodes[-1] if nodes else None
    while here is not None:
        branch.append(here)
        here = by_id.get(here.parent) if here.parent else None
    return branch[::-1]
