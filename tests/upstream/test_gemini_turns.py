"""Turns as requests to Gemini: what is said on the left, what is POSTed on the right. And the list of models."""

import json
from pathlib import Path
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
    Part,
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
from services.upstream.gemini import GeminiReader
from tests.upstream.reading import reply
from tests.upstream.test_gemini import said, text, told

RECORDED = Path(__file__).parent.parent / "recordings" / "gemini" / "models.json"
LOOK = Tool("look", "Looks.", {"type": "object", "properties": {"n": {"type": "integer"}}})


def asked(turn: Turn) -> Any:
    return msgspec.json.decode(GeminiReader().request(turn).body)


def options(**given: Any) -> dict[str, Any]:
    body = asked(Turn("m", (), Options(**given)))
    return {key: value for key, value in body.items() if key != "contents"}


def contents(*messages: Message, **given: Any) -> Any:
    return asked(Turn("m", messages, Options(**given)))["contents"]


def test_a_turn_as_a_request() -> None:
    turn = Turn(
        "gemini-2.5-flash",
        (
            Message("system", (Text("Be "), Text("brief."))),
            Message("user", (Text("What is this?"), Image("data:image/PNG;base64,AA==", "low"))),
            Message("user", (Text("Well?"),)),
            Message(
                "assistant",
                (
                    Reasoning("hm"),
                    Text("Let me see."),
                    ToolCall("a", "look", '{"n":1}', {"n": 1}, {"thought_signature": "S"}),
                    ToolCall("b", "bare", "", {}),
                ),
            ),
            Message("tool", (ToolResult("a", "a cat"),)),
            Message("tool", (ToolResult("b", "Boom", failed=True),)),
            Message("user", (Text("And?"),)),
            Message("assistant", (Text("A cat."), Attachment("source", {"url": "https://e.org"}), Refusal("No."), Text(""))),
        ),
        Options(
            temperature=0.5,
            top_p=0.9,
            top_k=40,
            max_tokens=100,
            stop=("END",),
            seed=7,
            presence_penalty=0.1,
            frequency_penalty=0.2,
            reasoning_effort="low",
            tools=(LOOK, Tool("bare")),
            tool_choice="function:look",
            parallel_tool_calls=True,
            format=JSONFormat({"type": "object"}, "place", "Where"),
            vendor=Vendor(
                "gemini", {"safetySettings": [], "generationConfig": {"mediaResolution": "LOW"}, "tools": [{"googleSearch": {}}]}
            ),
        ),
    )
    assert asked(turn) == {
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "What is this?"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}, {"text": "Well?"}],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "Let me see."},
                    {"functionCall": {"id": "a", "name": "look", "args": {"n": 1}}, "thoughtSignature": "S"},
                    {"functionCall": {"id": "b", "name": "bare", "args": {}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "a", "name": "look", "response": {"output": "a cat"}}},
                    {"functionResponse": {"id": "b", "name": "bare", "response": {"error": "Boom"}}},
                ],
            },
            {"role": "user", "parts": [{"text": "And?"}]},
            {"role": "model", "parts": [{"text": "A cat."}, {"text": "No."}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 40,
            "maxOutputTokens": 100,
            "stopSequences": ["END"],
            "seed": 7,
            "presencePenalty": 0.1,
            "frequencyPenalty": 0.2,
            "responseMimeType": "application/json",
            "responseJsonSchema": {"description": "Where", "type": "object"},
            "thinkingConfig": {"thinkingBudget": 2048, "includeThoughts": True},
            "mediaResolution": "LOW",
        },
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "look", "description": "Looks.", "parametersJsonSchema": LOOK.parameters},
                    {"name": "bare"},
                ]
            },
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
        "safetySettings": [],
    }


PATHS = [
    ("gemini-2.5-flash", "models/gemini-2.5-flash"),
    ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
    ("tunedModels/mine", "tunedModels/mine"),
    ("../../v1/files", "models/..%2F..%2Fv1%2Ffiles"),
    ("models/../x", "models/..%2Fx"),
    ("m?key=1#a b%2F\r\n:ö", "models/m%3Fkey%3D1%23a%20b%252F%0D%0A%3A%C3%B6"),
    ("\ud800", "models/%3F"),
    ("models/", "models/"),
]


@pytest.mark.parametrize(("model", "resource"), PATHS)
def test_the_model_stays_in_its_segment_of_the_path(model: str, resource: str) -> None:
    assert GeminiReader().request(Turn(model, ())).path == f"/v1beta/{resource}:streamGenerateContent?alt=sse"


def test_what_came_with_a_reply_goes_back_with_it() -> None:
    """A reply of each kind, folded and sent back, says what the server insists on."""
    bodies: list[list[Any]] = [
        [said(text("hm", thought=True)), said(text("Hel")), said(text("lo")), said(text("", thoughtSignature="S"))],
        [
            said({"functionCall": {"name": "x", "args": {"n": 1}}, "thoughtSignature": "S"}),
            said({"functionCall": {"name": "y", "id": "b"}}),
        ],
        [said(text("hm", thought=True, thoughtSignature="S")), said(text("a"))],
        [said(text("", thoughtSignature="S")), said(text("a"))],
        [said({"inlineData": {"mimeType": "image/png", "data": "AA"}, "thoughtSignature": "S"})],
        [said({"inlineData": {"mimeType": "audio/wav", "data": "AA"}})],
    ]
    sent = [contents(reply(told(*body)).message)[0]["parts"] for body in bodies]
    assert sent == [
        [{"text": "Hello", "thoughtSignature": "S"}],
        [
            {"functionCall": {"id": "call00000", "name": "x", "args": {"n": 1}}, "thoughtSignature": "S"},
            {"functionCall": {"id": "b", "name": "y", "args": {}}},
        ],
        [{"text": "hm", "thought": True, "thoughtSignature": "S"}, {"text": "a"}],
        [{"text": "", "thoughtSignature": "S"}, {"text": "a"}],
        [{"inlineData": {"mimeType": "image/png", "data": "AA"}, "thoughtSignature": "S"}],
        [{"inlineData": {"mimeType": "audio/wav", "data": "AA"}}],
    ]


