"""What useChat sends: UI messages on the left, the Turn on the right."""

from typing import Any

import pytest

from services.downstream.ai_sdk import AISDKWriter
from services.errors import Invalid
from services.messages import Image, Message, Reasoning, Text, ToolCall, ToolResult, Turn

PNG = "data:image/png;base64,iVBORw0KGgo="


def said(text: str, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"id": "m", "role": role, "parts": [{"type": "text", "text": text}], **more}


def asked(*messages: dict[str, Any], **more: Any) -> Turn:
    return AISDKWriter.turn({"messages": list(messages), **more})


def test_a_turn_with_everything() -> None:
    turn = asked(
        said("Be short.", "system"),
        {"role": "user", "parts": [{"type": "text", "text": "What is it?"}, {"type": "file", "mediaType": "image/png", "url": PNG}]},
        id="chat-1",
        trigger="regenerate-message",
        messageId="m2",
        model="up/m",
        system="Be kind.",
        temperature=0.3,
        max_tokens=7,
        tools=[{"type": "function", "function": {"name": "weather"}}],
        on_disconnect="keep",
    )
    assert turn.messages == (
        Message("system", (Text("Be kind."),)),
        Message("system", (Text("Be short."),)),
        Message("user", (Text("What is it?"), Image(PNG))),
    )
    assert (turn.model, turn.thread, turn.client, turn.on_disconnect) == ("up/m", "chat-1", "ai_sdk", "keep")
    assert (turn.options.temperature, turn.options.max_tokens, turn.options.tools[0].name) == (0.3, 7, "weather")


def test_nothing_is_kept_running_unless_that_is_asked_for() -> None:
    assert asked(said("Hello"), trigger=None).on_disconnect == "stop"


@pytest.mark.parametrize(
    ("part", "messages"),
    [
        (
            {"type": "tool-weather", "state": "output-available", "input": {"city": "Köln"}, "output": "sunny"},
            [ToolCall("c", "weather", '{"city":"Köln"}', {"city": "Köln"}), ToolResult("c", "sunny", "weather")],
        ),
        (
            {"type": "dynamic-tool", "toolName": "weather", "state": "output-available", "input": {}, "output": {"sky": "blue"}},
            [ToolCall("c", "weather", "{}", {}), ToolResult("c", '{"sky":"blue"}', "weather")],
        ),
        (
            {"type": "tool-weather", "state": "output-error", "input": {}, "errorText": "no network"},
            [ToolCall("c", "weather", "{}", {}), ToolResult("c", "no network", "weather", failed=True)],
        ),
        (
            {
                "type": "tool-weather",
                "state": "output-denied",
                "input": {},
                "approval": {"id": "a", "approved": False, "reason": "too dear"},
            },
            [ToolCall("c", "weather", "{}", {}), ToolResult("c", "too dear", "weather", failed=True)],
        ),
        ({"type": "tool-weather", "state": "input-available", "input": {}}, [ToolCall("c", "weather", "{}", {})]),
        ({"type": "tool-weather", "state": "input-streaming", "input": {"ci": ""}}, []),
    ],
    ids=lambda value: value.get("state") if isinstance(value, dict) else "",
)
def test_every_state_of_a_tool(part: dict[str, Any], messages: list[ToolCall | ToolResult]) -> None:
    turn = asked(said("Weather?"), {"role": "assistant", "parts": [{"type": "step-start"}, {**part, "toolCallId": "c"}]}, said("And?"))
    assert [one for message in turn.messages[1:-1] for one in message.parts] == messages


def test_results_stand_between_the_steps_they_belong_to() -> None:
    def tool(id: str) -> dict[str, Any]:
        return {"type": "tool-t", "toolCallId": id, "state": "output-available", "input": {}, "output": id}

    step, text = {"type": "step-start"}, {"type": "text", "text": "then"}
    turn = asked(said("Go"), {"role": "assistant", "parts": [step, tool("a"), tool("b"), step, text, tool("c"), step, text]})
    assert [message.role for message in turn.messages] == ["user", "assistant", "tool", "tool", "assistant", "tool", "assistant"]


