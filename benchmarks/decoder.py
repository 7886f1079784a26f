"""What it costs to cut an event stream into events, beside httpx-sse and the OpenAI SDK. Prints a Markdown table.

    uv run --with httpx-sse python benchmarks/decoder.py

Microseconds of CPU per event, the least of several runs, all in one process and on the same bytes: chat completion chunks
of 203 bytes, as one event per chunk (a model that is being watched) and as chunks of 16 KiB (a fast one, or a replay).
Each decoder is fed the way its own library feeds it, without sockets, without asyncio and without reading the JSON.
"""

import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
from httpx_sse import EventSource  # type: ignore[import-not-found, unused-ignore]  # only `--with httpx-sse` has it
from openai._streaming import SSEDecoder as OpenAIDecoder

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from services.wire.sse import Frame, SSEDecoder, frame

EVENTS = 20_000
DISTINCT = 1_000  # frames that differ, so that no decoder profits from a cached string
RUNS = 15
KIB_16 = 16 * 1024

Chunks = list[bytes]
Decode = Callable[[Chunks], int]


def chat_chunk(number: int) -> bytes:
    head = '{"id":"chatcmpl-Cc5Zy0pQ2mV8sXw1t4Rk9Lb","object":"chat.completion.chunk","created":1763712000,"model":"gpt-5-mini"'
    return frame(f'{head},"choices":[{{"index":0,"delta":{{"content":" token {number:04}"}},"finish_reason":null}}]}}'.encode())


def one_event_per_chunk() -> Chunks:
    return [chat_chunk(number) for number in range(DISTINCT)] * (EVENTS // DISTINCT)


def regrouped(chunks: Chunks, size: int) -> Chunks:
    body = b"".join(chunks)
    return [body[start : start + size] for start in range(0, len(body), size)]


def ours(chunks: Chunks) -> int:
    return sum(len(frames) for frames in _fed(chunks))


def ours_as_text(chunks: Chunks) -> int:
    return sum(len([data.decode("utf-8", "replace") for _, data, _ in frames]) for frames in _fed(chunks))


def _fed(chunks: Chunks) -> Iterator[list[Frame]]:
    return map(SSEDecoder().feed, chunks)


def httpx_sse(chunks: Chunks) -> int:
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=iter(chunks))
    return sum(1 for _ in EventSource(response).iter_sse())


def openai_sdk(chunks: Chunks) -> int:
    return sum(1 for _ in OpenAIDecoder().iter_bytes(iter(chunks)))


DECODERS: dict[str, Decode] = {
    "headrace": ours,
    "headrace, data as text": ours_as_text,
    f"httpx-sse {version('httpx-sse')}": httpx_sse,
    f"openai {version('openai')}": openai_sdk,
}


def microseconds(decode: Decode, chunks: Chunks) -> float:
    began = time.process_time()
    events = decode(chunks)
    spent = time.process_time() - began
    if events != EVENTS:
        raise SystemExit(f"Expected {EVENTS} events, got {events}.")
    return spent / EVENTS * 1e6


def least(chunks: Chunks) -> dict[str, float]:
    """The decoders take turns, so that a busy moment of the machine hits all of them."""
    runs = [{name: microseconds(decode, chunks) for name, decode in DECODERS.items()} for _ in range(RUNS)]
    return {name: min(run[name] for run in runs) for name in DECODERS}


def main() -> None:
    single = one_event_per_chunk()
    small, large = least(single), least(regrouped(single, KIB_16))
    print(f"CPython {platform.python_version()}, {len(single[0])} bytes an event, {EVENTS:,} events, least of {RUNS} runs.\n")
    print("| decoder | one event per chunk, us | times ours | 16 KiB chunks, us | times ours |")
    print("|---|---:|---:|---:|---:|")
    for name in DECODERS:
        ratios = small[name] / small["headrace"], large[name] / large["headrace"]
        print(f"| {name} | {small[name]:.2f} | {ratios[0]:.1f} | {large[name]:.2f} | {ratios[1]:.1f} |")


if __name__ == "__main__":
    main()
