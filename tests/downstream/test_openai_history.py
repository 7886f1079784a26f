"""What was said before, as OpenAI's clients send it back: it is the Turn that was, and keeps what servers want back."""

import json
from typing import Any

import pytest

from services.downstream import WRITERS
from services.downstream.openai_responses_turns import continued
from services.errors import Invalid
from services.events import Event, Finished, PartDelta, PartFinished, PartStarted
from services.messages import Attachment, Image, Message, Reasoning, Refusal, Text, ToolCall, ToolResult, Turn
from tests.downstream.stories import reply


def responses(input: Any = "Hello", **body: Any) -> Turn:
    return WRITERS["openai_responses"].turn({"input": input, **body})


# A chat


def said(*messages: dict[str, Any]) -> tuple[Message, ...]:
    return WRITERS["openai_chat"].turn({"messages": list(messages)}).messages


def test_a_tool_loop_goes_back() -> None:
    call = {"id": "c", "type": "function", "index": 0, "function": {"name": "f", "arguments": '{"a":1}'}, "extra_content": {"x": 1}}
    assert said(
        {"role": "assistant", "content": None, "reasoning": "Hm", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]},
    ) == (
        Message("assistant", (Reasoning("Hm"), ToolCall("c", "f", '{"a":1}', {"a": 1}, {"extra_content": {"x": 1}}))),
        Message("tool", (ToolResult("c", "12"),)),
    )


def test_images_and_refusals_go_back() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}}
    own = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    assert said({"role": "user", "content": [image]})[0].parts == (Image("data:image/png;base64,QUJD", "low"),)
    assert said({"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}], "images": [own]})[0].parts == (
        Refusal("No."),
        Attachment("image", {"url": "data:image/png;base64,QUJD"}),
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}]}, "'input_audio'"),
        ({"role": "user", "content": [{"type": "file", "file": {"file_id": "x"}}]}, "'file'"),
        ({"role": "user", "content": [{"type": "text", "text": "x", "odd": 1}]}, "odd"),
        (
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "custom", "custom": {}}]},
            "tool_calls[0] of type 'custom'",
        ),
        ({"role": "tool", "tool_call_id": "c", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}, "can only be text"),
        ({"role": "function", "name": "f", "content": "x"}, "messages[0].role"),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": ""}}, "function_call"),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused_by_name(message: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as refused:
        said(message)
    assert words in refused.value.message


# There and back: what a server wants back with its own words survives a client


ANSWERS: list[list[Event]] = [
    [PartStarted(0, "reasoning"), PartDelta(0, "Hm"), PartFinished(0)],
    [PartStarted(0, "reasoning"), PartDelta(0, "Hm"), PartFinished(0, side={"signature": "s"})],
    [PartStarted(0, "reasoning", form="encrypted"), PartFinished(0, side={"redacted": "data"})],
    [PartStarted(0, "reasoning", form="summary"), PartDelta(0, "Hm"), PartFinished(0, side={"id": "rs_1", "encrypted_content": "e"})],
    [PartStarted(0, "reasoning", form="encrypted"), PartFinished(0, side={"id": "rs_1", "encrypted_content": "e"})],
    [
        PartStarted(0, "reasoning"),
        PartDelta(0, "Hm"),
        PartFinished(0, side={"reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}),
    ],
]
REST: list[Event] = [
    PartStarted(1, "text"),
    PartDelta(1, "I ask."),
    PartFinished(1),
    PartStarted(2, "tool_call", "c", "f"),
    PartDelta(2, "{}"),
    PartFinished(2, {}, {"thought_signature": "t"}),
    Finished("tool_calls"),
]


def missing(part: Any, back: Any) -> set[str]:
    """What of a part's side did not come back."""
    return {name for name, value in (part.side or {}).items() if (back.side or {}).get(name) != value}


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_chat_gives_back_what_it_got(answer: list[Event]) -> None:
    told = reply(*answer, *REST)
    message = json.loads(WRITERS["openai_chat"].whole(told, {}))["choices"][0]["message"]
    (back,) = said(message)
    assert [type(part) for part in back.parts] == [type(part) for part in told.parts]
    for part, returned in zip(told.parts, back.parts, strict=True):
        assert not missing(part, returned)
        assert getattr(part, "text", None) == getattr(returned, "text", None)
        assert getattr(part, "form", None) == getattr(returned, "form", None)


@pytest.mark.parametrize("answer", ANSWERS)
def test_responses_give_back_what_they_got(answer: list[Event]) -> None:
    told = reply(*answer, *REST)
    response = json.loads(WRITERS["openai_responses"].whole(told, {}))
    output = [{"type": "function_call_output", "call_id": "c", "output": "1"}]
    _, back, result = responses([{"role": "user", "content": "Hello"}, *response["output"], *output]).messages
    assert result == Message("tool", (ToolResult("c", "1"),))
    assert [type(part) for part in back.parts] == [type(part) for part in told.parts]
    for part, returned in zip(told.parts, back.parts, strict=True):
        assert not missing(part, returned)
        assert getattr(part, "form", None) == getattr(returned, "form", None)


def test_encrypted_content_of_a_server_itself_is_taken_as_it_is() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "gAAA"}
    (message,) = responses([item]).messages
    assert message.parts == (Reasoning("Hm", "summary", {"id": "rs_1", "encrypted_content": "gAAA"}),)


# Input items


def test_items_become_messages() -> None:
    image = {"type": "input_image", "image_url": "https://a.test", "detail": "low"}
    own = {"type": "message", "role": "assistant", "phase": "final_answer"}
    turn = responses(
        [
            {"role": "developer", "content": "Be brief."},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}, image]},
            {"role": "assistant", "content": "one"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "two", "annotations": []}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "x"}]},
            {**own, "id": "msg_1", "content": [{"type": "refusal", "refusal": "No."}]},
            {**own, "id": "msg_2", "content": [{"type": "output_text", "text": "Yes."}]},
        ],
        instructions="Be kind.",
    )
    assert turn.messages == (
        Message("system", (Text("Be kind."),)),
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("a"), Image("https://a.test", "low"))),
        Message("assistant", (Text("one"),)),
        Message("assistant", (Text("two"), ToolCall("c", "f", "{}", {}))),
        Message("tool", (ToolResult("c", "x"),)),
        Message("assistant", (Refusal("No."), Text("Yes.", {"phase": "final_answer"}))),
    )


def test_a_turn_continues_another_without_its_instructions() -> None:
    first = responses("one", instructions="Be kind.")
    answer = reply(PartStarted(0, "text"), PartDelta(0, "two"), PartFinished(0), Finished("stop")).message
    second = continued(responses("three", instructions="Be brief."), first, answer)
    assert [message.text for message in second.messages] == ["Be brief.", "one", "two", "three"]
    third = continued(responses("four"), second, Message("assistant", ()))
    assert [message.text for message in third.messages] == ["one", "two", "three", "four"]


@pytest.mark.parametrize(("body", "policy"), [({}, "stop"), ({"background": True}, "keep"), ({"on_disconnect": "keep"}, "keep")])
def test_who_leaves(body: dict[str, Any], policy: str) -> None:
    assert responses(**body).on_disconnect == policy


def test_the_answer_repeats_the_question() -> None:
    asked = {"temperature": 0.5, "metadata": {"a": "b"}, "tools": [{"type": "function", "name": "f"}], "instructions": "Be kind."}
    turn = responses(**asked)
    assert turn.repeated == asked
    whole = WRITERS["openai_responses"].whole
    assert whole(reply(Finished("stop")), turn.repeated or {}) == whole(reply(Finished("stop")), {"input": "Hello", **asked})
