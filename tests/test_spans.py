"""Spans for OpenTelemetry: what its own SDK keeps of a generation, and what a collector is sent by a real server."""

from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.events import Entry, Event, Failed, Finished, Started, Usage
from services.messages import Message, Options, Text, Turn
from services.spans import Spans
from tests.listening import Handler, listening
from tests.serving import served

TURN = Turn("lab/big-one", (Message("user", (Text("whisper"),)),), Options(temperature=0.5), conversation="c1")


def ended(*events: Event) -> tuple[InMemorySpanExporter, Spans]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    spans = Spans(provider)
    spans.ended("g1", TURN, [Entry(number, 0.0, event) for number, event in enumerate(events, 1)])
    return kept, spans


def test_a_generation_is_one_span_as_the_conventions_have_it() -> None:
    kept, _ = ended(Started("g1", "lab/big-one", 1), Usage(3, 2), Finished("length", None, 100.0, 900.0))
    (span,) = kept.get_finished_spans()
    assert span.name == "chat big-one"
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "lab",
        "gen_ai.request.model": "big-one",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.id": "g1",
        "gen_ai.response.finish_reasons": ("length",),
        "gen_ai.conversation.id": "c1",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
    }
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 900_000_000
    assert [(event.name, event.timestamp - span.start_time) for event in span.events] == [("first token", 100_000_000)]
    assert "whisper" not in span.to_json()


def test_a_failure_is_an_error_with_its_code() -> None:
    kept, _ = ended(Started("g1", "lab/big-one", 1), Failed("truncated", "Cut off.", upstream="their words", ms=5.0))
    (span,) = kept.get_finished_spans()
    assert (span.attributes or {})["error.type"] == "truncated"
    assert not span.status.is_ok
    assert "their words" not in span.to_json()


@pytest.fixture
def collector() -> Iterator[tuple[str, "Queue[bytes]"]]:
    sent: Queue[bytes] = Queue()

    class Collector(Handler):
        def do_POST(self) -> None:
            sent.put(self.body())
            self.answer(200)

    with listening(Collector) as port:
        yield f"http://127.0.0.1:{port}/v1/traces", sent


def test_a_collector_gets_them_at_the_latest_when_the_server_ends(tmp_path: Path, collector: tuple[str, "Queue[bytes]"]) -> None:
    endpoint, sent = collector
    with served(tmp_path, f'[tracing]\nendpoint = "{endpoint}"\n[rehearsal]\nspeed = 1e9\n') as running:
        asked = {"model": "rehearsal/echo", "messages": [{"role": "user", "content": "whisper"}]}
        httpx.post(f"{running.url}/v1/chat/completions", json=asked, trust_env=False).raise_for_status()
        assert running.terminate() == 0
    try:
        told = sent.get(timeout=10)
    except Empty:
        pytest.fail((tmp_path / "log").read_text())
    assert b"chat echo" in told
    assert b"gen_ai.usage.output_tokens" in told
    assert b"whisper" not in told
