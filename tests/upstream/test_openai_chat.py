"""Chat Completions: bytes on the left, events on the right. Tool calls are in test_calls.py, what goes wrong in test_openai_failures.py."""

from typing import Any

import pytest

from services.events import Event, Finished, PartFinished, Usage
from services.upstream.openai_chat import OpenAIChatReader
from tests.upstream.reading import DONE, FINISHED, STOP, chat, delta, end, frames, part

TEXT = [
    ("fragments", [delta(content="Hel"), delta(content="lo")], part(0, "text", "Hel", "lo")),
    ("role and nulls", [delta(role="assistant", content=""), delta(content=None), delta(content="Hi")], part(0, "text", "Hi")),
    ("characters", [delta(content="ö\u2028\u0085👋")], part(0, "text", "ö\u2028\u0085👋")),
    ("NUL", ['{"choices":[{"delta":{"content":"a\\u0000b"}}]}'], part(0, "text", "a\ufffdb")),
    ("half a character", ['{"choices":[{"delta":{"content":"a\\ud83d!"}}]}'], part(0, "text", "a\ufffd!")),
    (
        "a character in two deltas",
        ['{"choices":[{"delta":{"content":"a\\ud83d"}}]}', '{"choices":[{"delta":{"content":"\\udc4b!"}}]}'],
        part(0, "text", "a", "👋!"),
    ),
    ("half a character at the end", ['{"choices":[{"delta":{"content":"a\\ud83d"}}]}'], part(0, "text", "a", "\ufffd")),
    ("a list", [delta(content=[{"type": "text", "text": "a"}, "b"])], part(0, "text", "a", "b")),
    ("message for delta", [{"choices": [{"message": {"content": "a"}}]}], part(0, "text", "a")),
    ("index as text", [{"choices": [{"index": "0", "delta": {"content": "a"}}]}], part(0, "text", "a")),
    (
        "other choices",
        [{"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "a"}}]}],
        part(0, "text", "a"),
    ),
    ("wrong shapes", [{"choices": ["?", {"delta": "?"}, {"delta": {"content": 5, "refusal": "r"}}]}], part(0, "refusal", "r")),
    ("two in one frame", ['{"choices":[{"delta":{"content":"a"}}]} {"choices":[{"delta":{"content":"b"}}]}'], part(0, "text", "a", "b")),
    ("framed twice", ['data: {"choices":[{"delta":{"content":"a"}}]}'], part(0, "text", "a")),
    ("keep-alives", ["", {"choices": []}, {"type": "ping"}, delta(content="a"), {"choices": None}], part(0, "text", "a")),
    ("three frames of no JSON", ["{", '{"choices":[{"delta":{"content":"lost', "{]", delta(content="a")], part(0, "text", "a")),
    ("null error", [{**delta(content="a"), "error": None}], part(0, "text", "a")),
    ("refusal", [delta(refusal="I'm "), delta(refusal="sorry")], part(0, "refusal", "I'm ", "sorry")),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in TEXT], ids=[case[0] for case in TEXT])
def test_text(payloads: list[Any], parts: list[Event]) -> None:
    assert chat(*payloads, STOP, DONE) == [*parts, FINISHED]


def summary(text: str) -> dict[str, Any]:
    return {"type": "reasoning.summary", "summary": text, "index": 0}


REASONING = [
    ("reasoning_content", [delta(reasoning_content="hm"), delta(content="a")], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("reasoning", [delta(reasoning="hm"), delta(content="a")], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("both names", [delta(reasoning="hm", reasoning_content="hm", content="a")], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("beside text", [delta(reasoning="x", content="a"), delta(content="b")], [*part(0, "reasoning", "x"), *part(1, "text", "a", "b")]),
    (
        "details, their text once",
        [delta(reasoning="h", reasoning_details=[summary("h")]), delta(reasoning="m", reasoning_details=[summary("m")])],
        part(0, "reasoning", "h", "m", form="summary", side={"reasoning_details": [summary("hm")]}),
    ),
    (
        "details alone",
        [delta(reasoning_details=[summary("hm")])],
        part(0, "reasoning", "hm", form="summary", side={"reasoning_details": [summary("hm")]}),
    ),
    (
        "a signature that comes late",
        [
            delta(reasoning="hm", reasoning_details=[{"type": "reasoning.text", "text": "hm", "signature": None, "index": 0}]),
            delta(reasoning_details=[{"type": "reasoning.text", "signature": "S", "index": 0}]),
        ],
        part(0, "reasoning", "hm", side={"reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "S", "index": 0}]}),
    ),
    (
        "encrypted",
        [delta(reasoning_details=[{"type": "reasoning.encrypted", "data": "gAAA"}])],
        part(0, "reasoning", form="encrypted", side={"reasoning_details": [{"type": "reasoning.encrypted", "data": "gAAA"}]}),
    ),
    (
        "a list",
        [delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}])],
        [*part(0, "reasoning", "hm"), *part(1, "text", "a")],
    ),
    ("tags", [delta(content="<think>hm</think>a")], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    (
        "tags in pieces",
        [delta(content=text) for text in ["\n<th", "ink>\n", "h", "m\n", "\n</", "think>\n\n", "a", "</think>"]],
        [*part(0, "reasoning", "h", "m"), *part(1, "text", "a", "</think>")],
    ),
    ("a tag that is none", [delta(content="<th"), delta(content="e>")], part(0, "text", "<the>")),
    ("a tag that stays open", [delta(content="<think>h"), delta(content="m</thi")], part(0, "reasoning", "h", "m", "</thi")),
    ("a tag later on", [delta(content="Write "), delta(content="<think>")], part(0, "text", "Write ", "<think>")),
]


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in REASONING], ids=[case[0] for case in REASONING])
def test_reasoning(payloads: list[Any], parts: list[Event]) -> None:
    assert chat(*payloads, STOP, DONE) == [*parts, FINISHED]


OTHERS = [
    ("images", delta(images=[{"image_url": {"url": "data:,A"}}]), part(0, "image", value={"url": "data:,A"})),
    (
        "annotations",
        delta(annotations=[{"type": "url_citation", "url_citation": {"url": "https://e.org", "title": "E"}}]),
        part(0, "source", value={"url": "https://e.org", "title": "E"}),
    ),
    (
        "citations, repeated",
        {**delta(), "citations": ["https://a", "https://a", "https://b"]},
        [*part(0, "source", value={"url": "https://a"}), *part(1, "source", value={"url": "https://b"})],
    ),
    ("logprobs of another kind", '{"choices":[{"delta":{"content":"a"},"logprobs":{"content":5}}]}', part(0, "text", "a")),
    ("what nobody knows", delta(content=[{"type": "hologram", "n": 1}]), part(0, "opaque", value={"type": "hologram", "n": 1})),
    (
        "logprobs, with numbers JSON does not have",
        '{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-Infinity}]}}]}',
        part(0, "text", "a", side={"logprobs": [{"token": "a", "logprob": None}]}),
    ),
]


@pytest.mark.parametrize(("payload", "parts"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_other_parts(payload: Any, parts: list[Event]) -> None:
    assert chat(payload, STOP, DONE) == [*parts, FINISHED]


COUNTS = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
CACHE = {"prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2}}
THOUGHT = {"completion_tokens_details": {"reasoning_tokens": 4}}


def usage(given: dict[str, Any]) -> dict[str, Any]:
    return {"choices": [], "usage": given}


USAGE = [
    ("after the end", [STOP, usage(COUNTS)], Usage(9, 5, total_tokens=14)),
    ("on the end", [{**STOP, "usage": COUNTS}], Usage(9, 5, total_tokens=14)),
    ("in the choice", [{"choices": [{"finish_reason": "stop", "usage": COUNTS}]}], Usage(9, 5, total_tokens=14)),
    ("the last one wins", [STOP, usage({"prompt_tokens": 9, "completion_tokens": 1}), usage(COUNTS)], Usage(9, 5, total_tokens=14)),
    ("class by class", [STOP, usage(CACHE), usage(THOUGHT)], Usage(reasoning_tokens=4, cached_tokens=3, cache_write_tokens=2)),
    ("DeepSeek's cache", [STOP, usage({"prompt_cache_hit_tokens": 7})], Usage(cached_tokens=7)),
    ("timings", [{**STOP, "timings": {"cache_n": 4, "prompt_n": 5, "predicted_n": 6}}], Usage(9, 6, cached_tokens=4)),
    ("timings beside usage", [{**STOP, "usage": COUNTS, "timings": {"prompt_n": 1}}], Usage(9, 5, total_tokens=14)),
    ("timings after usage", [{**STOP, "usage": COUNTS}, {"choices": [], "timings": {"prompt_n": 1}}], Usage(9, 5, total_tokens=14)),
    ("nonsense", [STOP, usage({"prompt_tokens": -1, "completion_tokens": True, "total_tokens": "7"})], None),
]


@pytest.mark.parametrize(("payloads", "counted"), [case[1:] for case in USAGE], ids=[case[0] for case in USAGE])
def test_usage(payloads: list[Any], counted: Usage | None) -> None:
    assert chat(*payloads, DONE) == [*([counted] if counted else []), FINISHED]


ENDS = [
    ("length", Finished("length", "length")),
    ("max_tokens", Finished("length", "max_tokens")),
    ("content_filter", Finished("content_filter", "content_filter")),
    ("SAFETY", Finished("content_filter", "SAFETY")),
    ("eos", Finished("stop", "eos")),
    ("never heard of", Finished("stop", "never heard of")),
    ("tool_calls", Finished("stop", "tool_calls")),  # of which there are none
]


@pytest.mark.parametrize(("raw", "finished"), ENDS)
def test_the_end(raw: str, finished: Finished) -> None:
    assert chat(delta(content="a"), end(raw), DONE)[-1] == finished
    assert chat(delta(content="a"), end(raw))[-1] == finished  # the connection ended, [DONE] did not come


def test_the_end_comes_with_done_so_that_usage_is_not_lost() -> None:
    reader = OpenAIChatReader()
    assert Finished not in map(type, reader.feed(frames(delta(content="a"), STOP)))
    assert not reader.done
    assert reader.feed(frames(DONE, "garbage", delta(content="b"))) == [PartFinished(0), FINISHED]
    assert reader.done


def test_done_after_text_is_an_end() -> None:
    assert chat(delta(content="a"), DONE) == [*part(0, "text", "a"), Finished("stop")]
