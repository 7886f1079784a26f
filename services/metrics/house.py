"""What there is to count: replies, what clients are sent, calls of the API, and how late the event loop is."""

from collections.abc import Sequence

from services.events import Entry, Failed, Finished, PartDelta, PartStarted, Retrying, Usage
from services.metrics.instruments import Counter, Family, Histogram, gauge

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
GAPS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SHORT = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
MOST_GAPS = 500  # that are looked at of one reply, evenly spread: some 0.1 ms at its end


class Replies:
    """Told of a generation when it starts and when its log is complete."""

    def __init__(self) -> None:
        self._started = Counter("headrace_generations_started_total", "Generations that were started.", "upstream")
        self._ended = Counter("headrace_generations_ended_total", "Generations that have ended, by their end.", "upstream", "end")
        self._errors = Counter("headrace_generation_errors_total", "Generations that have failed, by what went wrong.", "upstream", "code")
        self._retries = Counter("headrace_retries_total", "Requests that were sent to a model server again.", "upstream", "code")
        self._tokens = Counter("headrace_tokens_total", "Tokens, as model servers count them.", "upstream", "direction")
        self._ttft = Histogram("headrace_time_to_first_token_seconds", "From the start to the first piece.", SECONDS, "upstream")
        self._gaps = Histogram("headrace_inter_token_seconds", "Between two pieces; a sample of each reply.", GAPS, "upstream")
        self._whole = Histogram("headrace_generation_seconds", "From the start to the end.", SECONDS, "upstream")

    def started(self, upstream: str) -> None:
        self._started.add(upstream)

    def ended(self, upstream: str, entries: Sequence[Entry]) -> None:
        match entries[-1].event:
            case Finished(reason=reason) as end:
                self._ended.add(upstream, reason)
            case Failed(code=code) as end:
                self._ended.add(upstream, "failed")
                self._errors.add(upstream, code)
            case _:
                return
        if end.ttft_ms is not None:
            self._ttft.see(end.ttft_ms / 1000, upstream)
        if end.ms is not None:
            self._whole.see(end.ms / 1000, upstream)
        self._count_retries(upstream, entries)
        self._count_tokens(upstream, entries)
        self._see_gaps(upstream, entries)

    def _count_retries(self, upstream: str, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.event, PartStarted):
                return  # after the first word nobody is asked again
            if isinstance(entry.event, Retrying):
                self._retries.add(upstream, entry.event.code)

    def _count_tokens(self, upstream: str, entries: Sequence[Entry]) -> None:
        for entry in reversed(entries[-20:]):  # the last one counts, and comes with the end
            if isinstance(usage := entry.event, Usage):
                self._tokens.add(upstream, "input", by=usage.input_tokens or 0)
                self._tokens.add(upstream, "output", by=usage.output_tokens or 0)
                return

    def _see_gaps(self, upstream: str, entries: Sequence[Entry]) -> None:
        for at in range(0, len(entries) - 1, len(entries) // MOST_GAPS + 1):
            one, next = entries[at], entries[at + 1]
            if isinstance(one.event, PartDelta) and isinstance(next.event, PartDelta):
                self._gaps.see((next.at - one.at) / 1000, upstream)

    def families(self) -> list[Family]:
        each = (self._started, self._ended, self._errors, self._retries, self._tokens, self._ttft, self._gaps, self._whole)
        return [one.family() for one in each]


class Traffic:
    """Event streams to clients. `open` is how many there are."""

    def __init__(self) -> None:
        self.open = 0
        self._ended = Counter("headrace_streams_ended_total", "Event streams by their end: complete, left, slow.", "end")
        self._bytes = Counter("headrace_stream_bytes_total", "Bytes of event streams that were sent.")

    def ended(self, end: str, size: int) -> None:
        self._ended.add(end)
        self._bytes.add(by=size)

    def families(self) -> list[Family]:
        now = gauge("headrace_streams_open", "Event streams that are open.", self.open)
        return [now, self._ended.family(), self._bytes.family()]


class House:
    def __init__(self) -> None:
        self.replies = Replies()
        self.traffic = Traffic()
        self.calls = Counter("headrace_http_requests_total", "Calls of the API that are over.", "method", "route", "status")
        self.lag = Histogram("headrace_event_loop_lag_seconds", "How late the event loop is for an appointment.", SHORT)

    def families(self) -> list[Family]:
        return [*self.replies.families(), *self.traffic.families(), self.calls.family(), self.lag.family()]
