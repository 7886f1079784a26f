"""What somebody brings becomes recordings: bodies of every dialect, and the HAR files of browsers. The guess is right, or there is none."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from services.errors import Invalid
from services.recordings.asked import question
from services.recordings.bringing import find
from services.recordings.file import encode
from services.recordings.guess import guess
from services.upstream.rehearsal.heard import heard
from tests.replays.playing import BODIES, body

AMBIGUOUS = {"error_before_400.json"}  # OpenAI's errors are those of all its dialects


@pytest.mark.parametrize(("path", "dialect"), BODIES)
def test_a_guess(path: Path, dialect: str) -> None:
    told = guess(path.read_bytes())
    assert told.dialect in (dialect, None) or path.name in AMBIGUOUS
    if told.dialect:
        assert told.because
        [found] = find(path.read_bytes())
        assert found.recording.body == path.read_bytes()


def test_most_are_guessed() -> None:
    assert sum(guess(path.read_bytes()).dialect == dialect for path, dialect in (case.values for case in BODIES)) >= len(BODIES) - 10


def test_a_body_without_times_is_paced_and_says_so() -> None:
    [found] = find(body("openai_chat", "hello"), now="2026-11-21T20:00:00Z")
    reads = found.recording.reads
    assert [read.at for read in reads] == [20.0 * number for number in range(len(reads))]
    assert all(read.data.endswith(b"\n\n") for read in reads)
    assert (found.recording.timed, found.recording.recorded) == (False, "2026-11-21T20:00:00Z")
    assert "no times" in found.notes[0]
    assert find(encode(found.recording))[0].recording == found.recording


@pytest.mark.parametrize("nothing", [b"", b"hello", b"<html>data</html>", b"\xff\xfe\x00", b"[" * 50_000])
def test_what_is_no_answer_is_said(nothing: bytes) -> None:
    with pytest.raises(Invalid, match="looks like"):
        find(nothing)


def entry(text: str, mime: str = "text/event-stream; charset=utf-8", **more: Any) -> dict[str, Any]:
    asked = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": "What?"}]})
    return {
        "startedDateTime": "2026-11-21T20:00:00.000Z",
        "request": {
            "method": "POST",
            "url": "https://example.org/v1/chat/completions?key=secret-in-the-query",
            "headers": [{"name": "authorization", "value": "Bearer secret-in-a-header"}],
            "postData": {"mimeType": "application/json", "text": asked},
        },
        "response": {"status": 200, "content": {"mimeType": mime, "text": text, **more}},
        "timings": {"blocked": 3.1, "dns": -1, "connect": -1, "ssl": -1, "send": 1, "wait": 99, "receive": 400},
    }


def har(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


def test_a_har() -> None:
    sse, lines = body("openai_chat", "hello"), body("ollama_chat", "hello")
    page = entry("<html></html>", "text/html")
    empty = entry("")
    coded = entry(b64encode(lines).decode(), "application/x-ndjson", encoding="base64")
    first, second = find(har(page, entry(sse.decode()), empty, coded, {"odd": 1}))
    assert (first.guess.dialect, second.guess.dialect) == ("openai_chat", "ollama")
    assert (first.recording.body, second.recording.body) == (sse, lines)
    assert (first.recording.reads[0].at, first.recording.reads[-1].at, first.recording.timed) == (100.0, 500.0, False)
    assert first.what == "POST /v1/chat/completions → 200"
    assert question(first.recording.request.body if first.recording.request else None) == "What?"
    assert b"secret" not in encode(first.recording)
    assert any("spread evenly" in note for note in first.notes)
    assert any("1 answers that streamed" in note for note in first.notes)
    assert heard(second.recording).end is not None


def test_a_har_of_an_event_source_has_times() -> None:
    said = [json.dumps({"candidates": [{"content": {"parts": [{"text": text}]}}]}) for text in ("one", "two")]
    began = 1_795_291_200.0  # 2026-11-21T20:00:00Z
    moments = (0.25, 1.5)
    messages = [
        {"type": "receive", "time": began + at, "eventName": "message", "eventId": "", "data": data}
        for at, data in zip(moments, said, strict=True)
    ]
    [found] = find(har({**entry(""), "_eventSourceMessages": messages}))
    assert found.guess.dialect == "gemini"
    assert [read.at for read in found.recording.reads] == [250.0, 1500.0]
    assert found.recording.timed


def test_a_har_without_an_answer() -> None:
    with pytest.raises(Invalid, match="1 that streamed were saved without their bodies"):
        find(har(entry(""), entry("<html></html>", "text/html")))
