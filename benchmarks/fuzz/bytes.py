"""Coverage-guided bytes at everything that reads hostile ones. A crash, a hang or a broken promise ends it with the input that did it.

    uv run --with atheris python -m benchmarks.fuzz.bytes TARGET [SECONDS]      600 seconds if nothing is said

sse        the decoder of event streams, in any pieces, beside the standard's own words
ndjson     the decoder of lines
readers    every upstream dialect: whatever bytes come, in whatever pieces, the story told is whole
refusals   the words of a model server that refuses: no secret, no control character, at most 2 kB
body       a request body through the JSON gate, every client's dialect, and into every upstream's
turns      the same for JSON that is well-formed and otherwise anything: known names, wrong types, any nesting
markdown   a model's text, in any pieces: our own tags and attributes only, and the blocks of the whole text

The corpus begins with the tests' recordings and snippets, and is kept nowhere: each run begins there again.
"""

import asyncio
import contextlib
import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]  # only `--with atheris` has it

with atheris.instrument_imports(include=["services", "ui.markdown", "markdown_it", "latex2mathml"]):
    from starlette.requests import Request

    from services.api.reading import json_object
    from services.downstream import WRITERS
    from services.errors import HeadraceError, LimitExceeded, RequestError
    from services.upstream import READERS
    from services.upstream.refusals import refusal
    from services.wire.ndjson import NDJSONDecoder
    from services.wire.sse import SSEDecoder
    from tests.ui.arriving import streamed, whole
    from tests.ui.snippets import HOSTILE, SNIPPETS
    from tests.ui.test_hostile import inspect
    from tests.upstream.reading import check_story
    from tests.wire.test_sse import by_the_standard

RECORDINGS = Path(__file__).resolve().parents[2] / "tests" / "recordings"
HANG = 60  # seconds that one input may take, by the clock: on a busy machine the process itself may have to wait
LONGEST = 4096  # bytes of one input
LINE = 1 << 16
CONTROLS = re.compile("[\0-\x08\x0e-\x1f\x7f]")

BODIES = [
    b'{"model":"m","messages":[{"role":"user","content":"Hello"}],"stream":true,"temperature":0.5,"stop":["x"]}',
    b'{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}]}',
    b'{"model":"m","max_tokens":9,"system":"s","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}]}',
    b'{"model":"m","input":[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"message","role":"user","content":"b"}]}',
    b'{"model":"m","prompt":"p","options":{"num_predict":3},"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}',
    b'{"id":"c","messages":[{"id":"1","role":"user","parts":[{"type":"text","text":"hi"}]}],"trigger":"submit-message"}',
]


def pieces(data: bytes) -> list[bytes]:
    """The first byte says how the rest is cut, so that the fuzzer decides about that, too."""
    size = data[0] % 64 or 1 if data else 1
    return [data[at : at + size] for at in range(1, len(data), size)]


def sse(data: bytes) -> None:
    decoder = SSEDecoder()
    found = [frame for piece in pieces(data) for frame in decoder.feed(piece)]
    assert found == by_the_standard(data[1:]), "another reading than the standard's"
    decoder.finish()
    small = SSEDecoder(max_line=16, max_event=24)
    with contextlib.suppress(LimitExceeded):
        for piece in pieces(data):
            small.feed(piece)
        small.finish()


def ndjson(data: bytes) -> None:
    cut, one = NDJSONDecoder(), NDJSONDecoder()
    assert [text for piece in pieces(data) for text in cut.feed(piece)] + cut.finish() == one.feed(data[1:]) + one.finish()
    small = NDJSONDecoder(max_line=16)
    with contextlib.suppress(LimitExceeded):
        for piece in pieces(data):
            small.feed(piece)
        small.finish()


def readers(data: bytes) -> None:
    for make in READERS.values():
        reader, events = make(LINE), []
        with contextlib.suppress(LimitExceeded):
            for piece in pieces(data):
                events += reader.feed(piece)
            events += reader.finish()
            check_story(events)
        with contextlib.suppress(HeadraceError):
            make.models(data)  # type: ignore[attr-defined]


def refusals(data: bytes) -> None:
    status = 400 + (data[0] if data else 0) % 200
    error = refusal(status, {"retry-after": data[1:20].decode("latin-1")}, data[1:])
    said = error.upstream or ""
    assert len(said.encode()) <= 2048, "more than 2 kB of an upstream's words"
    assert not CONTROLS.search(said), "a control character"


