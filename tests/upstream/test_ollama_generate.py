"""Ollama's /api/generate: what is asked with a prompt instead of messages, and that its lines are read like a chat's."""

from typing import Any

import msgspec
import pytest

from services.errors import Invalid
from services.events import Failed, Finished, Usage
from services.messages import (
    Attachment,
    Image,
    Message,
    Options,
    Part,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    Vendor,
)
from services.upstream.ollama_generate import OllamaGenerateReader
from tests.upstream.reading import lines, part, read_all_ways

PICTURE = Image("data:image/png;base64,AAAA")


def said(role: Role, *parts: Part | str) -> Message:
    return Message(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def asked(*messages: Message, **options: Any) -> Any:
    request = OllamaGenerateReader().request(Turn("m", messages, Options(**options)))
    assert request.path == "/api/generate"
    return msgspec.json.decode(request.body)


def test_a_single_message_is_the_prompt() -> None:
    assert asked(said("user", "Hello", " there")) == {"model": "m", "prompt": "Hello there", "stream": True}


def test_what_the_system_says_first_is_not_in_the_prompt() -> None:
    body = asked(said("system", "Be brief."), said("system", "Be kind."), said("user", "Hello"))
    assert body == {"model": "m", "prompt": "Hello", "stream": True, "system": "Be brief.\n\nBe kind."}


def test_a_conversation_becomes_one_prompt() -> None:
    messages = [
        said("system", "Be brief."),
        said("user", "Hello"),
        said("assistant", Reasoning("A greeting."), "Hi.", Attachment("source", {"url": "http://x.test"})),
        said("system", "Now in rhyme."),
        said("user", "How are you?"),
    ]
    body = asked(*messages)
    assert body["prompt"] == "User: Hello\n\nAssistant: Hi.\n\nNow in rhyme.\n\nUser: How are you?\n\nAssistant:"
    assert (body["system"], body["options"]) == ("Be brief.", {"stop": ["\nUser:"]})
    assert asked(*messages, stop=("halt",))["options"] == {"stop": ["halt"]}


def test_images_go_beside_the_prompt() -> None:
    made = Attachment("image", {"url": "data:image/png;base64,BBBB"})
    body = asked(said("user", "This?", PICTURE), said("assistant", made, "That."), said("user", "Why?"))
    assert body["images"] == ["AAAA", "BBBB"]
    assert body["prompt"] == "User: This?\n\nAssistant: That.\n\nUser: Why?\n\nAssistant:"


def test_options_and_fields_of_ollama() -> None:
    more = Vendor("ollama", {"keep_alive": "5m", "options": {"num_ctx": 512}})
    body = asked(said("user", "Hello"), max_tokens=7, reasoning_effort="none", vendor=more)
    assert (body["options"], body["think"], body["keep_alive"]) == ({"num_predict": 7, "num_ctx": 512}, False, "5m")


@pytest.mark.parametrize(
    ("message", "options", "named"),
    [
        (said("user", "x"), {"tools": (Tool("look"),)}, "tools"),
        (said("user", "x"), {"tool_choice": "auto"}, "tool_choice"),
        (said("user", "x"), {"parallel_tool_calls": True}, "parallel_tool_calls"),
        (said("user", "x"), {"vendor": Vendor("openai_chat", {"logit_bias": {}})}, "logit_bias"),
        (said("assistant", ToolCall("1", "look", "{}", {})), {}, "tool call"),
        (said("tool", ToolResult("1", "seen")), {}, "tool result"),
        (said("user", Attachment("file", {"name": "x.pdf"})), {}, "file"),
        (said("user", Image("https://x.test/cat.png")), {}, "https://x.test/cat.png"),
        (said("system", PICTURE), {}, "image"),
    ],
)
def test_what_the_dialect_cannot_say_is_refused_by_name(message: Message, options: dict[str, Any], named: str) -> None:
    with pytest.raises(Invalid, match=named):
        asked(message, **options)


def test_lines_are_read() -> None:
    body = lines(
        {"model": "m", "response": "", "thinking": "Well.", "done": False},
        {"model": "m", "response": "Hel", "done": False},
        {"model": "m", "response": "lo", "done": False},
        {"model": "m", "response": "", "done": True, "done_reason": "length", "prompt_eval_count": 3, "eval_count": 2, "context": [1]},
    )
    story = [*part(0, "reasoning", "Well."), *part(1, "text", "Hel", "lo"), Usage(3, 2), Finished("length", "length")]
    assert read_all_ways("ollama_generate", body) == story


def test_without_an_end_it_is_cut_off() -> None:
    *_, end = read_all_ways("ollama_generate", lines({"response": "Hel", "done": False}))
    assert isinstance(end, Failed)
    assert end.code == "truncated"
