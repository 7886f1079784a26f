"""The bytes of every dialect of the rehearsal are those of the vendor's own server, down to what no reader of ours looks at."""

import json
from contextlib import aclosing
from itertools import groupby
from typing import Any

import pytest

from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.clock import Stepped
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.scenes import ANSWER, OVERLOADED, PLAN, THOUGHTS
from services.upstream.rehearsal.server import Rehearsal
from services.upstream.rehearsal.tellers import VENDORS
from services.wire.sse import SSEDecoder

STREAM = "/v1beta/models/scenes:streamGenerateContent"
ASKS = "I ask both tools at once."


def chat(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


async def ask(
    dialect: str, path: str, body: Any = None, method: str | None = None, speed: float = 60.0
) -> tuple[int, dict[str, str], bytes]:
    clock = Stepped()
    clock.step(1_000_000)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    method = method or ("GET" if body is None else "POST")
    answer = await Rehearsal(speed, clock, dialect).answer(method, path, b"" if body is None else sent)
    async with aclosing(answer.chunks) as chunks:
        return answer.status, answer.headers, b"".join([chunk async for chunk in chunks])


async def told(dialect: str, path: str, body: Any) -> Any:
    status, _, text = await ask(dialect, path, {"model": "scenes", **body})
    assert status == 200
    return json.loads(text)


async def frames(dialect: str, path: str, body: Any) -> list[tuple[str, Any]]:
    """Event and JSON of every frame."""
    _, headers, stream = await ask(dialect, path, {"model": "scenes", "stream": True, **body})
    assert headers["content-type"].startswith("text/event-stream")
    return [(event, json.loads(data)) for event, data, _ in SSEDecoder().feed(stream)]


def order(events: list[str]) -> list[str]:
    return [event for event, _ in groupby(events)]


# OpenAI's Responses

RESPONSE = {
    "id", "object", "created_at", "status", "background", "completed_at", "error", "incomplete_details", "instructions",
    "max_output_tokens", "max_tool_calls", "model", "output", "parallel_tool_calls", "previous_response_id", "prompt_cache_key",
    "reasoning", "safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tools", "top_logprobs",
    "top_p", "truncation", "usage", "user", "metadata",
}  # fmt: skip


async def responses(scene: str, **more: Any) -> list[Any]:
    """The events; each one's line says what its JSON says, and they are numbered without gaps."""
    found = await frames("openai_responses", "/responses", {"input": scene, **more})
    assert [event for event, _ in found] == [data["type"] for _, data in found]
    assert [data["sequence_number"] for _, data in found] == list(range(len(found)))
    return [data for _, data in found]


async def test_responses_tell_a_whole_life() -> None:
    events = await responses("tools")
    call = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]
    thought = ["reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done", "reasoning_summary_part.done"]
    text = ["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]
    items = ["output_item.added", *thought, "output_item.done", "output_item.added", *text, "output_item.done", *call, *call]
    assert order([event["type"].removeprefix("response.") for event in events]) == ["created", "in_progress", *items, "completed"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    response = events[-1]["response"]
    assert response["output"] == done
    assert [item["type"] for item in done] == ["reasoning", "message", "function_call", "function_call"]
    added = [event["item"] for event in events if event["type"] == "response.output_item.added"]
    assert [(item["id"], item["type"]) for item in added] == [(item["id"], item["type"]) for item in done]
    assert all(set(event["response"]) == RESPONSE for event in events if "response" in event)
    assert len({event["response"]["id"] for event in events if "response" in event}) == 1
    assert response["usage"]["output_tokens_details"] == {"reasoning_tokens": size(PLAN)}


async def test_every_piece_of_a_response_says_where_it_belongs() -> None:
    place, item = -1, None
    for event in await responses("tools"):
        if event["type"] == "response.output_item.added":
            place, item = place + 1, event["item"]["id"]
        if "output_index" in event:
            assert event["output_index"] == place
            assert event.get("item_id", item) == item
            assert event.get("content_index", 0) == event.get("summary_index", 0) == 0


async def test_a_response_that_is_incomplete_says_so_everywhere() -> None:
    *_, item, last = await responses("length")
    assert (item["item"]["status"], last["type"], last["response"]["status"]) == ("incomplete", "response.incomplete", "incomplete")
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    whole = await told("openai_responses", "/responses", {"input": "length"})
    assert whole == last["response"]


async def test_a_response_is_the_same_whole() -> None:
    for scene in ("text", "reasoning", "tools"):
        assert await told("openai_responses", "/responses", {"input": scene}) == (await responses(scene))[-1]["response"]


async def test_a_response_that_fails() -> None:
    *_, error, failed = await responses("error")
    assert error["error"] == {"type": "server_error", "code": "server_error", "message": OVERLOADED, "param": None}
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["error"] == {"code": "server_error", "message": OVERLOADED}


async def test_reasoning_is_encrypted_for_who_asks() -> None:
    asked = await responses("reasoning", include=["reasoning.encrypted_content"])
    assert [item.get("encrypted_content", "") != "" for item in asked[-1]["response"]["output"]] == [True, False]
    assert "encrypted_content" not in json.dumps(await responses("reasoning"))


async def test_a_response_repeats_what_was_asked() -> None:
    given = {"instructions": "Be brief.", "temperature": 0.5, "top_p": 0.9, "metadata": {"a": "b"}, "max_output_tokens": 99, "user": "me"}
    tools = [{"type": "function", "name": "look", "parameters": {}}]
    last = (await responses("text", **given, tools=tools, tool_choice="none", parallel_tool_calls=False))[-1]["response"]
    assert {name: last[name] for name in given} == given
    assert (last["tools"], last["tool_choice"], last["parallel_tool_calls"]) == (tools, "none", False)


# OpenAI's Completions


async def test_completions() -> None:
    found = await ask("openai_completions", "/completions", {"model": "scenes", "prompt": "text", "stream": True})
    *chunks, last = [data for _, data, _ in SSEDecoder().feed(found[2])]
    assert last == b"[DONE]"
    choices = [json.loads(chunk)["choices"][0] for chunk in chunks]
    assert "".join(choice["text"] for choice in choices) == ANSWER
    assert [choice["finish_reason"] for choice in choices] == [None] * (len(choices) - 1) + ["stop"]
    assert set(json.loads(chunks[0])) == {"id", "object", "created", "model", "choices"}


async def test_completions_of_several_prompts_or_numbers() -> None:
    status, _, said = await ask("openai_completions", "/completions", {"model": "echo", "prompt": ["a", "b"]})
    assert (status, json.loads(said)["error"]["type"]) == (400, "invalid_request_error")
    for prompt, text in ((["a b"], "a b"), ([1, 2], ""), ([[1, 2]], ""), (None, "")):
        answer = await told("openai_completions", "/completions", {"model": "echo", "prompt": prompt})
        assert answer["choices"][0]["text"] == text


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


# All of them


def message(dialect: str, said: bytes) -> str:
    error = json.loads(said)["error"]
    return str(error if isinstance(error, str) else error["message"])


POSTS = [
    ("openai_chat", "/chat/completions"),
    ("openai_completions", "/completions"),
    ("openai_responses", "/responses"),
    ("anthropic", "/v1/messages"),
    ("anthropic", "/v1/messages/count_tokens"),
    ("gemini", "/v1beta/models/scenes:generateContent"),
    ("ollama", "/api/chat"),
    ("ollama_generate", "/api/generate"),
    ("ollama", "/api/show"),
]


@pytest.mark.parametrize(("dialect", "path"), POSTS)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"\xff"', b"[" * 100_000, b"null", b'{"model": 1, "contents": 1}', b'{"model":"\\ud800"}']
)
async def test_what_is_no_request_is_refused_in_the_shape_of_the_dialect(dialect: str, path: str, body: bytes) -> None:
    status, headers, said = await ask(dialect, path, body)
    assert (status, headers["content-type"]) == (400, "application/json")
    assert message(dialect, said)


@pytest.mark.parametrize(("dialect", "path"), POSTS)
@pytest.mark.parametrize(
    "more",
    [
        {"messages": [{"role": "user", "content": None}], "input": [None, 3, {"role": "user"}], "contents": [{}]},
        {"messages": [{"role": "user"}], "input": [{"role": "user", "content": [None, {"text": 3}]}], "contents": [{"parts": [{}]}]},
        {"messages": [{"role": "tool", "content": ""}], "input": [{"type": "function_call_output"}], "contents": [{"role": "model"}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [3]}]}], "system": 3, "prompt": [None]},
    ],
)
async def test_odd_requests_are_answered_or_refused(dialect: str, path: str, more: dict[str, Any]) -> None:
    status, _, said = await ask(dialect, path, {"model": "scenes", "max_tokens": 5, "stream": False, **more})
    assert status in (200, 400)
    assert json.loads(said)


