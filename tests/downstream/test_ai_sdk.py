"""The AI SDK's UI message stream: logs on the left, chunks on the right."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from services.downstream.ai_sdk import NOT_JSON, AISDKWriter
from services.events import Entry, Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Retrying, Started, Status, Usage
from services.messages import (
    Attachment,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    fold,
)
from services.wire.sse import SSEDecoder

STARTED = Started("g1", "up/m", 1)
SIDE: dict[str, object] = {"signature": "c2lnbmVk"}
PNG = "data:image/png;base64,iVBORw0KGgo="
EVERYTHING: list[Event] = [
    STARTED,
    Status("connecting"),
    Retrying(2, 10, "reset"),
    PartStarted(0, "reasoning", form="summary"),
    PartDelta(0, "hm"),
    PartFinished(0, side=SIDE),
    PartStarted(1, "reasoning", form="encrypted"),
    PartFinished(1, side={"redacted": "x"}),
    PartStarted(2, "text"),
    PartDelta(2, 'Hel"lo\u2028'),
    PartStarted(3, "tool_call", "call_1", "weather"),
    PartDelta(3, '{"city":'),
    PartDelta(2, "!"),
    PartDelta(3, '"Köln"}'),
    PartFinished(2),
    PartFinished(3, {"city": "Köln"}, {"thought_signature": "t"}),
    PartStarted(4, "tool_call", "call_2", "time"),
    PartDelta(4, '{"zone'),
    PartFinished(4),
    PartStarted(5, "source"),
    PartFinished(5, {"url": "https://example.com/", "title": "Example"}),
    PartStarted(6, "source"),
    PartFinished(6, {"file_id": "f", "filename": "a.pdf"}),
    PartStarted(7, "image"),
    PartFinished(7, {"url": PNG}),
    PartStarted(8, "opaque"),
    PartFinished(8, {"some": "thing"}),
    PartStarted(9, "refusal"),
    PartDelta(9, "No."),
    PartFinished(9),
    Usage(9, 5, 2, 1, None, 14),
    Finished("tool_calls", "tool_use", 1.5, 20.0),
]
TOLD: list[dict[str, Any]] = [
    {"type": "start", "messageId": "g1", "messageMetadata": {"generation": "g1", "model": "up/m"}},
    {"type": "start-step"},
    {"type": "reasoning-start", "id": "0", "providerMetadata": {"headrace": {"form": "summary"}}},
    {"type": "reasoning-delta", "id": "0", "delta": "hm"},
    {"type": "reasoning-end", "id": "0", "providerMetadata": {"headrace": {"form": "summary", "side": SIDE}}},
    {"type": "reasoning-start", "id": "1", "providerMetadata": {"headrace": {"form": "encrypted"}}},
    {"type": "reasoning-end", "id": "1", "providerMetadata": {"headrace": {"form": "encrypted", "side": {"redacted": "x"}}}},
    {"type": "text-start", "id": "2"},
    {"type": "text-delta", "id": "2", "delta": 'Hel"lo\u2028'},
    {"type": "tool-input-start", "toolCallId": "call_1", "toolName": "weather"},
    {"type": "tool-input-delta", "toolCallId": "call_1", "inputTextDelta": '{"city":'},
    {"type": "text-delta", "id": "2", "delta": "!"},
    {"type": "tool-input-delta", "toolCallId": "call_1", "inputTextDelta": '"Köln"}'},
    {"type": "text-end", "id": "2"},
    {
        "type": "tool-input-available",
        "toolCallId": "call_1",
        "toolName": "weather",
        "providerMetadata": {"headrace": {"side": {"thought_signature": "t"}}},
        "input": {"city": "Köln"},
    },
    {"type": "tool-input-start", "toolCallId": "call_2", "toolName": "time"},
    {"type": "tool-input-delta", "toolCallId": "call_2", "inputTextDelta": '{"zone'},
    {"type": "tool-input-error", "toolCallId": "call_2", "toolName": "time", "input": '{"zone', "errorText": NOT_JSON},
    {"type": "source-url", "sourceId": "5", "url": "https://example.com/", "title": "Example"},
    {"type": "file", "url": PNG, "mediaType": "image/png"},
    {"type": "text-start", "id": "9"},
    {"type": "text-delta", "id": "9", "delta": "No."},
    {"type": "text-end", "id": "9"},
    {"type": "finish-step"},
    {
        "type": "finish",
        "finishReason": "tool-calls",
        "messageMetadata": {
            "reason": "tool_calls",
            "usage": {"inputTokens": 9, "outputTokens": 5, "reasoningTokens": 2, "cachedInputTokens": 1, "totalTokens": 14},
            "ttftMs": 1.5,
            "ms": 20.0,
        },
    },
]


def log(events: list[Event]) -> list[Entry]:
    return [Entry(number, float(number), event) for number, event in enumerate(events, 1)]


def written(events: list[Event], body: dict[str, Any] | None = None) -> bytes:
    return AISDKWriter(STARTED, body or {}).write(log(events))


def chunks(stream: bytes) -> list[dict[str, Any]]:
    frames = [data for _, data, _ in SSEDecoder().feed(stream)]
    assert frames.pop() == b"[DONE]"
    return [json.loads(data) for data in frames]


def test_everything_a_log_can_hold() -> None:
    assert chunks(written(EVERYTHING)) == TOLD


def test_batches_do_not_matter() -> None:
    writer = AISDKWriter(STARTED, {})
    assert b"".join(writer.write([entry]) for entry in log(EVERYTHING)) == written(EVERYTHING)


def test_no_line_can_be_cut_by_who_splits_at_more_than_line_ends() -> None:
    assert "\u2028" not in written(EVERYTHING).decode()


def test_the_sdk_builds_the_message_from_it_and_sends_back_what_a_later_turn_needs(node: str, node_modules: Path, tmp_path: Path) -> None:
    (tmp_path / "stream").write_bytes(written(EVERYTHING))
    code = """
        import {readFile} from "node:fs/promises";
        import {Chat, api, tell} from "./ui_chat.mjs";
        import {DefaultChatTransport} from "ai";
        const sent = [];
        const fetch = async (url, asked) => { sent.push(JSON.parse(asked.body)); return new Response(await readFile(api)); };
        const chat = new Chat({api: "http://unused/", transport: new DefaultChatTransport({fetch})});
        await chat.sendMessage({text: "Hello"});
        await chat.sendMessage({text: "And now?"});
        tell({error: chat.error?.message, body: sent.at(-1)});
    """
    command = [node, "--input-type=module", "-e", code, str(tmp_path / "stream")]
    done = subprocess.run(command, cwd=node_modules, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "error" not in told
    _, first, failed_call, last = AISDKWriter.turn(told["body"]).messages
    assert first == Message(
        "assistant",
        (
            Reasoning("hm", "summary", SIDE),
            Reasoning("", "encrypted", {"redacted": "x"}),
            Text('Hel"lo\u2028!'),
            ToolCall("call_1", "weather", '{"city":"Köln"}', {"city": "Köln"}, {"thought_signature": "t"}),
            ToolCall("call_2", "time", '{"zone'),
            Attachment("image", {"url": PNG}),
            Text("No."),
        ),
    )
    assert failed_call == Message("tool", (ToolResult("call_2", NOT_JSON, "time", failed=True),))
    assert last == Message("user", (Text("And now?"),))


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (Finished("stop"), [{"type": "finish-step"}, {"type": "finish", "finishReason": "stop", "messageMetadata": {"reason": "stop"}}]),
        (
            Finished("content_filter"),
            [
                {"type": "finish-step"},
                {"type": "finish", "finishReason": "content-filter", "messageMetadata": {"reason": "content_filter"}},
            ],
        ),
        (
            Finished("stopped"),
            [{"type": "message-metadata", "messageMetadata": {"reason": "stopped"}}, {"type": "abort", "reason": "stopped"}],
        ),
        (
            Failed("truncated", "It broke off.", True),
            [
                {"type": "message-metadata", "messageMetadata": {"error": "truncated", "retryable": True}},
                {"type": "error", "errorText": "It broke off."},
            ],
        ),
    ],
)
def test_every_end(end: Finished | Failed, told: list[dict[str, Any]]) -> None:
    assert chunks(written([STARTED, end]))[2:] == told


def test_a_message_that_goes_on_keeps_the_clients_id() -> None:
    user, answer = {"role": "user", "parts": []}, {"role": "assistant", "id": "mine", "parts": []}
    assert "messageId" not in chunks(written([STARTED, Finished("stop")], {"messages": [user, answer]}))[0]
    assert "messageId" in chunks(written([STARTED, Finished("stop")], {"messages": [user, answer, user]}))[0]


def test_a_reply_as_one_message() -> None:
    message = json.loads(AISDKWriter.whole(fold(log(EVERYTHING)), {}))
    assert (message["id"], message["role"], message["metadata"]["usage"]["outputTokens"]) == ("g1", "assistant", 5)
    kinds = [part["type"] for part in message["parts"]]
    assert kinds == ["step-start", "reasoning", "reasoning", "text", "tool-weather", "tool-time", "source-url", "file", "text"]
    question = {"role": "user", "parts": [{"type": "text", "text": "And?"}]}
    again = AISDKWriter.turn({"messages": [message, question]})
    assert again.messages[0].parts[0] == Reasoning("hm", "summary", SIDE)
    assert again.messages[0].parts[3] == ToolCall("call_1", "weather", '{"city":"Köln"}', {"city": "Köln"}, {"thought_signature": "t"})