def test_code_the_server_ran_goes_back_where_such_tools_are_offered() -> None:
    ran: list[Any] = [{"executableCode": {"code": "1"}}, {"codeExecutionResult": {"output": "1"}}]
    parts: tuple[Part, ...] = (*(Attachment("opaque", each) for each in [*ran, {"odd": 1}]), Text("a"))
    message = Message("assistant", parts)
    assert contents(message)[0]["parts"] == contents(message, tools=(LOOK,))[0]["parts"] == [{"text": "a"}]
    vendor = Vendor("gemini", {"tools": [{"codeExecution": {}}]})
    assert contents(message, vendor=vendor)[0]["parts"] == [*ran, {"text": "a"}]


def test_the_name_of_a_result() -> None:
    given = contents(Message("tool", (ToolResult("a", "x", "look"),)))
    assert given == [{"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "look", "response": {"output": "x"}}}]}]
    with pytest.raises(Invalid, match="no call before it has the id 'a'"):
        contents(Message("tool", (ToolResult("a", "x"),)))


def calling(**config: Any) -> dict[str, Any]:
    return {"toolConfig": {"functionCallingConfig": config}}


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"reasoning_effort": "none"}, {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}),
    ({"reasoning_budget": 5}, {"generationConfig": {"thinkingConfig": {"thinkingBudget": 5, "includeThoughts": True}}}),
    ({"format": JSONFormat()}, {"generationConfig": {"responseMimeType": "application/json"}}),
    ({"tool_choice": "auto"}, calling(mode="AUTO")),
    ({"tool_choice": "none"}, calling(mode="NONE")),
    ({"tool_choice": "required"}, calling(mode="ANY")),
    ({"vendor": Vendor("gemini", {"toolConfig": {"retrievalConfig": {}}})}, {"toolConfig": {"retrievalConfig": {}}}),
    (
        {"tools": (Tool("x", strict=True),)},
        {"tools": [{"functionDeclarations": [{"name": "x"}]}], **calling(mode="VALIDATED")},
    ),
]


@pytest.mark.parametrize(("given", "body"), OPTIONS)
def test_options(given: dict[str, Any], body: dict[str, Any]) -> None:
    assert options(**given) == body


@pytest.mark.parametrize("given", [{"tool_choice": "any"}, {"tool_choice": "function:"}, {"reasoning_effort": "wild"}])
def test_options_it_does_not_have_are_named(given: dict[str, Any]) -> None:
    [(name, value)] = given.items()
    with pytest.raises(Invalid, match=f"{name} '{value}'"):
        options(**given)


CANNOT = [
    (Message("system", (Image("data:image/png;base64,AA"),)), "An image in a message of role 'system'"),
    (Message("assistant", (Image("data:image/png;base64,AA"),)), "An image in a message of role 'assistant'"),
    (Message("assistant", (ToolResult("a", "x"),)), "A tool result in a message of role 'assistant'"),
    (Message("user", (ToolCall("a", "x", "{}", {}),)), "A tool call in a message of role 'user'"),
    (Message("user", (Attachment("file", {}),)), "A file in a message of role 'user'"),
    (Message("user", (Image("https://e.org/a.png"),)), "it fetches none: 'https://e.org/a.png'"),
    (Message("user", (Image("data:image/svg+xml,<svg/>"),)), "it fetches none"),
    (Message("assistant", (ToolCall("a", "x", '{"n":', None),)), "those of 'x' are none"),
]


@pytest.mark.parametrize(("message", "words"), CANNOT)
def test_what_cannot_be_said_is_named(message: Message, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        contents(message)


def test_the_key_is_in_a_header_alone() -> None:
    assert GeminiReader.headers("k") == {"x-goog-api-key": "k"}
    assert GeminiReader.headers(None) == GeminiReader.headers("") == {}
    assert "key" not in GeminiReader().request(Turn("m", ())).path + GeminiReader.models_path


def test_the_recorded_list_of_models() -> None:
    expected = json.loads(RECORDED.with_name("models.expected.json").read_bytes())["extra"]["models"]
    [model] = GeminiReader.models(RECORDED.read_bytes())
    assert [f"models/{model.name}"] == expected
    assert model == Model("gemini-2.5-flash", 1048576)


MODELS = [
    (b'{"models":[{"name":"models/g","thinking":true,"supportedGenerationMethods":["generateContent"]}]}', [Model("g", reasoning=True)]),
    (b'{"models":[{"name":"models/embed","supportedGenerationMethods":["embedContent"]},{"name":5},7]}', []),
    (b'{"models":[{"name":"tunedModels/t","inputTokenLimit":"?","thinking":1}]}', [Model("tunedModels/t")]),
]


@pytest.mark.parametrize(("body", "models"), MODELS)
def test_models(body: bytes, models: list[Model]) -> None:
    assert GeminiReader.models(body) == models


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":{"message":"no"}}', b'{"models":{}}', b"{} {}", b"[]"])
def test_no_list_of_models(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        GeminiReader.models(body)
