"""Headrace's own JSON, both ways: the whole tree with all parts, side data, usage and times. Nothing is lost.

    [{"headrace": 1, "conversation": {...}, "nodes": [{...}, ...]}, ...]

A new shape gets the next number, and a reader that knows the older ones too. docs/exchange.md describes it for others.
Conversations and messages keep their ids if those are of Headrace's form; others get ids that follow from theirs.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from services.conversations import Conversation, Node, attached
from services.errors import Invalid
from services.exchange import loose
from services.exchange.loose import Object, identity, items, mapping
from services.messages import Part, Reasoning, Text

VERSION = 1
ID = re.compile(r"[0-9a-f]{32}")
LONGEST = 200  # characters of a title
FOLDER = 60  # characters of a folder's name
MANNER = 200_000  # characters of a manner: its system prompt and what is around it


def told(conversation: Conversation, nodes: Sequence[Node], files: Mapping[str, bytes] | None = None) -> bytes:
    """One conversation, with those of its files that are given by their hashes. Never raises because of what a model or a person wrote."""
    said = b",\n".join(map(_node, nodes))
    its = {hash: body for hash in sorted(attached(nodes)) if (body := (files or {}).get(hash)) is not None}
    more = b',"files":%s' % msgspec.json.encode(its) if its else b""
    return b'{"headrace":%d,"conversation":%s,"nodes":[\n%s\n]%s}' % (VERSION, _encoded(conversation), said, more)


def written(talks: Iterable[tuple[Conversation, Sequence[Node]]], files: Mapping[str, bytes] | None = None) -> Iterator[bytes]:
    """A file of any number of conversations, in pieces."""
    before = b"["
    for conversation, nodes in talks:
        yield before + told(conversation, nodes, files)
        before = b",\n"
    yield b"[]\n" if before == b"[" else b"]\n"


def _node(node: Node) -> bytes:
    try:
        return _encoded(node)
    except RecursionError:  # no store keeps what is nested so deeply: the words are kept
        reply = node.reply and msgspec.structs.replace(node.reply, parts=_words(node.reply.parts))
        return _encoded(msgspec.structs.replace(node, said=_words(node.said), reply=reply))


def _words(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(msgspec.structs.replace(part, side=None) for part in parts if isinstance(part, Text | Reasoning))


def _encoded(value: Conversation | Node) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(loose.walked(msgspec.to_builtins(value)))


def read(value: Object, now: float) -> tuple[Conversation, tuple[Node, ...], tuple[str, ...]]:
    """A conversation, its nodes with parents before their children, and what is to be said. Raises Invalid."""
    if value.get("headrace") != VERSION:
        raise Invalid("It was written by a later version of Headrace.")
    about = mapping(value.get("conversation"))
    name = loose.name(about.get("id"))
    if name is None:
        raise Invalid("It has no id.")
    known: dict[str, Node] = {}
    broken = 0
    for each in items(value.get("nodes")):
        try:
            node = msgspec.convert(loose.walked(each), Node)
        except (ValueError, RecursionError):
            broken += 1
            continue
        if not _whole(node) or node.id in known:
            broken += 1
        else:
            known[node.id] = node
    id = name if ID.fullmatch(name) else identity("headrace", name)
    nodes, loosened = _ordered(id, known)
    created = loose.seconds(about.get("created"), now) or now
    shown = about.get("shown")
    conversation = Conversation(
        id,
        " ".join(loose.text(about.get("title")).split())[:LONGEST],
        created,
        max(loose.seconds(about.get("updated"), now) or created, created),
        loose.text(about.get("model")),
        _own(id, shown) if isinstance(shown, str) and shown in known else (nodes[-1].id if shown and nodes else None),
        about.get("pinned") is True,
        " ".join(loose.text(about.get("folder")).split())[:FOLDER],
        about.get("archived") is True,
        about.get("named") is True,
        loose.text(about.get("manner"))[:MANNER],
    )
    notes = []
    if broken:
        notes.append(f"{broken} message{'s' * (broken > 1)} could not be read and {'were' if broken > 1 else 'was'} left out.")
    if loosened:
        notes.append(f"{loosened} message{'s' * (loosened > 1)} could not be linked to a predecessor.")
    return conversation, nodes, tuple(notes)


def files(value: Object) -> tuple[bytes, ...]:
    """The attached files that are in it. Who takes one sees by its bytes what it is."""
    found = []
    for body in mapping(value.get("files")).values():
        with suppress(ValueError):
            found.append(base64.b64decode(body, validate=True) if isinstance(body, str) else b"")
    return tuple(filter(None, found))


def _whole(node: Node) -> bool:
    """A question or an answer, or known to be damaged."""
    return bool(node.id) and (node.damaged or (node.message is None) != (node.generation is None))


def _own(conversation: str, id: str) -> str:
    return id if ID.fullmatch(id) else identity(conversation, id)


def _ordered(conversation: str, known: dict[str, Node]) -> tuple[tuple[Node, ...], int]:
    """The nodes in their order; one that stands before its parent, or whose parent is missing, is a beginning."""
    found: dict[str, Node] = {}
    loosened = 0
    for node in known.values():
        parent = node.parent if node.parent in found else None
        loosened += parent != node.parent
        found[node.id] = node
        known[node.id] = msgspec.structs.replace(
            node, id=_own(conversation, node.id), parent=None if parent is None else _own(conversation, parent)
        )
    return tuple(known.values()), loosened
