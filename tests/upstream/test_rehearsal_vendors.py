"""The bytes of Anthropic's, Google's and Ollama's dialects in the rehearsal are those of their own servers."""

import json
from typing import Any

import pytest

from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.scenes import ANSWER, OVERLOADED, THOUGHTS
from services.wire.sse import SSEDecoder
from tests.upstream.rehearsing import ask, chat, frames, order, told

STREAM = "/v1beta/models/scenes:streamGenerateContent"


# Anthropic


async def messages(scene: str, **more: Any) -> list[Any]:
    found = await frames("anthropic", "/v1/messages", {"messages": chat(scene), "max_tokens": 500, **more})
    assert [event for event, _ in found] == [data["type"] for _, data in found]
    return [data for _, data in found]


async def test_messages_are_blocks_one_after_the_other() -> None:
    events = await messages("tools")
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    first = ["content_block_start", "ping", "content_block_delta", "content_block_stop"]
    assert order([event["type"] for event in events]) == ["message_start", *first, *block, *block, *block, "message_delta", "message_stop"]
    assert [event["index"] for event in events if event["type"] == "content_block_stop"] == [0, 1, 2, 3]
    index = -1
    for event in events:
        index += event["type"] == "content_block_start"
        assert event.get("index", index) == index
    starts = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert starts[:2] == [{"type": "thinking", "thinking": "", "signature": ""}, {"type": "text", "text": ""}]
    assert [start["input"] for start in starts[2:]] == [{}, {}]
    kinds = [event["delta"]["type"] for event in events if event["type"] == "content_block_delta"]
    assert order(kinds) == ["thinking_delta", "signature_delta", "text_delta", "input_json_delta"]
    assert kinds.count("signature_delta") == 1


async def test_messages_count_as_anthropic_counts() -> None:
    events = await messages("reasoning", system="Be brief.")
    first, last = events[0]["message"]["usage"], events[-2]["usage"]
    assert (first["input_tokens"], first["output_tokens"]) == (last["input_tokens"], 1) == (size("Be brief.") + size("reasoning"), 1)
    assert last["output_tokens"] == size(THOUGHTS) + size(ANSWER)
    counted = await told(
        "anthropic", "/v1/messages/count_tokens", {"messages": chat("reasoning"), "system": [{"type": "text", "text": "Be brief."}]}
    )
    assert counted == {"input_tokens": last["input_tokens"]}