def body(data: bytes) -> None:
    try:
        given = asyncio.run(json_object(_post(data)))
    except RequestError:
        return
    _into_every_dialect(given)


def _into_every_dialect(given: dict[str, Any]) -> None:
    for writer in WRITERS.values():
        try:
            turn = writer.turn(given)
        except RequestError:
            continue
        for make in READERS.values():
            with contextlib.suppress(RequestError):
                make().request(turn)


def _post(data: bytes) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": data, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}, receive)


MORE = """
    image file source media_type base64 url tool_calls tool_result tool_use_id is_error thinking signature reasoning summary
    output encrypted_content item_reference instructions previous_response_id response_format json_schema schema strict
    tool_choice images suffix template context raw think keep_alive budget_tokens reasoning_effort max_completion_tokens logprobs
    n seed stream_options include_usage metadata user_id developer dynamic-tool state toolCallId step-start mediaType
    providerMetadata conversation on_disconnect tries within
"""
WORDS = sorted({*MORE.split(), *(word.decode() for given in BODIES for word in re.findall(rb"\w+", given))})


def turns(data: bytes) -> None:
    said = atheris.FuzzedDataProvider(data)
    given = json.loads(said.PickValueInList(BODIES))
    for _ in range(said.ConsumeIntInRange(1, 6)):
        _change(said, given)
    if isinstance(given, dict):
        _into_every_dialect(given)


def _change(said: Any, value: Any) -> None:
    """Walk down to some place of it, and put anything there."""
    while True:
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = said.PickValueInList(WORDS if isinstance(value, dict) and (not keys or said.ConsumeIntInRange(0, 3) == 0) else keys or [None])
        if key is None:
            value.append(_value(said, 3))
            return
        below = value.get(key) if isinstance(value, dict) else value[key]
        if not isinstance(below, dict | list) or said.ConsumeIntInRange(0, 3) == 0:
            value[key] = _value(said, 4)
            return
        value = below


def _value(said: Any, depth: int) -> Any:
    match said.ConsumeIntInRange(0, 9 if depth else 6):
        case 0:
            return None
        case 1:
            return said.ConsumeBool()
        case 2:
            return said.ConsumeInt(8)
        case 3:
            return said.ConsumeRegularFloat()
        case 4:
            return said.ConsumeUnicodeNoSurrogates(20)
        case 5 | 6:
            return said.PickValueInList(WORDS)
        case 7:
            return [_value(said, depth - 1) for _ in range(said.ConsumeIntInRange(0, 3))]
    return {said.PickValueInList(WORDS): _value(said, depth - 1) for _ in range(said.ConsumeIntInRange(0, 5))}


def markdown(data: bytes) -> None:
    text = data[1:].decode("utf-8", "surrogatepass" if data[:1] < b"\x20" else "replace") if data else ""
    html = whole(text)
    inspect("".join(html))
    size = data[0] % 64 or 1 if data else 1
    assert streamed([text[at : at + size] for at in range(0, len(text), size)]) == html, "other blocks than those of the whole text"


def tolerant(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Bytes that are no text at all are no matter of markdown's."""

    def one(data: bytes) -> None:
        with contextlib.suppress(UnicodeDecodeError):
            target(data)

    return one


def recorded() -> list[bytes]:
    return [b"\x07" + path.read_bytes() for path in RECORDINGS.rglob("*") if path.suffix in {".sse", ".ndjson", ".json", ".html", ".txt"}]


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "sse": (sse, recorded),
    "ndjson": (ndjson, recorded),
    "readers": (readers, recorded),
    "refusals": (refusals, recorded),
    "body": (body, lambda: BODIES),
    "turns": (turns, lambda: [bytes(range(200))]),
    "markdown": (tolerant(markdown), lambda: [b"\x07" + text.encode("utf-8", "replace") for text in [*SNIPPETS, *HOSTILE]]),
}


def main(name: str, seconds: int) -> None:
    target, seeds = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds()):
            (Path(folder) / str(number)).write_bytes(seed[:LONGEST])
        flags = [f"-max_total_time={seconds}", f"-timeout={HANG}", f"-max_len={LONGEST}", "-rss_limit_mb=2048", "-print_final_stats=1"]
        atheris.Setup([name, folder, *flags], target)
        atheris.Fuzz()  # ends the process


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 600)
