"""GET /metrics: what Prometheus' own parser reads is what has happened."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.events import Entry, Event, Failed, Finished, PartDelta, PartStarted, Retrying, Started, Usage
from services.metrics import House, exposition
from services.metrics.instruments import Counter
from tests.serving import Served, served


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("counted"), "[rehearsal]\nspeed = 1e9\n") as running:
        yield running


Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    return {
        (one.name, frozenset(one.labels.items())): one.value for family in text_string_to_metric_families(text) for one in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0)


def asked(model: str, **more: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "whisper"}], **more}


def test_what_has_happened_is_counted(counted: Served) -> None:
    with httpx.Client(base_url=counted.url, trust_env=False) as client:
        client.post("/v1/chat/completions", json=asked("rehearsal/guide", stream=True))
        client.post("/v1/chat/completions", json=asked("rehearsal/echo"))
        client.post("/v1/chat/completions", json=asked('evil"} 1\n'))
        for path in ("/chat/one", "/chat/two", "/api/nowhere"):
            client.get(path)
        deadline = time.monotonic() + 10
        while True:  # a call is counted once it is over, a moment after its client has the answer
            answer = client.get("/metrics")
            now = parsed(answer.text)
            if value(now, "headrace_http_requests_total", method="GET", route="none", status="404") or time.monotonic() > deadline:
                break
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert value(now, "headrace_generations_started_total", upstream="rehearsal") == 2
    assert value(now, "headrace_generations_ended_total", upstream="rehearsal", end="stop") == 2
    assert value(now, "headrace_generations_running", upstream="rehearsal") == 0
    assert value(now, "headrace_time_to_first_token_seconds_count", upstream="rehearsal") == 2
    assert value(now, "headrace_inter_token_seconds_count", upstream="rehearsal") > 50
    assert value(now, "headrace_tokens_total", upstream="rehearsal", direction="output") > 50
    assert value(now, "headrace_streams_ended_total", end="complete") == 1
    assert value(now, "headrace_stream_bytes_total") > 1000
    assert value(now, "headrace_http_requests_total", method="GET", route="/chat/{id}", status="404") == 2
    assert value(now, "headrace_journal_entries_total") > 50
    assert value(now, "headrace_journal_commit_seconds_count") > 0
    assert value(now, "process_resident_memory_bytes") > 10_000_000
    assert value(now, "process_open_fds") > 5
    assert not any(word in answer.text for word in ("evil", "whisper", "nowhere", "/chat/one"))


def test_a_reply_is_counted_by_its_log() -> None:
    house = House()
    failed: list[Event] = [Started("g", "u/m", 1), Retrying(2, 10, "reset"), Failed("truncated", "Cut off.", ttft_ms=None, ms=40.0)]
    whole: list[Event] = [
        Started("h", "u/m", 1),
        PartStarted(0, "text"),
        PartDelta(0, "a"),
        PartDelta(0, "b"),
        Usage(3, 2),
        Finished("length", None, 100.0, 900.0),
    ]
    for events in (failed, whole):
        house.replies.started("u")
        house.replies.ended("u", [Entry(n, 20.0 * n, event) for n, event in enumerate(events, 1)])
    now = parsed(exposition(house.families()).decode())
    assert value(now, "headrace_retries_total", upstream="u", code="reset") == 1
    assert value(now, "headrace_generation_errors_total", upstream="u", code="truncated") == 1
    assert value(now, "headrace_generations_ended_total", upstream="u", end="failed") == 1
    assert value(now, "headrace_generations_ended_total", upstream="u", end="length") == 1
    assert value(now, "headrace_tokens_total", upstream="u", direction="input") == 3
    assert value(now, "headrace_time_to_first_token_seconds_sum", upstream="u") == 0.1
    assert value(now, "headrace_inter_token_seconds_bucket", upstream="u", le="0.01") == 0
    assert value(now, "headrace_inter_token_seconds_bucket", upstream="u", le="0.025") == 1
    assert value(now, "headrace_inter_token_seconds_bucket", upstream="u", le="+Inf") == 1


def test_a_label_can_say_anything_and_stays_one_label() -> None:
    odd = 'a"} 1\nb\\'
    counter = Counter("n_total", "Of something.", "what")
    counter.add(odd)
    assert parsed(exposition([counter.family()]).decode()) == {("n_total", frozenset({("what", odd)})): 1}


def test_figures_can_be_kept_back(tmp_path: Path) -> None:
    with served(tmp_path, "[metrics]\non = false\n") as off:
        assert httpx.get(f"{off.url}/metrics", trust_env=False).status_code == 404
