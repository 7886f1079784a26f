"""What was said in a foreign conversation, however its links lie, as nodes: parents before children, every node once.

One answer there may be many messages: a thought, a call of a tool, its result, a text. They become one node as long as
nothing branches off between them. What says nothing gives its children to its parent. A parent that is not there, or a
ring of parents, makes a new beginning.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from services.conversations import Node
from services.events import Reason, Usage
from services.exchange.loose import identity
from services.messages import Attachment, Message, Part, Problem, Reply, ReplyState, Text


class Said(msgspec.Struct, frozen=True):
    """One message of a foreign conversation. `at` is in Unix seconds."""

    id: str
    parent: str | None
    role: Literal["question", "answer", "nothing"]
    parts: tuple[Part, ...] = ()
    model: str = ""
    at: float | None = None
    state: ReplyState = "finished"
    reason: Reason | None = None
    problem: Problem | None = None
    usage: Usage | None = None


class Grown(msgspec.Struct, frozen=True):
    """`shown` is the node that the message to be shown became a part of."""

    nodes: tuple[Node, ...]
    shown: str | None
    model: str
    notes: tuple[str, ...]


class _Draft:
    """A node while messages are added to it."""

    __slots__ = ("id", "parent", "parts", "said")

    def __init__(self, id: str, parent: str | None, said: Said) -> None:
        self.id = id
        self.parent = parent
        self.said = said
        self.parts = list(said.parts)

    def add(self, said: Said) -> None:
        self.parts += said.parts
        self.said = msgspec.structs.replace(
            said, model=said.model or self.said.model, at=self.said.at or said.at, usage=said.usage or self.said.usage
        )

    def node(self, created: float) -> Node:
        said = self.said
        if said.role == "question":
            return Node(self.id, self.parent, Message("user", tuple(self.parts)))
        generation = identity(self.id, "generation")
        reason = said.reason or ("stop" if said.state == "finished" else None)
        reply = Reply(
            generation, said.model, int(said.at or created), said.state, 0, tuple(self.parts), said.usage, reason, problem=said.problem
        )
        return Node(self.id, self.parent, generation=generation, reply=reply)


def grown(conversation: str, told: Sequence[Said], shown: str | None, created: float) -> Grown:
    """The nodes of a conversation. Their ids follow from its id and theirs. `created` is for answers without a time."""
    known: dict[str, Said] = {}
    for said in told:
        known.setdefault(said.id, said)
    below: dict[str | None, list[Said]] = {}
    for said in known.values():
        below.setdefault(said.parent if said.parent in known else None, []).append(said)
    lost = sum(said.parent is not None and said.parent not in known for said in known.values())

    drafts: dict[str, _Draft] = {}
    places: dict[str, _Draft | None] = {}  # by the id of a message: what it became a part of
    rings = 0
    for first in [*below.get(None, ()), *known.values()]:
        if first.id in places:
            continue
        rings += first.parent in known
        _grow(conversation, first, below, drafts, places)

    nodes = tuple(draft.node(created) for draft in drafts.values())
    place = places.get(shown or "")
    last = place or next(reversed(drafts.values()), None)
    return Grown(nodes, last.id if last else None, _model(drafts, last), _notes(len(told) - len(known), lost, rings))


def _grow(
    conversation: str,
    first: Said,
    below: dict[str | None, list[Said]],
    drafts: dict[str, _Draft],
    places: dict[str, _Draft | None],
) -> None:
    """Everything below a message that no other begins with. `goes_on`: nothing has branched off since the draft's last message."""
    left: list[tuple[Said, _Draft | None, bool]] = [(first, None, False)]
    while left:
        said, above, goes_on = left.pop()
        if said.id in places:
            continue
        if said.role == "nothing":
            here, may = above, goes_on
        elif said.role == "answer" and above is not None and goes_on:
            above.add(said)
            here, may = above, True
        else:
            here, may = _Draft(identity(conversation, said.id), above.id if above else None, said), said.role == "answer"
            drafts[here.id] = here
        places[said.id] = here
        children = below.get(said.id, [])
        left += [(child, here, may and len(children) == 1) for child in reversed(children)]


def _model(drafts: dict[str, _Draft], last: _Draft | None) -> str:
    """The model that answered last on the branch."""
    while last is not None:
        if last.said.role == "answer" and last.said.model:
            return last.said.model
        last = drafts.get(last.parent or "")
    return ""


def _notes(twice: int, lost: int, rings: int) -> tuple[str, ...]:
    said = (
        (twice, "message with the id of another one was left out", "messages with the ids of others were left out"),
        (lost, "message starts anew: the one before it is not in the file", "messages start anew: those before them are not in the file"),
        (rings, "message starts anew: it comes before itself", "messages start anew: they come before themselves"),
    )
    return tuple(f"{number} {one if number == 1 else many}." for number, one, many in said if number)


def question(*texts: str) -> tuple[Part, ...]:
    """What a person said, as one text."""
    whole = "\n\n".join(text for text in texts if text.strip())
    return (Text(whole),) if whole else ()


def result(name: str, text: str, *, failed: bool = False) -> Attachment:
    """What a tool answered. Kept and exported; no model is told of it again, as no call without its result may be sent."""
    value: dict[str, object] = {"tool_result": text, "name": name}
    return Attachment("opaque", value | ({"failed": True} if failed else {}))
