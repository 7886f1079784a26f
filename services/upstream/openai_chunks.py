"""The shapes of Chat Completions that servers send, legacy Completions among them, and what their fields mean. No story.

What is declared here is decoded; what is not (id, created, model, object, fingerprints) costs nothing. `Any` is what servers
disagree about. https://platform.openai.com/docs/api-reference/chat-streaming
"""

from typing import Any

import msgspec

from services.events import Reason, Usage
from services.upstream import loose


class Delta(msgspec.Struct, gc=False):
    content: str | list[Any] | None = None
    reasoning_content: str | None = None  # DeepSeek, llama.cpp, SGLang, vLLM before 0.12, Moonshot, xAI, Alibaba
    reasoning: str | None = None  # Ollama, Groq, LM Studio, newer vLLM, OpenRouter
    reasoning_details: list[Any] | None = None  # OpenRouter, with the same text once more
    refusal: str | None = None
    tool_calls: list[Any] | None = None
    function_call: dict[str, Any] | None = None  # before tools
    images: list[Any] | None = None  # OpenRouter, proxies of Gemini
    annotations: list[Any] | None = None


class Choice(msgspec.Struct, gc=False):
    index: int | None = 0
    delta: Delta | None = None
    message: Delta | None = None  # of a whole completion; some servers stream it
    text: str | None = None  # legacy Completions have this instead of both
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None  # Moonshot


class Chunk(msgspec.Struct, gc=False):
    choices: list[Choice] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    timings: dict[str, Any] | None = None  # llama.cpp
    citations: list[Any] | None = None  # Perplexity, on every chunk


decode = msgspec.json.Decoder(Chunk).decode

_NO_CONTENT, _NO_TEXT = Chunk([Choice(0, Delta())]), Chunk([Choice(0)])


def only_text(data: bytes) -> str | None:
    """The text of a chunk that says nothing but text, which 99 of 100 do; None for any other frame."""
    try:
        chunk = decode(data)
        choice = chunk.choices[0]  # type: ignore[index]
    except (*loose.UNREADABLE, TypeError, IndexError):
        return None
    if (delta := choice.delta) is None:
        text, choice.text = choice.text, None
        return text if text is not None and chunk == _NO_TEXT else None
    text, delta.content = delta.content, None
    return text if type(text) is str and chunk == _NO_CONTENT else None


# Reasons that are not OpenAI's: TGI, vLLM, Anthropic and Gemini behind proxies. What is not here means stop.
REASONS: dict[str, Reason] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "sensitive": "content_filter",
}
# OpenRouter; vLLM; DeepSeek. These are ends, but not good ones.
FAILURES = {"error", "abort", "insufficient_system_resource"}


def salvaged(value: object) -> Chunk:
    """A chunk out of an object that is not quite one."""
    chunk = loose.shaped(value, Chunk)
    choices = value.get("choices") if isinstance(value, dict) else None
    if isinstance(choices, list):
        chunk.choices = [_choice(choice) for choice in choices if isinstance(choice, dict)]
    return chunk


def _choice(value: dict[str, Any]) -> Choice:
    choice = loose.shaped(value, Choice)
    for name in ("delta", "message"):
        if isinstance(value.get(name), dict):
            setattr(choice, name, loose.shaped(value[name], Delta))
    return choice


def usage(given: dict[str, Any]) -> Usage:
    """Input includes what was cached, output includes reasoning, except at xAI: so nothing is computed here."""
    into, out = loose.inner(given, "prompt_tokens_details"), loose.inner(given, "completion_tokens_details")
    cached = into.get("cached_tokens")
    return Usage(
        input_tokens=loose.count(given.get("prompt_tokens")),
        output_tokens=loose.count(given.get("completion_tokens")),
        reasoning_tokens=loose.count(out.get("reasoning_tokens")),
        cached_tokens=loose.count(given.get("prompt_cache_hit_tokens") if cached is None else cached),
        cache_write_tokens=loose.count(into.get("cache_write_tokens")),
        total_tokens=loose.count(given.get("total_tokens")),
    )


def usage_of_timings(timings: dict[str, Any]) -> Usage:
    """llama.cpp counts here when nobody asked for usage: prompt_n is what was not in its cache."""
    cached, fresh = loose.count(timings.get("cache_n")), loose.count(timings.get("prompt_n"))
    asked = None if fresh is None else fresh + (cached or 0)
    return Usage(input_tokens=asked, output_tokens=loose.count(timings.get("predicted_n")), cached_tokens=cached)


def whole(value: object) -> bool:
    """A completion that is one document, and so is complete where the document is."""
    return any(choice.message is not None for choice in salvaged(value).choices or ())


def logprobs(given: dict[str, Any]) -> list[Any]:
    """One entry for each token: `content` is such a list, legacy Completions have a list for each field of it."""
    told = given.get("content")
    if isinstance(told, list):
        return told
    tokens, numbers, others = (given.get(name) for name in ("tokens", "token_logprobs", "top_logprobs"))
    if not isinstance(tokens, list) or not isinstance(numbers, list):
        return []
    tops = others if isinstance(others, list) and len(others) == len(tokens) else [None] * len(tokens)
    return [
        {"token": token, "logprob": number} | ({"top_logprobs": top} if top else {})
        for token, number, top in zip(tokens, numbers, tops, strict=False)
    ]


def joined(details: list[object]) -> list[object]:
    """OpenRouter's reasoning_details as they go back: the fragments of one block are one block again, in the same order.

    https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks
    """
    blocks: list[dict[str, Any]] = []
    texts: list[list[str]] = []
    for detail in details:
        if not isinstance(detail, dict):
            continue
        if not blocks or not _continues(blocks[-1], detail):
            blocks.append({})
            texts.append([])
        blocks[-1].update({key: value for key, value in detail.items() if value is not None})
        texts[-1].append(detail_text(detail))
    for block, pieces in zip(blocks, texts, strict=True):
        for key in ("text", "summary"):
            if key in block:
                block[key] = "".join(pieces)
    return list(blocks)


def detail_text(detail: dict[str, Any]) -> str:
    text = detail.get("text") or detail.get("summary")
    return text if isinstance(text, str) else ""


def _continues(block: dict[str, Any], detail: dict[str, Any]) -> bool:
    same = all(block.get(key) == detail.get(key) for key in ("type", "index"))
    return same and detail.get("type") in ("reasoning.text", "reasoning.summary")