def test_what_no_model_is_told_is_left_out() -> None:
    source = {"type": "source-url", "sourceId": "1", "url": "https://example.com/"}
    empty = {"role": "assistant", "parts": [{"type": "step-start"}], "metadata": {"error": "truncated"}}
    assert asked(said("a"), {"role": "assistant", "parts": [source]}, empty, said("b")).messages == (
        Message("user", (Text("a"),)),
        Message("user", (Text("b"),)),
    )


def test_other_providers_metadata_stays_where_it_is() -> None:
    part = {"type": "reasoning", "text": "hm", "providerMetadata": {"openai": {"itemId": "rs_1"}}}
    turn = asked(said("a"), {"role": "assistant", "parts": [part, {"type": "text", "text": "so"}]}, said("b"))
    assert turn.messages[1] == Message("assistant", (Reasoning("hm"), Text("so")))


def answered(**part: Any) -> dict[str, Any]:
    return {"role": "assistant", "parts": [part]}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "`messages` is missing or empty"),
        ({"messages": "Hello"}, "`messages` is not right"),
        ({"messages": [said("Hello")], "webSearch": True}, "Unknown field 'webSearch'"),
        ({"messages": [said("Hello")], "temperatur": 1}, "Did you mean 'temperature'?"),
        ({"messages": [said("Hello")], "temperature": "hot"}, "`temperature` is not right"),
        ({"messages": [said("Hello")], "trigger": "resume"}, "`trigger` is not right"),
        ({"messages": [said("Hello")], "on_disconnect": "maybe"}, "`on_disconnect` is not right"),
        ({"messages": [said("Hello")], "id": "x" * 201}, "`id` is too long"),
        ({"messages": [said("")]}, "messages[0] says nothing"),
        ({"messages": [{"role": "assistant", "parts": []}]}, "No message says anything"),
        ({"messages": [{"role": "user", "content": "Hello"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "parts": ["Hello"]}]}, "`messages[0].parts[0]` is not right"),
        ({"messages": [{"role": "user", "parts": [{"type": "text"}]}]}, "messages[0].parts[0]"),
        ({"messages": [{"role": "user", "parts": [{"type": "data-weather", "data": {}}]}]}, "'data-weather'"),
        ({"messages": [{"role": "user", "parts": [{"type": ["text"]}]}]}, "messages[0].parts[0] of type"),
        ({"messages": [{"role": "user", "parts": [{"type": "reasoning", "text": "hm"}]}]}, "'reasoning'"),
        ({"messages": [{"role": "user", "parts": [{"type": "file", "mediaType": "application/pdf", "url": PNG}]}]}, "'application/pdf'"),
        (
            {"messages": [{"role": "user", "parts": [{"type": "file", "mediaType": "image/png", "url": "file:///etc/passwd"}]}]},
            "no data: URL",
        ),
        ({"messages": [answered(type="tool-x", toolCallId="c", state="approval-responded", input={})]}, "waits for an approval"),
        ({"messages": [answered(type="tool-x", toolCallId="c", state="odd")]}, "messages[0].parts[0].state"),
        ({"messages": [answered(type="text", text="a", providerMetadata={"headrace": {"side": 1}})]}, "providerMetadata.headrace.side"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_cannot_be_sent_is_refused_by_name(body: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        AISDKWriter.turn(body)
    assert sentence in refused.value.message
    assert refused.value.message.endswith((".", "?"))


def test_what_is_nested_too_deeply_is_refused_not_a_crash() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    part = {"type": "tool-x", "toolCallId": "c", "state": "output-available", "input": {}, "output": deep}
    with pytest.raises(Invalid, match="nested too deeply"):
        asked({"role": "assistant", "parts": [part]})
