"""Gemini's streamGenerateContent: bytes on the left, events on the right. Failures are here too: none of them is a success."""

from typing import Any

import msgspec
import pytest

from services.errors import LimitExceeded
from services.events import Event, Failed, Finished, PartDelta, PartFinished, PartStarted, Usage
from services.messages import Reasoning, Text
from tests.upstream.reading import frames, part, read, read_all_ways, reply

FINISHED = Finished("stop", "STOP")


def said(*parts: Any, **candidate: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": 0, **candidate}]}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"text": words, **more}


def end(reason: str = "STOP", **more: Any) -> dict[str, Any]:
    return said(text(""), finishReason=reason, **more)


def called(*pieces: dict[str, Any], **call: Any) -> dict[str, Any]:
    return said({"functionCall": {**call, **({"partialArgs": list(pieces)} if pieces else {})}})


def json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def told(*payloads: Any) -> list[Event]:
    return read_all_ways("gemini", frames(*payloads, end()))


def call(number: int, id: str, name: str, arguments: str, value: object, **more: Any) -> list[Event]:
    return part(number, "tool_call", *([arguments] if arguments else []), id=id, name=name, value=value, **more)


SIGNED = {"thought_signature": "S"}

ANSWERS: list[tuple[str, list[Any], list[Event]]] = [
    ("text", [said(text("Hel")), said(text("lo"))], part(0, "text", "Hel", "lo")),
    ("two parts in a chunk", [said(text("Hel"), text("lo"))], part(0, "text", "Hel", "lo")),
    ("no parts", [{"candidates": [{"content": {"role": "model"}}]}, said(text("a")), {"candidates": [{"index": 0}]}], part(0, "text", "a")),
    ("keep-alives", [{}, said(text("Hel")), "{}", said(text("lo"))], part(0, "text", "Hel", "lo")),
    ("only the first of two candidates", [said(text("no"), index=1), said(text("a"))], part(0, "text", "a")),
    ("half a character", [said(text("a\0"))], part(0, "text", "a\ufffd")),
    ("thoughts", [said(text("hm", thought=True)), said(text("a"))], [*part(0, "reasoning", "hm"), *part(1, "text", "a")]),
    ("a signature at the end", [said(text("a")), said(text("", thoughtSignature="S"))], part(0, "text", "a", side=SIGNED)),
    ("a signature without text", [said(text("a")), said({"thoughtSignature": "S"})], part(0, "text", "a", side=SIGNED)),
    (
        "signed prose does not go on",
        [said(text("h", thought=True, thoughtSignature="S"), text("m", thought=True)), said(text("a", thoughtSignature="T"), text("b"))],
        [
            *(*part(0, "reasoning", "h", side=SIGNED), *part(1, "reasoning", "m")),
            *(*part(2, "text", "a", side={"thought_signature": "T"}), *part(3, "text", "b")),
        ],
    ),
    (
        "a signature before any text",
        [said(text("", thoughtSignature="S")), said(text("a"))],
        [*part(0, "reasoning", form="encrypted", side=SIGNED), *part(1, "text", "a")],
    ),
    ("a call", [called(name="x", args={"n": 1})], call(0, "call00000", "x", '{"n":1}', {"n": 1})),
    ("a call with an id, without arguments", [called(name="x", id="a")], call(0, "a", "x", "", {})),
    (
        "a call with a signature, and one without",
        [said({"functionCall": {"name": "x", "args": {}}, "thoughtSignature": "S"}, {"functionCall": {"name": "x", "args": {}}})],
        [*call(0, "call00000", "x", "{}", {}, side=SIGNED), *call(1, "call00001", "x", "{}", {})],
    ),
    (
        "text around a call",
        [said(text("a")), said(text("b"), {"functionCall": {"name": "x"}}, text("c"))],
        [*part(0, "text", "a", "b"), *call(1, "call00000", "x", "", {}), *part(2, "text", "c")],
    ),
    (
        "a call in pieces",
        [
            called(name="x", willContinue=True),
            called({"jsonPath": "$.city", "stringValue": "Kö", "willContinue": True}, willContinue=True),
            called({"jsonPath": "$.city", "stringValue": "ln"}, {"jsonPath": "$.days[0].n", "numberValue": 1}, willContinue=True),
            called({"jsonPath": "$['a b'][0][0]", "nullValue": "NULL_VALUE"}, {"jsonPath": "$.sure", "boolValue": True}, willContinue=True),
            called(),
            called(name="y"),
        ],
        [
            *call(0, "call00000", "x", '{"city":"Köln","days":[{"n":1}],"a b":[[null]],"sure":true}',
                  {"city": "Köln", "days": [{"n": 1}], "a b": [[None]], "sure": True}),
            *call(1, "call00001", "y", "", {}),
        ],
    ),
    (
        "pieces that belong nowhere",
        [
            called({"jsonPath": "$.a[7]", "stringValue": "b"}, {"jsonPath": "$[0]", "numberValue": 1}, {"jsonPath": 5}, name="x"),
            called(),
        ],
        call(0, "call00000", "x", '{"a":[]}', {"a": []}),
    ),
    ("a call in pieces that ends with the answer", [called(name="x", willContinue=True)], call(0, "call00000", "x", "{}", {})),
    (
        "an image",
        [said(text("a")), said({"inlineData": {"mimeType": "image/png", "data": "AA"}, "thoughtSignature": "S"})],
        [
            *part(0, "text", "a"),
            *part(1, "image", value={"url": "data:image/png;base64,AA", "media_type": "image/png"}, side=SIGNED),
        ],
    ),
    (
        "sound",
        [said({"inlineData": {"mimeType": "audio/wav", "data": "AA"}})],
        part(0, "file", value={"url": "data:audio/wav;base64,AA", "media_type": "audio/wav"}),
    ),
    (
        "code that the server ran",
        [said({"executableCode": {"language": "PYTHON", "code": "1"}}), said({"codeExecutionResult": {"outcome": "OUTCOME_OK"}})],
        [
            *part(0, "opaque", value={"executableCode": {"language": "PYTHON", "code": "1"}}),
            *part(1, "opaque", value={"codeExecutionResult": {"outcome": "OUTCOME_OK"}}),
        ],
    ),
    (
        "sources, each once",
        [
            said(text("a"), groundingMetadata={"groundingChunks": [{"web": {"uri": "https://e.org", "title": "E"}}, {"web": 5}, 7]}),
            said(groundingMetadata={"groundingChunks": [{"web": {"uri": "https://e.org", "title": "E"}}]}),
            said(citationMetadata={"citationSources": [{"uri": "https://f.org", "license": None, "startIndex": 1}]}),
        ],
        [
            *(PartStarted(0, "text"), PartDelta(0, "a")),
            *part(1, "source", value={"url": "https://e.org", "title": "E"}),
            *part(2, "source", value={"url": "https://f.org", "startIndex": 1}),
            PartFinished(0),
        ],
    ),
    ("wrong shapes", [{"candidates": [5, {"content": [], "groundingMetadata": 1}]}, said(7, {"text": 1}, {"functionCall": 2}, text("a"))],
     [*part(0, "opaque", value={"functionCall": 2}), *part(1, "text", "a")]),
    ("three frames of no JSON", ["{", said(text("a")), "{]", '"'], part(0, "text", "a")),
    ("framed twice, in a list", [f"data: {json([said(text('Hel')), said(text('lo'))])}"], part(0, "text", "Hel", "lo")),
]  # fmt: skip


@pytest.mark.parametrize(("payloads", "parts"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_answers(payloads: list[Any], parts: list[Event]) -> None:
    calls = any(isinstance(event, PartStarted) and event.kind == "tool_call" for event in parts)
    finished = Finished("tool_calls", "STOP") if calls else FINISHED
    assert told(*payloads) == [*parts, finished]
    array = msgspec.json.encode([msgspec.json.decode(each) if each == "{}" else each for each in [*payloads, end()]])
    if not any(isinstance(each, str) and each != "{}" for each in payloads):
        assert read_all_ways("gemini", array) == [*parts, finished]


ENDS = [
    ("STOP", "stop"),
    ("SOMETHING_NEW", "stop"),
    ("MAX_TOKENS", "length"),
    ("SAFETY", "content_filter"),
    ("RECITATION", "content_filter"),
    ("LANGUAGE", "content_filter"),
    ("BLOCKLIST", "content_filter"),
    ("PROHIBITED_CONTENT", "content_filter"),
    ("SPII", "content_filter"),
    ("MODEL_ARMOR", "content_filter"),
    ("IMAGE_SAFETY", "content_filter"),
]


@pytest.mark.parametrize(("raw", "reason"), ENDS)
def test_the_end(raw: str, reason: Any) -> None:
    before = frames(said(text("a")), {"candidates": [{"finishReason": raw}]})
    for after in (b"", frames({"usageMetadata": {}}), frames("[DONE]"), b": ping\n\n", b"data: {"):
        assert read_all_ways("gemini", before + after) == [*part(0, "text", "a"), Finished(reason, raw)]


def test_a_filter_may_be_explained() -> None:
    events = read_all_ways("gemini", frames(said(text("a")), end("SAFETY", finishMessage="No.")))
    assert events == [*part(0, "text", "a"), *part(1, "refusal", "No."), Finished("content_filter", "SAFETY")]


def test_a_prompt_may_be_refused() -> None:
    counts = {"promptTokenCount": 4, "totalTokenCount": 4}
    for reason in ("PROHIBITED_CONTENT", "OTHER", "JAILBREAK"):
        refused = {"promptFeedback": {"blockReason": reason, "blockReasonMessage": "No."}, "usageMetadata": counts}
        events = read_all_ways("gemini", frames(refused))
        assert events == [*part(0, "refusal", "No."), Usage(4, total_tokens=4), Finished("content_filter", reason)]
    assert told({"promptFeedback": {"safetyRatings": []}, **said(text("a"))}) == [*part(0, "text", "a"), FINISHED]


def test_usage() -> None:
    first = {"promptTokenCount": 9, "thoughtsTokenCount": 20, "totalTokenCount": 29}
    last = {"promptTokenCount": 9, "candidatesTokenCount": 5, "thoughtsTokenCount": 20, "cachedContentTokenCount": 4, "totalTokenCount": 34}
    events = told({**said(text("a")), "usageMetadata": first}, {"usageMetadata": {**last, "promptTokensDetails": 5}})
    assert events == [*part(0, "text", "a"), Usage(9, 5, 20, 4, None, 34), FINISHED]
    odd = told({**said(text("a")), "usageMetadata": {"promptTokenCount": "9", "candidatesTokenCount": -1, "totalTokenCount": 2.5}})
    assert odd[3:] == [Usage(9), FINISHED]
    half = '{"candidates":[],"usageMetadata":{"promptTokenCount":"\\ud83d","totalTokenCount":4}}'
    assert told(half, said(text("a")))[3:] == [Usage(total_tokens=4), FINISHED]


ERRORS = [
    ("a frame", frames({"error": {"code": 503, "message": "Boom", "status": "UNAVAILABLE"}}), "server_error", "Boom"),
    ("in a list", frames([{"error": {"code": 429, "message": "Boom", "status": "RESOURCE_EXHAUSTED"}}]), "rate_limited", "Boom"),
    ("in a chunk", frames({**end(), "error": {"message": "Boom"}}), "upstream", "Boom"),
    ("as an event", b'event: error\ndata: {"error":{"message":"Boom"}}\n\n', "upstream", "Boom"),
    ("as an event of text", b"event: error\ndata: Boom\n\n", "upstream", "Boom"),
    ("a string", frames({"error": "Boom"}), "upstream", "Boom"),
    ("detail", frames({"detail": "Boom"}), "upstream", "Boom"),
    ("after an end", frames(end(), {"error": {"code": 500, "message": "Boom"}}), "server_error", "Boom"),
    ("and then an end", frames({"error": {"message": "Boom"}}, end(), "[DONE]"), "upstream", "Boom"),
    ("with a key in it", frames({"error": {"message": "Boom AIzaSyA1234567890"}}), "upstream", "Boom [redacted]"),
    ("an end that is none", frames(end("MALFORMED_FUNCTION_CALL", finishMessage="Boom")), "upstream", "Boom"),
    ("an end that nobody knows", frames(end("OTHER")), "upstream", None),
    ("an end that is not said", frames(end("FINISH_REASON_UNSPECIFIED")), "truncated", None),
    ("DONE", frames("[DONE]"), "truncated", None),
    ("no JSON, four times", frames("{", "{", "{", "{", end()), "protocol", "{"),
    ("too deep", frames("[" * 10_000, "{", "{", "{"), "protocol", "{"),
    ("nothing more", b"", "truncated", None),
    ("half a frame", b'data: {"candidates":[{"finishReason":"ST', "truncated", None),
    ("keep-alives", frames({}, {}) + b": ping\n\n", "truncated", None),
    ("usage", frames({"usageMetadata": {}}), "truncated", None),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_failures_keep_what_was_told(body: bytes, code: str, words: str | None) -> None:
    events = read_all_ways("gemini", frames(said(text("Hel")), said(text("lo"))) + body)
    failed = events[-1]
    assert [event for event in events[:-1] if event != Usage()] == part(0, "text", "Hel", "lo")
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "streaming")


NO_ANSWERS = [
    ("nothing", b"", "empty", None),
    ("comments", b": ping\n\n", "empty", None),
    ("keep-alives", frames({}), "empty", None),
    ("DONE", frames("[DONE]"), "empty", None),
    ("a web page", b"<html><title>Sign in</title>", "not_a_stream", "Sign in"),
    ("a long web page", b"<html>" + b"x" * 20_000, "not_a_stream", None),
    ("an error in a list", b'[{"error":{"code":429,"message":"Slow down"}}\n]\n', "rate_limited", "Slow down"),
    ("an error, pretty", b'{\n  "error": {\n    "code": 401,\n    "message": "No"\n  }\n}\n', "auth", "No"),
    ("other JSON", b'{"status":"ok"}', "not_a_stream", '{"status":"ok"}'),
    ("other frames", frames({"choices": []}), "not_a_stream", '{"choices":[]}'),
    ("an empty list", b"[]", "truncated", None),
    ("half an answer", b'{"candidates":[{"content":{"parts":[{"text":"Hel', "truncated", None),
]


@pytest.mark.parametrize(("body", "code", "words"), [case[1:] for case in NO_ANSWERS], ids=[case[0] for case in NO_ANSWERS])
def test_what_is_no_answer(body: bytes, code: str, words: str | None) -> None:
    [failed] = read_all_ways("gemini", body)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.upstream, failed.phase) == (code, words, "waiting")


def test_a_whole_answer_and_an_array_that_is_cut_off() -> None:
    whole = msgspec.json.encode(said(text("hm", thought=True), text("Hello"), finishReason="STOP"))
    assert reply(read_all_ways("gemini", whole)).parts == (Reasoning("hm"), Text("Hello"))
    array = msgspec.json.encode([said(text("Hel")), said(text("lo"), finishReason="STOP")])
    *events, failed = read_all_ways("gemini", array[: array.index(b"lo")])
    assert events == part(0, "text", "Hel")
    assert isinstance(failed, Failed)
    assert failed.code == "truncated"


def test_limits() -> None:
    *events, failed = read("gemini", [frames(*[called(name="x", args={})] * 200, end())])
    assert isinstance(failed, Failed)
    assert failed.code == "limit"
    assert sum(isinstance(event, PartStarted) for event in events) == 128
    for endless in (b"data: ", b'[{"a":"'):
        with pytest.raises(LimitExceeded):
            read("gemini", [endless, *[b"x" * (1 << 20)] * 20])


@pytest.mark.parametrize("depth", [50, 300, 600, 900, 980, 1000, 1500])
def test_nested_to_the_end_of_the_stack(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    for odd in (called(name="x", args="?"), said({"news": "?"})):
        chunk = json(odd).replace('"?"', deep)
        assert isinstance(told(chunk, said(text("a")))[-1], Finished)
