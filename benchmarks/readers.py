"""What every reader of an upstream's dialect costs above what cannot be saved. Prints a Markdown table.

    uv run python -m benchmarks.readers [dialect ...]     about 2 s for each dialect

Microseconds of CPU per frame, the least of several runs, each frame fed by itself, as a model that is being watched sends
them. `bare` is the wire's own decoder and msgspec.json.decode of the same frames, and nothing done with them; `over` is what
the reader adds to that; 3 us is the goal.

Every streamed recording hello* of a dialect in tests/recordings is made into a long reply: its frames that are nothing but a
piece of prose are repeated, the ones before and after them are not. Nothing here knows a dialect.
"""

import json
import platform
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from services.events import PartDelta
from services.upstream import READERS
from services.wire.ndjson import NDJSONDecoder
from services.wire.sse import SSEDecoder

RECORDINGS = Path(__file__).parent.parent / "tests" / "recordings"
FRAMES = 4_000
RUNS = 9
FRAME_ENDS = {".sse": re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)"), ".ndjson": re.compile(rb"(?<=\n)")}

Chunks = list[bytes]


def recordings_of(dialect: str) -> list[Path]:
    told = [(path, json.loads(path.read_bytes())) for path in sorted(RECORDINGS.glob("*/hello*.expected.json"))]
    return [path.with_name(each["file"]) for path, each in told if each["dialect"] == dialect]


def chunks_of(recording: Path) -> Chunks:
    return [chunk for chunk in FRAME_ENDS[recording.suffix].split(recording.read_bytes()) if chunk]


def long_reply(dialect: str, chunks: Chunks) -> Chunks:
    """The same reply with its prose repeated until it has FRAMES frames of it; [] when no frame is just a piece of prose."""
    reader = READERS[dialect]()
    prose = [at for at, chunk in enumerate(chunks) if list(map(type, reader.feed(chunk))) == [PartDelta]]
    if not prose:
        return []
    first, last = prose[0], prose[-1] + 1
    repeated = [chunks[at] for at in prose]
    return chunks[:first] + repeated * (FRAMES // len(repeated)) + chunks[last:]


def read(dialect: str, chunks: Chunks) -> None:
    reader = READERS[dialect]()
    for chunk in chunks:
        reader.feed(chunk)
    reader.finish()
    assert reader.done


def bare(suffix: str, chunks: Chunks) -> None:
    decode = msgspec.json.decode
    if suffix == ".sse":
        frames = SSEDecoder()
        for chunk in chunks:
            for _, data, _ in frames.feed(chunk):
                if data != b"[DONE]":
                    decode(data)
    else:
        lines = NDJSONDecoder()
        for chunk in chunks:
            for line in lines.feed(chunk):
                decode(line)


def microseconds(work: Callable[[], None], frames: int) -> float:
    def once() -> float:
        began = time.process_time()
        work()
        return (time.process_time() - began) / frames * 1e6

    return min(once() for _ in range(RUNS))


def main() -> None:
    print(f"{platform.python_implementation()} {platform.python_version()}, msgspec {msgspec.__version__}, us of CPU per frame\n")
    print("| dialect | recording | bytes | bare | reader | over |")
    print("|---|---|--:|--:|--:|--:|")
    for dialect in sys.argv[1:] or READERS:
        for recording in recordings_of(dialect):
            chunks = long_reply(dialect, chunks_of(recording)) if recording.suffix in FRAME_ENDS else []
            if not chunks:
                continue
            least = microseconds(lambda: bare(recording.suffix, chunks), len(chunks))  # noqa: B023
            ours = microseconds(lambda: read(dialect, chunks), len(chunks))  # noqa: B023
            size = sum(map(len, chunks)) // len(chunks)
            print(f"| {dialect} | {recording.name} | {size} | {least:.2f} | {ours:.2f} | {ours - least:+.2f} |", flush=True)


if __name__ == "__main__":
    main()
