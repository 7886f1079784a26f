"""What a node says, as one row keeps it: JSON with the version of its shape, so that a later Headrace reads what an older one wrote.

A new shape is a new struct with the next tag, a line in _Row, and its case in `unpacked`. Shapes are never changed otherwise than
by fields with a default.
"""

from collections.abc import Callable

import msgspec

from services.conversations import Node, cleaned
from services.messages import Message, Part, Reasoning, Refusal, Reply, Text


class _Row1(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="v", tag=1):
    message: Message | None = None
    reply: Reply | None = None
    said: tuple[Part, ...] = ()


_Row = _Row1
_decoder = msgspec.json.Decoder(_Row)


def packed(node: Node) -> bytes:
    """Never raises because of what a model or a person wrote."""
    row = _Row1(node.message, node.reply, node.said)
    try:
        body = msgspec.json.encode(row)
    except UnicodeEncodeError:
        return msgspec.json.encode(_walked(msgspec.to_builtins(row), cleaned))
    except RecursionError:  # nested too deeply: the words are kept
        return packed(msgspec.structs.replace(node, said=_words(node.said), reply=node.reply and _only_words(node.reply)))
    return msgspec.json.encode(_walked(msgspec.json.decode(body), cleaned)) if b"\\u0000" in body else body


def unpacked(id: str, parent: str | None, generation: str | None, body: object) -> Node:
    """A damaged node for what is not such a row."""
    try:
        row = _decoder.decode(body if isinstance(body, bytes) else b"")
    except (ValueError, RecursionError):
        return Node(id, parent, generation=generation, damaged=True)
    if (row.message is None) == (generation is None):
        return Node(id, parent, generation=generation, damaged=True)
    return Node(id, parent, row.message, generation, row.reply, row.said)


def _walked(value: object, change: Callable[[str], str]) -> object:
    match value:
        case str():
            return change(value)
        case dict():
            return {change(str(name)): _walked(each, change) for name, each in value.items()}
        case list() | tuple():
            return [_walked(each, change) for each in value]
    return value


def _words(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(msgspec.structs.replace(part, side=None) for part in parts if isinstance(part, Text | Reasoning)) + tuple(
        part for part in parts if isinstance(part, Refusal)
    )


def _only_words(reply: Reply) -> Reply:
    return msgspec.structs.replace(reply, parts=_words(reply.parts))
