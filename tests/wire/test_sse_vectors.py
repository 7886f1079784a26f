"""192 event streams with what a browser makes of each: sse_vectors.json, one JSON object a line, described at the top of it."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.wire.sse import Frame, SSEDecoder
from tests.wire.test_sse import pieces


class Vector(NamedTuple):
    name: str
    body: bytes
    events: list[tuple[str, str, str]]
    retries: list[int | None]  # what each event's own block said
    due: list[int]  # how many bytes must suffice for each event
    last_event_id: str
    retry: int | None
    any_retry: bool
    large: bool


def vectors() -> Iterator[Vector]:
    for written in json.loads((Path(__file__).parent / "sse_vectors.json").read_text("utf-8"))["vectors"]:
        repeated = [event for event in written["expected"] for _ in range(event.get("repeat", 1))]
        yield Vector(
            name=written["name"],
            body=base64.b64decode(written["input_base64"]) if "input_base64" in written else b"".join(body_parts(written)),
            events=[(event["event"], text(event), event["id"]) for event in repeated],
            retries=[event.get("retry") for event in repeated],
            due=written.get("emit_after_bytes", []),
            last_event_id=written["last_event_id_after"],
            retry=written["retry_after"],
            any_retry=written.get("retry_unspecified", False),
            large=written.get("large", False),
        )


def body_parts(written: dict[str, Any]) -> Iterator[bytes]:
    return (base64.b64decode(part["base64"]) * part["repeat"] for part in written["input_parts"])


def text(event: dict[str, Any]) -> str:
    return event["data"] if "data" in event else "".join(part["text"] * part["repeat"] for part in event["data_parts"])


def decoded(frames: Iterable[Frame]) -> list[tuple[str, str, str]]:
    return [(event, data.decode("utf-8", "replace"), id) for event, data, id in frames]


VECTORS = list(vectors())
SMALL = [vector for vector in VECTORS if not vector.large]
LARGE = [vector for vector in VECTORS if vector.large]


def replay(vector: Vector, chunks: Iterable[bytes]) -> list[int]:
    """Checks everything the vector says, and returns how many bytes had been read when each event came out."""
    decoder, frames, read, came = SSEDecoder(), list[Frame](), 0, list[int]()
    for chunk in chunks:
        read += len(chunk)
        new = decoder.feed(chunk)
        frames += new
        came += [read] * len(new)
    assert decoded(frames) == vector.events
    assert decoder.last_event_id == vector.last_event_id
    assert vector.any_retry or decoder.retry == vector.retry
    return came


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector_whole(vector: Vector) -> None:
    replay(vector, [vector.body])


@pytest.mark.parametrize("vector", SMALL, ids=lambda vector: vector.name)
def test_vector_byte_by_byte_and_each_event_at_its_byte(vector: Vector) -> None:
    assert replay(vector, pieces(vector.body, 1)) == vector.due


@pytest.mark.parametrize("vector", SMALL, ids=lambda vector: vector.name)
def test_vector_cut_in_two_at_every_place(vector: Vector) -> None:
    whole = len(vector.body)
    for cut in range(whole + 1):
        came = replay(vector, [vector.body[:cut], vector.body[cut:]])
        assert came == [cut if due <= cut else whole for due in vector.due], f"cut at {cut}"


@pytest.mark.parametrize("size", [16384, 1400, 64])
@pytest.mark.parametrize("vector", LARGE, ids=lambda vector: vector.name)
def test_large_vector_in_pieces(vector: Vector, size: int) -> None:
    replay(vector, pieces(vector.body, size))


@pytest.mark.parametrize("vector", SMALL, ids=lambda vector: vector.name)
def test_vector_retry_is_known_when_its_event_comes(vector: Vector) -> None:
    decoder = SSEDecoder()
    known = [decoder.retry for byte in pieces(vector.body, 1) for _ in decoder.feed(byte)]
    assert vector.any_retry or all(said in (None, now) for said, now in zip(vector.retries, known, strict=True))
