"""A span for each generation, as OpenTelemetry's conventions for generative AI have them. Only where a collector is set.

    spans = open_spans("http://127.0.0.1:4318/v1/traces")     loads the extra `otel`; raises SettingsError where it is not installed
    spans.ended(id, turn, entries)                            once a log is complete: nothing is done while it grows
    spans.close()                                             sends what waits

What was asked and answered is not in it: names, numbers and codes only.
"""

import importlib
import time
from collections.abc import Sequence
from typing import Any, Self

from services.errors import SettingsError
from services.events import Entry, Failed, Finished, Usage
from services.messages import Turn

MISSING = "tracing.endpoint: expected the packages for it, which are not installed here: start with `uv run --extra otel main.py`"
OPTIONS = ("temperature", "top_p", "top_k", "max_tokens", "presence_penalty", "frequency_penalty", "seed")  # as the conventions call them


class Spans:
    """`provider` is a TracerProvider of OpenTelemetry's SDK."""

    def __init__(self, provider: Any) -> None:
        trace = importlib.import_module("opentelemetry.trace")
        self._client, self._error, self._status = trace.SpanKind.CLIENT, trace.StatusCode.ERROR, trace.Status
        self._provider = provider
        self._tracer = provider.get_tracer("headrace")

    @classmethod
    def to(cls, endpoint: str) -> Self:
        """Raises SettingsError where the extra is not installed."""
        try:
            sdk, export = importlib.import_module("opentelemetry.sdk.trace"), importlib.import_module("opentelemetry.sdk.trace.export")
            resources = importlib.import_module("opentelemetry.sdk.resources")
            otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        except ImportError as exc:
            raise SettingsError(MISSING) from exc
        provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": "headrace"}))
        provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter(endpoint=endpoint)))
        return cls(provider)

    def ended(self, id: str, turn: Turn, entries: Sequence[Entry]) -> None:
        """`turn.model` is the full name, upstream/model."""
        end = entries[-1].event
        if not isinstance(end, Finished | Failed):
            return
        now = time.time_ns()
        began = now - int((end.ms or 0.0) * 1e6)
        upstream, _, model = turn.model.partition("/")
        told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": upstream, "gen_ai.request.model": model, "gen_ai.response.id": id}
        span = self._tracer.start_span(f"chat {model}", kind=self._client, start_time=began, attributes=told)
        span.set_attributes(
            {f"gen_ai.request.{name}": value for name in OPTIONS if (value := getattr(turn.options, name, None)) is not None}
        )
        span.set_attributes(_counts(entries))
        if turn.conversation:
            span.set_attribute("gen_ai.conversation.id", turn.conversation)
        if end.ttft_ms is not None:
            span.add_event("first token", timestamp=began + int(end.ttft_ms * 1e6))
        match end:
            case Finished(reason=reason):
                span.set_attribute("gen_ai.response.finish_reasons", [reason])
            case Failed(code=code, message=message):
                span.set_attribute("error.type", code)
                span.set_status(self._status(self._error, message))
        span.end(end_time=now)

    def close(self) -> None:
        self._provider.shutdown()


def open_spans(endpoint: str) -> Spans | None:
    """None: nobody wants them. Raises SettingsError."""
    return Spans.to(endpoint) if endpoint else None


def _counts(entries: Sequence[Entry]) -> dict[str, int]:
    usage = next((entry.event for entry in reversed(entries[-20:]) if isinstance(entry.event, Usage)), Usage())
    counts = {"gen_ai.usage.input_tokens": usage.input_tokens, "gen_ai.usage.output_tokens": usage.output_tokens}
    return {name: count for name, count in counts.items() if count is not None}
