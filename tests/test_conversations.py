"""The tree of a conversation, and what a continued answer is as one message. Pure values, also where they make no sense."""

import pytest

from services.conversations import Conversation, Node, branch, cleaned, contribution, joined, path, tip
from services.messages import Message, Part, Reasoning, Refusal, Reply, Text, ToolCall


def tree(*edges: tuple[str, str | None]) -> list[Node]:
    return [Node(id, parent, Message("user", (Text(id),))) for id, parent in edges]


TREE = tree(("a", None), ("b", "a"), ("c", "b"), ("d", "a"), ("e", None))


@pytest.mark.parametrize(("end", "shown"), [("c", "abc"), ("d", "ad"), ("e", "e"), (None, "e"), ("nobody", "e")])
def test_a_path_leads_from_the_first_question_to_its_end(end: str | None, shown: str) -> None:
    assert "".join(node.id for node in path(TREE, end)) == shown


@pytest.mark.parametrize(
    ("nodes", "shown"),
    [
        ([], ""),
        (tree(("a", "a")), "a"),
        (tree(("a", "b"), ("b", "a")), "ab"),
        (tree(("a", "gone"), ("b", "a")), "ab"),
    ],
    ids=["none", "itself", "circle", "orphan"],
)
def test_a_tree_that_was_spoiled_still_has_a_path(nodes: list[Node], shown: str) -> None:
    assert "".join(node.id for node in path(nodes)) == shown


def test_siblings_are_told_of_what_is_shown() -> None:
    shown = branch(Conversation("", "", 0, 0, "", "c"), TREE)
    assert shown.siblings == {"a": ("a", "e"), "b": ("b", "d")}


@pytest.mark.parametrize(("through", "end"), [("a", "d"), ("b", "c"), ("c", "c"), ("e", "e")])
def test_a_branch_ends_where_it_grew_last(through: str, end: str) -> None:
    assert tip(TREE, through) == end


A, B, THOUGHT, CALL = Text("a"), Text("b"), Reasoning("hm"), ToolCall("1", "f", "{}", {})
JOINED: list[tuple[tuple[Part, ...], tuple[Part, ...], tuple[Part, ...]]] = [
    ((), (B,), (B,)),
    ((A,), (), (A,)),
    ((A,), (B,), (Text("ab"),)),
    ((THOUGHT, A), (THOUGHT, B, CALL), (THOUGHT, THOUGHT, Text("ab"), CALL)),
    ((A,), (CALL, B), (A, CALL, B)),
    ((A,), (THOUGHT,), (A, THOUGHT)),
    ((CALL,), (B,), (CALL, B)),
    ((Text("a", {"x": 1}),), (Text("b", {"y": 2}),), (Text("ab", {"x": 1, "y": 2}),)),
]


@pytest.mark.parametrize(("said", "more", "whole"), JOINED)
def test_a_text_that_was_cut_is_one_text_again(said: tuple[Part, ...], more: tuple[Part, ...], whole: tuple[Part, ...]) -> None:
    assert joined(said, more) == whole


def answer(*parts: Part) -> Node:
    return Node("n", "q", generation="g", reply=Reply("g", "m", 1, "finished", 2, parts))


def test_what_an_answer_says_in_the_next_turn() -> None:
    assert contribution(answer()) is None
    assert contribution(answer(THOUGHT)) is None
    assert contribution(answer(CALL)) is None
    assert contribution(answer(THOUGHT, A, CALL)) == Message("assistant", (THOUGHT, A))
    assert contribution(answer(Refusal("no"))) == Message("assistant", (Refusal("no"),))
    assert contribution(Node("n", None, damaged=True)) is None


@pytest.mark.parametrize(
    ("text", "clean"), [("plain", "plain"), ("a\0b", "a\ufffdb"), ("\ud83d\ude00 \ud800", "😀 \ufffd"), ("水車", "水車")]
)
def test_cleaned(text: str, clean: str) -> None:
    assert cleaned(text) == clean