async def test_a_stop_sequence_is_named() -> None:
    *_, last, _ = await messages("text", stop_sequences=["over", "water"])
    assert last["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "water"}
    whole = await told("anthropic", "/v1/messages", {"messages": chat("text"), "max_tokens": 500, "stop_sequences": ["water"]})
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", "water")


async def test_a_stop_sequence_that_max_tokens_forestalls_is_not_named() -> None:
    body = {"model": "echo", "messages": chat("one two three four"), "max_tokens": 3, "stop_sequences": ["four"]}
    whole = await told("anthropic", "/v1/messages", body)
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("max_tokens", None)


async def test_a_message_that_fails_has_no_stop() -> None:
    *_, before, last = await messages("error")
    assert before["type"] == "content_block_delta"
    assert last["error"] == {"details": None, "type": "overloaded_error", "message": OVERLOADED}
    assert last["request_id"].startswith("req_")


async def test_max_tokens_are_required() -> None:
    status, headers, said = await ask("anthropic", "/v1/messages", {"model": "scenes", "messages": chat("text")})
    assert (status, json.loads(said)["error"]["type"]) == (400, "invalid_request_error")
    assert headers["request-id"] == json.loads(said)["request_id"]


# Gemini


async def gemini(scene: str, query: str = "?alt=sse", **config: Any) -> tuple[dict[str, str], bytes]:
    body = {"contents": [{"role": "user", "parts": [{"text": scene}]}], "generationConfig": config}
    status, headers, stream = await ask("gemini", STREAM + query, body)
    assert status == 200
    return headers, stream


async def test_gemini_ends_lines_with_crlf_and_says_nothing_else() -> None:
    headers, stream = await gemini("tools")
    assert headers["content-type"] == "text/event-stream"
    assert stream.endswith(b"}\r\n\r\n")
    assert all(line.startswith(b"data: {") for line in stream.split(b"\r\n\r\n")[:-1])
    assert stream.count(b"\n") == stream.count(b"\r\n")
    assert b"[DONE]" not in stream


async def test_gemini_counts_what_was_said_so_far() -> None:
    _, stream = await gemini("reasoning")
    counts = [json.loads(data)["usageMetadata"] for _, data, _ in SSEDecoder().feed(stream)]
    assert [count.get("thoughtsTokenCount") for count in counts[: size(THOUGHTS)]] == list(range(1, size(THOUGHTS) + 1))
    assert counts[0].get("candidatesTokenCount") is None
    last = counts[-1]
    assert (last["thoughtsTokenCount"], last["candidatesTokenCount"]) == (size(THOUGHTS), size(ANSWER))
    assert last["totalTokenCount"] == size("reasoning") + size(THOUGHTS) + size(ANSWER)


async def test_gemini_signs_the_first_call_or_the_last_frame() -> None:
    for scene, signed in (("tools", "functionCall"), ("reasoning", "text"), ("text", None)):
        _, stream = await gemini(scene)
        parts = [part for _, data, _ in SSEDecoder().feed(stream) for part in json.loads(data)["candidates"][0]["content"]["parts"]]
        holders = [part for part in parts if "thoughtSignature" in part]
        assert [signed in part for part in holders] == ([True] if signed else [])


async def test_gemini_without_sse_is_one_array() -> None:
    headers, text = await gemini("tools", "")
    _, stream = await gemini("tools")
    assert headers["content-type"].startswith("application/json")
    assert text.startswith(b"[{\n")
    assert text.endswith(b"}\n]\n")
    assert json.loads(text) == [json.loads(data) for _, data, _ in SSEDecoder().feed(stream)]


async def test_gemini_fails_inside_its_array_too() -> None:
    *_, last = json.loads((await gemini("error", ""))[1])
    assert last == {"error": {"code": 503, "message": OVERLOADED, "status": "UNAVAILABLE"}}
    body = {"contents": [{"parts": [{"text": "refused"}]}]}
    status, headers, refused = await ask("gemini", STREAM, body)
    assert (status, headers["retry-after"], json.loads(refused)[0]["error"]["status"]) == (429, "1", "RESOURCE_EXHAUSTED")
    assert (await gemini("cut", ""))[1].endswith(b"}\n")


async def test_gemini_has_two_versions_and_counts() -> None:
    body = {"contents": [{"parts": [{"text": "one two"}]}]}
    for version in ("/v1", "/v1beta"):
        _, _, text = await ask("gemini", f"{version}/models/echo:generateContent", body)
        assert json.loads(text)["candidates"][0]["content"]["parts"] == [{"text": "one two"}]
        _, _, counted = await ask("gemini", f"{version}/models/echo:countTokens", body)
        assert json.loads(counted)["totalTokens"] == 2


# Ollama


async def lines(path: str, body: Any, speed: float = 60.0) -> list[Any]:
    status, headers, text = await ask("ollama", path, {"model": "scenes", **body}, speed=speed)
    assert (status, headers["content-type"]) == (200, "application/x-ndjson")
    assert text.endswith(b"\n")
    assert b"\n\n" not in text
    return [json.loads(line) for line in text.splitlines()]


async def test_ollama_streams_unless_told_otherwise_and_counts_nanoseconds() -> None:
    *told, last = await lines("/api/chat", {"messages": chat("text")}, speed=10.0)
    assert [set(line) for line in told] == [{"model", "created_at", "message", "done"}] * size(ANSWER)
    assert (last["done_reason"], last["prompt_eval_count"], last["eval_count"]) == ("stop", 1, size(ANSWER))
    assert last["eval_duration"] == size(ANSWER) * 100_000_000
    assert [line["created_at"] for line in told[:2]] == ["2026-01-01T00:00:00.100000000Z", "2026-01-01T00:00:00.200000000Z"]


async def test_ollama_leaves_out_durations_of_nothing() -> None:
    *_, last = await lines("/api/chat", {"messages": chat("text")}, speed=float("inf"))
    assert "eval_duration" not in last


async def test_ollama_calls_whole_and_stops() -> None:
    found = await lines("/api/chat", {"messages": chat("tools"), "tools": []})
    calls = [line["message"]["tool_calls"] for line in found if "tool_calls" in line["message"]]
    assert [[call["function"]["index"] for call in each] for each in calls] == [[0], [1]]
    assert calls[0][0]["function"]["arguments"] == {"city": "Köln"}
    assert found[-1]["done_reason"] == "stop"


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
async def test_ollama_escapes_what_its_python_client_takes_for_a_line_end(path: str) -> None:
    said = "a\u2028b\u2029c\x85d"
    _, _, text = await ask("ollama", path, {"model": "echo", "messages": chat(said), "prompt": said})
    told = [json.loads(line) for line in text.decode().splitlines()]
    assert "".join(line["message"]["content"] if "message" in line else line["response"] for line in told) == said


async def test_ollama_generates() -> None:
    *told, last = await lines("/api/generate", {"prompt": "reasoning"})
    assert {"model", "created_at", "response", "done"} == set(last) - {"done_reason"} - {
        name for name in last if "_count" in name or "_duration" in name
    }
    assert "".join(line.get("thinking", "") for line in told) == THOUGHTS
    assert all(line["response"] == "" for line in told if "thinking" in line)


@pytest.mark.parametrize(("path", "body"), [("/api/chat", {"messages": []}), ("/api/generate", {}), ("/api/generate", {"prompt": ""})])
async def test_ollama_loads_a_model_that_is_asked_nothing(path: str, body: Any) -> None:
    answer = await told("ollama", path, body)
    assert (answer["done"], answer["done_reason"]) == (True, "load")


async def test_ollama_tells_about_itself() -> None:
    assert json.loads((await ask("ollama", "/api/version"))[2])["version"]
    assert json.loads((await ask("ollama", "/api/ps"))[2]) == {"models": []}
    assert json.loads((await ask("ollama", "/api/show", {"model": "echo:latest"}))[2])["capabilities"] == [
        "completion",
        "tools",
        "thinking",
    ]
    assert (await ask("ollama", "/api/show", {"model": "nope"}))[0] == 404
