"""Every recording means what its expected.json says, however its bytes are cut. See tests/recordings/README.md."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.events import Failed, Finished
from services.messages import Reasoning, Reply, ToolCall
from services.upstream.refusals import refusal
from services.upstream.words import redacted
from tests.upstream.reading import cuts, read, reply

ROOT = Path(__file__).parent.parent / "recordings"


def found() -> list[Any]:
    pairs = [(path, json.loads(path.read_bytes())) for path in sorted(ROOT.rglob("*.expected.json"))]
    return [pytest.param(path.with_name(told["file"]), told, id=f"{path.parent.name}/{told['file']}") for path, told in pairs]


ALL = [case for case in found() if case.values[0].name not in ("tags.json", "models.json")]
ANSWERS = [case for case in ALL if case.values[1]["status"] == 200]
REFUSALS = [case for case in ALL if case.values[1]["status"] != 200]
# In content_after_finish an end comes, and then more: cut between the two it is what it seems to be.
GOOD = [case for case in ANSWERS if case.values[1]["error"] is None and case.values[0].stem != "content_after_finish"]


def test_nothing_is_missing() -> None:
    assert len(ANSWERS) > 100
    assert len(REFUSALS) >= 9


@pytest.mark.parametrize(("path", "expected"), ANSWERS)
def test_answer(path: Path, expected: dict[str, Any]) -> None:
    body = path.read_bytes()
    ways = cuts(body)
    events = read(expected["dialect"], next(ways))
    assert all(read(expected["dialect"], way) == events for way in ways)
    told = reply(events)
    assert told.message.text == expected["text"] + expected.get("extra", {}).get("refusal", "")
    assert "".join(part.text for part in told.parts if isinstance(part, Reasoning)) == expected["reasoning"]
    assert (told.reason, told.raw_reason) == (expected["finish_reason"], expected["raw_finish_reason"])
    check_calls(told, expected["tool_calls"])
    check_usage(told, expected["usage"])
    check_error(told, expected["error"])
    kept = msgspec.json.encode(told).decode()
    assert [text for text in leaves(expected.get("extra")) if text not in kept] == []


@pytest.mark.parametrize(("path", "expected"), GOOD)
def test_success_is_never_told_of_a_part(path: Path, expected: dict[str, Any]) -> None:
    """Cut off at any place: either it is a failure, or nothing of the answer is missing."""
    body = path.read_bytes()
    whole = reply(read(expected["dialect"], [body]))
    step = max(1, len(body) // 400)
    for end in range(0, len(body), step):
        *_, terminal = events = read(expected["dialect"], [body[:end]])
        if isinstance(terminal, Finished):
            assert reply(events).message == whole.message
        else:
            assert isinstance(terminal, Failed)


@pytest.mark.parametrize(("path", "expected"), ANSWERS)
def test_damaged(path: Path, expected: dict[str, Any]) -> None:
    """Bytes changed, lost, doubled: a reader never stumbles itself, and its story stays one."""
    body = path.read_bytes()[:20_000]
    for seed in range(40):
        read(expected["dialect"], [damaged(body, random.Random(seed))])


@pytest.mark.parametrize(("path", "expected"), REFUSALS)
def test_refusal(path: Path, expected: dict[str, Any]) -> None:
    error = refusal(expected["status"], expected["headers"], path.read_bytes())
    assert error.http_status == expected["status"]
    assert redacted(expected["error"]["message"]) in (error.upstream or "")
    assert "<" not in (error.upstream or "")


def damaged(body: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 8)):
        place = dice.randrange(len(body) + 1)
        piece = dice.choice([b"", b"\0", b"\xff", b"\n", b"}", b'"', b"null", b"[", body[place : place + 50] * 2])
        body = body[:place] + piece + body[place + dice.randrange(4) :]
    return body


def check_calls(told: Reply, expected: list[dict[str, Any]]) -> None:
    calls = [part for part in told.parts if isinstance(part, ToolCall)]
    assert len({call.id for call in calls}) == len(calls) == len(expected)
    for call, meant in zip(calls, expected, strict=True):
        assert call.id
        assert meant["id"] in (None, call.id)
        assert call.name == meant["name"]
        assert meant["arguments"] == (call.input if isinstance(meant["arguments"], dict) else call.arguments)


def check_usage(told: Reply, expected: dict[str, int] | None) -> None:
    counted = msgspec.to_builtins(told.usage) if told.usage else {}
    for name in ("input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens"):
        assert counted.get(name) == (expected or {}).get(name), name


def check_error(told: Reply, expected: dict[str, Any] | None) -> None:
    if expected is None:
        assert told.problem is None
        return
    assert told.problem is not None
    assert told.problem.message.endswith(".")
    said_itself = expected["message"] is not None and expected["type"] != "empty"
    assert told.problem.upstream == (redacted(expected["message"]) if said_itself else None)


def leaves(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from leaves(item)
        case dict():
            yield from leaves(list(value.values()))
