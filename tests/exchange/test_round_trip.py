"""Headrace's own JSON: whatever went out comes back, and equal."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.conversations import Conversation, Node
from services.errors import Invalid
from services.exchange.exporting import exported
from services.exchange.headrace import VERSION, told, written
from services.exchange.importing import Imported, Skipped, imported
from services.messages import Message, Reply, Text, ToolCall
from tests.exchange.conversations import FILES, MILL, NOW, TREE, id


def back(*pieces: bytes) -> list[Imported | Skipped]:
    return list(imported(pieces, NOW))


def test_what_was_exported_comes_back() -> None:
    assert back(exported("headrace", [(MILL, TREE)]).body) == [Imported("headrace", MILL, TREE)]


@settings(max_examples=60)
@given(FILES, st.integers(1, 9999))
def test_any_tree_comes_back_however_the_file_is_cut(several: tuple[tuple[Conversation, tuple[Node, ...]], ...], size: int) -> None:
    body = b"".join(written(several))
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    assert back(*pieces) == [Imported("headrace", conversation, nodes) for conversation, nodes in several]


def test_no_conversations_are_a_file_too() -> None:
    assert json.loads(b"".join(written([]))) == []


def test_what_has_halves_of_characters_or_is_too_deep_is_written_as_far_as_it_goes() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    reply = Reply(id(9), "m\ud800", 1, "finished", 3, (Text("words", {"x": deep}), ToolCall("t", "f", "{}", deep)))
    (found,) = back(
        told(MILL, [Node(id(2), None, Message("user", (Text("a\0\udfff"),))), Node(id(3), id(2), generation=id(9), reply=reply)])
    )
    assert isinstance(found, Imported)
    assert found.nodes[0].message == Message("user", (Text("a\ufffd\ufffd"),))
    assert found.nodes[1].parts == (Text("words"),)


def test_a_later_version_is_refused_by_name() -> None:
    later = told(MILL, TREE).replace(b'"headrace":%d' % VERSION, b'"headrace":%d' % (VERSION + 1))
    assert back(later) == [Skipped("headrace", "", "It was written by a later version of Headrace.")]


def test_what_cannot_be_read_is_left_out_and_said() -> None:
    value = json.loads(told(MILL, TREE))
    value["nodes"][1]["reply"]["state"] = "dreaming"
    (found,) = back(json.dumps(value).encode())
    assert isinstance(found, Imported)
    assert [node.id for node in found.nodes] == [node.id for node in TREE if node.id != id(3)]
    assert found.nodes[1].parent is None
    assert found.notes == ("1 message could not be read and was left out.", "1 message could not be linked to a predecessor.")


def test_foreign_ids_become_ours_and_always_the_same() -> None:
    value = json.loads(told(MILL, TREE[:2]))
    value["conversation"] |= {"id": "../../etc", "shown": "b"}
    value["nodes"][0]["id"], value["nodes"][1]["id"], value["nodes"][1]["parent"] = "a", "b", "a"
    body = json.dumps(value).encode()
    (found,) = back(body)
    assert isinstance(found, Imported)
    assert [found] == back(body)
    assert all(len(each) == 32 and int(each, 16) for each in (found.conversation.id, *(node.id for node in found.nodes)))
    assert found.nodes[1].parent == found.nodes[0].id
    assert found.conversation.shown == found.nodes[1].id


def test_no_message_of_one_conversation_gets_into_another() -> None:
    other = Conversation(id(99), "Other", 1.0, 1.0, "m")
    assert back(b"".join(written([(MILL, TREE), (other, TREE[:1]), (MILL, ())])))[1:] == [
        Skipped("headrace", "Other", "It has messages of another conversation in the file."),
        Skipped("headrace", MILL.title, "It is in the file twice; the first one was taken."),
    ]


def test_a_file_without_a_conversation_is_invalid() -> None:
    with pytest.raises(Invalid, match="No conversation was found"):
        back(b"[]")