@pytest.mark.parametrize("dialect", VENDORS)
@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nope", 404), ("POST", "/", 404), ("GET", "/v1/nope/models", 404)])
async def test_another_path_is_not_there(dialect: str, method: str, path: str, status: int) -> None:
    found, _, said = await ask(dialect, path, method=method)
    assert found == status
    assert message(dialect, said)


@pytest.mark.parametrize(
    ("dialect", "path"), [post for post in POSTS if post[0] != "gemini"] + [("ollama", "/api/tags"), ("anthropic", "/v1/models")]
)
async def test_another_method_is_not_allowed(dialect: str, path: str) -> None:
    assert (await ask(dialect, path, method="DELETE"))[0] == 405


@pytest.mark.parametrize(
    ("dialect", "path", "name"),
    [
        ("openai_chat", "/models/{}", "id"),
        ("openai_chat", "/v1/models/{}", "id"),
        ("anthropic", "/v1/models/{}", "id"),
        ("gemini", "/v1beta/models/{}", "name"),
    ],
)
async def test_one_model(dialect: str, path: str, name: str) -> None:
    for model in MODELS:
        status, _, said = await ask(dialect, path.format(model))
        assert (status, json.loads(said)[name].removeprefix("models/")) == (200, model)
    assert (await ask(dialect, path.format("nope")))[0] == 404
    assert (await ask(dialect, path.format("%65cho")))[0] == 200


async def test_tools_are_quoted_shortly() -> None:
    results = [{"role": "tool", "content": "x" * 500}] * 20
    body = {"messages": [*chat("tools"), *results]}
    answer = (await told("openai_chat", "/chat/completions", body))["choices"][0]["message"]["content"]
    assert len(answer) < 2000
    assert "…" in answer


async def test_an_older_loop_of_tools_is_over() -> None:
    said = [*chat("tools"), {"role": "tool", "content": "old"}, {"role": "assistant", "content": "Done."}, *chat("tools")]
    choice = (await told("openai_chat", "/chat/completions", {"messages": said}))["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == ASKS
