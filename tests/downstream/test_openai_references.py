"""References to items of earlier answers: the item itself stands there, or the sentence says why not."""

from typing import Any

import pytest

from services.downstream.openai_responses import snapshot
from services.downstream.openai_responses_references import generation, referred, resolved
from services.downstream.openai_responses_turns import turn
from services.errors import Invalid, NotFound
from services.events import Event, Finished, PartDelta, PartFinished, PartStarted
from services.messages import Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from tests.downstream.stories import STARTED, reply

ID = STARTED.generation
ANSWER: list[Event] = [
    PartStarted(0, "reasoning", form="plain"),
    PartDelta(0, "Hm."),
    PartFinished(0, side={"signature": "s"}),
    PartStarted(1, "reasoning", form="encrypted"),
    PartFinished(1, side={"redacted": "r"}),
    PartStarted(2, "text"),
    PartDelta(2, "I ask."),
    PartFinished(2, side={"thought_signature": "t"}),
    PartStarted(3, "tool_call", "call_1", "f"),
    PartDelta(3, '{"a":1}'),
    PartFinished(3, {"a": 1}, {"thought_signature": "u"}),
    PartStarted(4, "refusal"),
    PartDelta(4, "No."),
    PartFinished(4),
    Finished("tool_calls"),
]
OUTPUT: list[dict[str, Any]] = snapshot(reply(*ANSWER), {})["output"]
QUESTION = {"role": "user", "content": "Go."}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "done"}


def reference(id: object, **more: object) -> dict[str, Any]:
    return {"type": "item_reference", "id": id, **more}


def read(*items: object) -> dict[str, Any]:
    body = {"model": "m", "input": list(items)}
    return dict(resolved(body, referred(body), {ID: OUTPUT}))


def test_a_reference_is_its_item() -> None:
    referring = read(QUESTION, *(reference(item["id"]) for item in OUTPUT), RESULT)
    assert referring == {"model": "m", "input": [QUESTION, *OUTPUT, RESULT]}
    side: dict[str, object] = {"extra_content": {"google": {"thought_signature": "t"}}, "thought_signature": "t"}
    call: dict[str, object] = {"extra_content": {"google": {"thought_signature": "u"}}, "thought_signature": "u"}
    assert turn(referring).messages == (
        Message("user", (Text("Go."),)),
        Message(
            "assistant",
            (
                Reasoning("Hm.", "plain", {"signature": "s"}),
                Reasoning("", "encrypted", {"redacted": "r"}),
                Text("I ask.", side),
                ToolCall("call_1", "f", '{"a":1}', {"a": 1}, call),
                Refusal("No."),
            ),
        ),
        Message("tool", (ToolResult("call_1", "done"),)),
    )


def test_references_and_items_keep_their_places() -> None:
    thought, _, text, call, _ = OUTPUT
    assert read(QUESTION, reference(thought["id"]), text, reference(call["id"]), RESULT, QUESTION)["input"] == [
        *(QUESTION, thought, text, call, RESULT, QUESTION)
    ]


@pytest.mark.parametrize("bare", [{}, {"type": None}])
def test_a_type_may_be_missing(bare: dict[str, Any]) -> None:
    assert read({**bare, "id": OUTPUT[2]["id"]})["input"] == [OUTPUT[2]]


@pytest.mark.parametrize(
    ("id", "named"),
    [(OUTPUT[0]["id"], ID), (OUTPUT[3]["id"], ID), ("msg_68af", ""), ("", ""), ("msg__0", ""), ("a_b_c_d", ""), (f"resp_{ID}", "")],
)
def test_an_id_names_its_generation(id: str, named: str) -> None:
    assert generation(id) == named


@pytest.mark.parametrize("id", ["msg_68af", "", f"msg_{ID}_9", f"rs_{ID}_2", f"msg_{ID}_02", f"msg_{ID}_", f"msg_{ID[1:]}_2"])
def test_an_item_that_is_not_known(id: str) -> None:
    with pytest.raises(NotFound) as refused:
        read(QUESTION, reference(id))
    assert refused.value.message == (
        f"`input[1]` refers to the item {id!r}, which is not known here, or not any more: send the item itself. "
        "SDKs do so with `store: false`."
    )


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([reference(7)], "`input[0].id`"),
        ([{"type": "item_reference"}], "`input[0]`"),
        ([reference("x", odd=1)], "odd"),
        ([{"id": "x", "content": "y"}], "content"),
        ([QUESTION, reference("x"), reference("x")], "`input[2]` refers to the same item as `input[1]`"),
    ],
)
def test_what_is_no_reference_is_refused_by_name(items: list[Any], words: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(*items)
    assert words in refused.value.message


@pytest.mark.parametrize("given", [None, "Hello", 7, {"type": "item_reference", "id": "x"}, [], [7, None, "x", [], QUESTION, RESULT]])
def test_what_refers_to_nothing_is_left_alone(given: object) -> None:
    assert referred({"input": given}) == {}
    assert referred({}) == {}
