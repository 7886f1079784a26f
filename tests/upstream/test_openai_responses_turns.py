"""Turns as Responses requests: what is said on the left, what is POSTed on the right."""

from typing import Any

import msgspec
import pytest

from services.errors import Invalid, ProtocolError
from services.messages import (
    Attachment,
    Image,
    JSONFormat,
    Message,
    Options,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    Vendor,
)
from services.models import Model
from services.upstream.openai_responses import OpenAIResponsesReader
from tests.upstream.reading import reply
from tests.upstream.response_events import COMPLETED, URL, done, message, responses, said


def asked(turn: Turn) -> Any:
    path, body = OpenAIResponsesReader().request(turn)
    assert path == "/responses"
    return msgspec.json.decode(body)


def asked_with(model: str = "m", **options: Any) -> Any:
    return asked(Turn(model, (Message("user", (Text("?"),)),), Options(**options)))


def own(text: str, number: int, **more: Any) -> dict[str, Any]:
    """What the model said, in the shape that all servers take back."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": content, **more}


SEARCH: dict[str, object] = {"type": "web_search_call", "id": "ws", "status": "completed"}


def test_a_turn_as_a_request() -> None:
    turn = Turn(
        "gpt-5-mini",
        (
            Message("system", (Text("Be "), Text("brief."))),
            Message("user", (Text("What is this?"), Image("data:image/png;base64,AA", "low"), Image("https://e.org/a.png"))),
            Message(
                "assistant",
                (Text("Let me see."), ToolCall("a", "look", '{"n":1}', {"n": 1}), ToolCall("b", "sql", "X", None, {"type": "custom"})),
            ),
            Message("tool", (ToolResult("a", "a cat"), ToolResult("b", "a hat"))),
            Message("assistant", (Text("A cat."), Attachment("source", URL))),
            Message("system", (Text("Be polite."),)),
            Message("user", (Text("Thanks"),)),
        ),
        Options(
            temperature=0.5,
            top_p=0.9,
            max_tokens=100,
            reasoning_effort="low",
            tools=(Tool("look", "Looks.", {"type": "object"}, strict=True), Tool("nothing")),
            tool_choice="function:look",
            parallel_tool_calls=False,
            format=JSONFormat({"type": "object"}, "place", strict=True),
        ),
    )
    assert asked(turn) == {
        "model": "gpt-5-mini",
        "input": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
                    {"type": "input_image", "image_url": "https://e.org/a.png", "detail": "auto"},
                ],
            },
            own("Let me see.", 2),
            {"type": "function_call", "call_id": "a", "name": "look", "arguments": '{"n":1}'},
            {"type": "custom_tool_call", "call_id": "b", "name": "sql", "input": "X"},
            {"type": "function_call_output", "call_id": "a", "output": "a cat"},
            {"type": "custom_tool_call_output", "call_id": "b", "output": "a hat"},
            own("A cat.", 7),
            {"role": "system", "content": "Be polite."},
            {"role": "user", "content": "Thanks"},
        ],
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 100,
        "reasoning": {"effort": "low", "summary": "auto"},
        "tools": [
            {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": True},
            {"type": "function", "name": "nothing", "parameters": {"type": "object", "properties": {}}, "strict": False},
        ],
        "tool_choice": {"type": "function", "name": "look"},
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_schema", "name": "place", "schema": {"type": "object"}, "strict": True}},
    }


def test_options_that_were_not_given_are_not_sent() -> None:
    assert set(asked_with(tool_choice="none")) == {"model", "input", "stream", "store", "include", "tool_choice"}
    assert asked_with(reasoning_effort="none")["reasoning"] == {"effort": "none"}
    assert asked_with(reasoning_budget=9000)["reasoning"] == {"effort": "high", "summary": "auto"}
    assert asked_with(format=JSONFormat())["text"] == {"format": {"type": "json_object"}}


@pytest.mark.parametrize("model", ["gpt-4.1", "openai/gpt-4o-mini", "gpt-5-chat-latest", "chatgpt-4o-latest"])
def test_models_that_do_not_reason_are_not_asked_for_reasoning(model: str) -> None:
    assert "include" not in asked_with(model)


def test_fields_of_its_own_stand_beside_ours() -> None:
    fields: dict[str, object] = {
        "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
        "text": {"verbosity": "low"},
        "tools": [{"type": "web_search"}],
        "store": True,
    }
    body = asked_with(tools=(Tool("look"),), format=JSONFormat(), vendor=Vendor("openai_responses", fields))
    assert body["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert body["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
    assert [tool["type"] for tool in body["tools"]] == ["function", "web_search"]
    assert body["store"] is True


def thought(**fields: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "r", "summary": [], **fields}


SUMMARY = {"summary": [{"type": "summary_text", "text": "hm"}]}
WORDS = {"content": [{"type": "reasoning_text", "text": "hm"}]}
SECRET = {"encrypted_content": "g"}
UNNAMED = {"type": "reasoning", "summary": [], **SECRET}
CALL = {"type": "function_call", "call_id": "a", "name": "x", "arguments": "{}"}
SQL = {"type": "custom_tool_call", "call_id": "a", "name": "sql", "input": "X"}
PICTURE = {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "AAAA"}

BACK = [
    ("an encrypted summary", [thought(**SUMMARY, **SECRET), message(said("a"))], [thought(**SUMMARY, **SECRET), own("a", 1)]),
    ("encrypted alone", [thought(**SECRET), message(said("a"))], [thought(**SECRET), own("a", 1)]),
    ("a summary and words", [thought(**SUMMARY, **WORDS, **SECRET), CALL], [thought(**SUMMARY, **WORDS, **SECRET), CALL]),
    ("words of its own beside a call", [thought(**WORDS), CALL], [thought(**WORDS), CALL]),
    ("words of its own beside no call", [thought(**WORDS), message(said("a"))], [own("a", 0)]),
    ("a summary alone", [thought(**SUMMARY), message(said("a"))], [own("a", 0)]),
    ("nothing after it", [message(said("a")), thought(**SUMMARY, **SECRET)], [own("a", 0)]),
    ("without an id", [thought(**SECRET, id=None), thought(**SECRET, id=None), CALL], [UNNAMED, UNNAMED, CALL]),
    ("two of them", [thought(**SECRET), thought(**SECRET, id="s"), CALL], [thought(**SECRET), thought(**SECRET, id="s"), CALL]),
    ("a search between", [thought(**SECRET), SEARCH, message(said("a"))], [thought(**SECRET), SEARCH, own("a", 2)]),
    ("what no server has to hear", [{"type": "hologram", "id": "h"}, message(said("a"))], [own("a", 0)]),
    ("a picture", [PICTURE], [PICTURE]),
    ("a free call", [SQL], [SQL]),
    ("a refusal", [message({"type": "refusal", "refusal": "No."})], [own("No.", 0)]),
    (
        "phases",
        [message(said("a"), phase="commentary"), message(said("b"), id="n", phase="final_answer")],
        [own("a", 0, phase="commentary"), own("b", 1, phase="final_answer")],
    ),
]


@pytest.mark.parametrize(("output", "sent"), [case[1:] for case in BACK], ids=[case[0] for case in BACK])
def test_what_came_with_a_reply_goes_back_with_it(output: list[Any], sent: list[Any]) -> None:
    """A reply of each kind, folded and sent back, says what the server insists on."""
    told = reply(responses(*(done(**item) for item in output), COMPLETED))
    assert asked(Turn("m", (told.message,)))["input"] == sent


def test_what_other_dialects_keep_stays_at_home() -> None:
    signed, unsigned = Reasoning("hm", "plain", {"signature": "S"}), Reasoning("", "encrypted", {"encrypted_content": "g"})
    parts = (signed, unsigned, Text("a", {"thought_signature": "T"}), Refusal("b"), ToolCall("a", "x", "{}"))
    content: list[dict[str, Any]] = [{"type": "output_text", "text": text, "annotations": []} for text in ("a", "b")]
    assert asked(Turn("m", (Message("assistant", parts),)))["input"] == [UNNAMED, own("", 1) | {"content": content}, CALL]


CANNOT = [
    (Message("system", (Image("data:,"),)), "An image in a message of role 'system'"),
    (Message("assistant", (Image("data:,"),)), "An image in a message of role 'assistant'"),
    (Message("assistant", (Attachment("image", {"url": "https://e.org/a.png"}),)), "An image in a message of role 'assistant'"),
    (Message("user", (Attachment("file", {}),)), "A file in a message of role 'user'"),
    (Message("user", (ToolCall("a", "x", "{}"),)), "A tool call in a message of role 'user'"),
]


@pytest.mark.parametrize(("said", "words"), CANNOT)
def test_what_cannot_be_said_is_named(said: Message, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        asked(Turn("m", (said,)))


def test_an_unknown_tool_choice_is_named() -> None:
    with pytest.raises(Invalid, match="tool_choice 'any'"):
        asked_with(tool_choice="any")


def test_headers_and_models_are_those_of_the_family() -> None:
    assert OpenAIResponsesReader.headers("k") == {"authorization": "Bearer k"}
    assert OpenAIResponsesReader.headers(None) == {}
    assert OpenAIResponsesReader.models(b'{"object":"list","data":[{"id":"gpt-5"}]}') == [Model("gpt-5")]
    with pytest.raises(ProtocolError):
        OpenAIResponsesReader.models(b"<html>")
