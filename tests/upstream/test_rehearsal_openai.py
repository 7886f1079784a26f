"""The bytes of OpenAI's dialects in the rehearsal are those of a correct server, down to what no reader of ours looks at."""

import json
from typing import Any

import pytest

from services.upstream.rehearsal import MODELS
from services.upstream.rehearsal.pieces import size
from services.upstream.rehearsal.scenes import ANSWER, OVERLOADED, PLAN
from services.upstream.rehearsal.script import Script, call
from services.wire.sse import SSEDecoder
from tests.upstream.rehearsing import ask, chat, frames, order, told

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


# OpenAI's Chat Completions


async def test_a_message_of_calls_alone_has_no_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "calls", lambda question: Script(call("1", "look", "{}"), end="tool_calls"))
    [choice] = (await told("openai_chat", "/chat/completions", {"model": "calls", "messages": chat("x")}))["choices"]
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]


async def test_a_stop_string_before_the_error_is_a_good_end() -> None:
    body = {"messages": chat("error"), "stop": "words"}
    [choice] = (await told("openai_chat", "/chat/completions", body))["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("A few ", "stop")


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
