"""What a conversation is: a tree of questions and answers, of which one branch is shown. Pure values.

    question ── answer ── question ── answer         what was asked and answered
             └─ answer                               regenerated: another answer to the same question
    question ── answer                               edited: another question in the same place

A branch ends in the node that `Conversation.shown` names: in a question, if several models have answered it and none was kept
yet. One answer may be the work of several generations: one that was cut off and continued keeps its node, what was said before
in `said`, and the generation that goes on from there.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypedDict, cast

import msgspec

from services.messages import File, Message, Part, Reasoning, Refusal, Reply, Text, ToolCall
from services.persons import LOCAL


class Node(msgspec.Struct, frozen=True):
    """One message in the tree of a conversation: a question (`message`) or an answer to its parent (`generation`).

    `reply` is what the generation said; it is stored once that has ended, and its first parts go on from the last of `said`.
    `damaged`: what was stored cannot be read. Its place in the tree is known, what it said is not.
    """

    id: str
    parent: str | None
    message: Message | None = None
    generation: str | None = None
    reply: Reply | None = None
    said: tuple[Part, ...] = ()
    damaged: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of an answer, as one message."""
        return joined(self.said, self.reply.parts if self.reply else ())

    @property
    def whole(self) -> Reply | None:
        """The reply with all of the answer in it."""
        return msgspec.structs.replace(self.reply, parts=self.parts) if self.reply and self.said else self.reply

    @property
    def may_go_on(self) -> bool:
        """The answer was cut off, by whatever, and there is text to go on from."""
        if self.reply is None or not any(isinstance(part, Text) and part.text.strip() for part in self.parts):
            return False
        return self.reply.state in ("stopped", "failed", "interrupted") or self.reply.reason == "length"


class Conversation(msgspec.Struct, frozen=True):
    """Times are Unix seconds, for display and order only. `shown` is the last node of the branch that is shown.

    `folder` is its name, "" for none. `named`: the title was given by a person, and no other may replace it. `manner` is how its
    questions are asked, as JSON, "" for as usual. `deleted`: nobody sees it any more; it goes unless that is undone in time.
    `queue` are messages that wait until its answer has ended, as JSON. `owner` is the id of the person whose it is, and never changes.
    """

    id: str
    title: str
    created: float
    updated: float
    model: str
    shown: str | None = None
    pinned: bool = False
    folder: str = ""
    archived: bool = False
    named: bool = False
    manner: str = ""
    deleted: bool = False
    queue: str = ""
    owner: str = LOCAL


class Changes(TypedDict, total=False):
    """What may be changed of a conversation, by its name there. What is not given stays."""

    title: str
    model: str
    shown: str
    updated: float
    pinned: bool
    folder: str
    archived: bool
    named: bool
    manner: str
    deleted: bool
    queue: str


def clean(conversation: Conversation) -> Conversation:
    """The same with its texts cleaned, as stores keep them."""
    given = msgspec.structs.asdict(conversation)
    return msgspec.structs.replace(conversation, **{name: cleaned(value) for name, value in given.items() if isinstance(value, str)})


def changed(changes: Changes) -> Changes:
    texts = {name: cleaned(value) for name, value in changes.items() if isinstance(value, str)}
    return cast(Changes, {**changes, **texts})


class Branch(NamedTuple):
    """What is shown of a conversation. `siblings` are, of each node that has any, the ids in its place, itself among them.

    `beside` are the answers of several models to the question in which the branch ends, while none of them has been kept.
    """

    conversation: Conversation
    nodes: list[Node]
    siblings: dict[str, tuple[str, ...]]
    beside: tuple[Node, ...] = ()


def branch(conversation: Conversation, nodes: Sequence[Node]) -> Branch:
    answers = [node for node in nodes if node.parent is not None and node.parent == conversation.shown and node.generation]
    shown = path(nodes, answers[0].id if len(answers) == 1 else conversation.shown)  # of several the others may have been deleted
    places: dict[str | None, list[str]] = {}
    for node in nodes:
        places.setdefault(node.parent, []).append(node.id)
    siblings = {node.id: tuple(ids) for node in shown if len(ids := places[node.parent]) > 1}
    return Branch(conversation, shown, siblings, beside(conversation, nodes))


def beside(conversation: Conversation, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The answers among which nobody has chosen: there are several, and the branch ends in their question. Else none."""
    answers = tuple(node for node in nodes if node.parent is not None and node.parent == conversation.shown and node.generation)
    return answers if len(answers) > 1 else ()


def path(nodes: Sequence[Node], tip: str | None = None) -> list[Node]:
    """From the first question to the node `tip`, or to the one added last. Ends where a parent is missing or comes again."""
    left = {node.id: node for node in nodes}
    here = left.pop(tip or "", None) or (left.pop(nodes[-1].id) if nodes else None)
    branch: list[Node] = []
    while here is not None:
        branch.append(here)
        here = left.pop(here.parent, None) if here.parent else None
    return branch[::-1]


def tip(nodes: Sequence[Node], id: str) -> str:
    """The end of the branch through a node that grew last."""
    below = {id}
    for node in nodes:  # parents come before their children
        if node.parent in below:
            below.add(node.id)
            id = node.id
    return id


def joined(said: tuple[Part, ...], more: tuple[Part, ...]) -> tuple[Part, ...]:
    """An answer and its continuation as the parts of one message: a text that was cut in the middle is one text again.

    What the model thought before it went on stands before that text, as what it thought before it began does.
    """
    if not said or not isinstance(last := said[-1], Text):
        return (*said, *more)
    at = next((number for number, part in enumerate(more) if not isinstance(part, Reasoning)), len(more))
    if at == len(more) or not isinstance(goes_on := more[at], Text):
        return (*said, *more)
    side = {**(last.side or {}), **(goes_on.side or {})} or None
    return (*said[:-1], *more[:at], Text(last.text + goes_on.text, side), *more[at + 1 :])


def attached(nodes: Iterable[Node]) -> set[str]:
    """The hashes of the files that these questions have."""
    return {part.hash for node in nodes if node.message for part in node.message.parts if isinstance(part, File)}


def contribution(node: Node) -> Message | None:
    """What a node says in the next turn, None for nothing: an answer that failed before its first word, a damaged message.

    A call of a tool that nobody answered is left out: here no tools are run, and no model server takes one without its result.
    """
    if node.message is not None:
        return node.message
    parts = tuple(part for part in node.parts if not isinstance(part, ToolCall))
    return Message("assistant", parts) if any(isinstance(part, Text | Refusal) for part in parts) else None


def used(nodes: Sequence[Node]) -> int:
    """About how many tokens a branch has: what the last server said that told, and a quarter of the characters since."""
    tokens = 0
    for node in nodes:
        usage = node.reply.usage if node.reply else None
        if usage and usage.output_tokens is not None and (usage.total_tokens or usage.input_tokens is not None):
            tokens = usage.total_tokens or (usage.input_tokens or 0) + usage.output_tokens
            continue
        parts = node.message.parts if node.message else node.parts
        characters = sum(len(part.text) for part in parts if isinstance(part, Text | Reasoning))
        tokens += -(-(characters + sum(part.characters for part in parts if isinstance(part, File))) // 4)
    return tokens


def cleaned(text: str) -> str:
    """Without what no store and no model server takes: NUL and halves of characters become U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
