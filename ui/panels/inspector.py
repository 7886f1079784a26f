"""One reply looked into: what the model server sent, what it meant, and what went to each client, on one clock. It talks to nobody."""

import asyncio
import json
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from nicegui import ui
from nicegui.events import GenericEventArguments

from services.events import Entry
from services.messages import Reply, ReplyState, Turn, fold
from services.record.code import CODES
from services.record.figures import Figures, figures
from services.record.record import Exchange, Record
from services.record.told import hidden
from ui.language import say, say_count, say_number
from ui.panels.fields import button
from ui.panels.inspector_charts import axis, histogram, speed
from ui.panels.inspector_lanes import Lanes
from ui.panels.inspector_rows import Rows, time
from ui.panels.inspector_states import STATES
from ui.panels.keep import Keep
from ui.panels.player import Player
from ui.theme import text

_PLACE = "(e) => { const box = e.currentTarget.getBoundingClientRect(); emit((e.clientX - box.left) / box.width); }"
_COMPARE = "(e) => e.target.value && location.assign(`${location.pathname}?beside=${e.target.value}`)"
PORTION = 100  # rows in one answer; the list asks for as many
SLICE = 500  # rows searched before others get a turn
BUILTIN = "http://rehearsal/"  # in this process: no program can ask there
BODY = 200_000  # characters of a request that are shown


class Sums(NamedTuple):
    figures: Figures
    reply: Reply
    histogram: str
    speed: str
    axis: str


class Inspector:
    """`show` draws what is known now, as often as one likes, and `figure` what was figured out of it."""

    def __init__(
        self,
        generation: str,
        turn: Turn,
        *,
        on_stop: Callable[[], Awaitable[None]],
        on_continue: Callable[[], Awaitable[None]],
        on_keep: Callable[[str, bool], Awaitable[str]],
        on_act: Callable[[str], Awaitable[None]],
        name: str,
        others: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`others` are replies to compare it with: ids, and words for them. `name` is what a recording of it may be called."""
        self._rows = Rows()
        self._record: Record | None = None
        self._entries: Sequence[Entry] = ()
        self._view: list[int] | None = None  # the rows that were searched for; None: all
        self._search, self._lane = "", ""
        self._requests: list[Request] = []
        with ui.element("header").classes("hr-inspect-head"):
            text("a", say("All replies")).props('href="/inspect"').classes("hr-inspect-back")
            with ui.element("div").classes("hr-inspect-title"):
                text("h1", turn.model)
                self._state = ui.label("").classes("hr-inspect-state").props('role="status"')
                ui.label(say("asked by {client}", client=turn.client)).classes("hr-hint")
            with ui.element("div").classes("hr-inspect-does"):
                self._stop = button(say("Stop")).on("click", on_stop)
                self._continue = button(say("Open the chat") if turn.conversation else say("Continue as chat")).on("click", on_continue)
                self._keep = Keep(name, on_keep)
                self._raw = text("a", say("Download body")).props(f'href="/chat/{generation}/upstream" download')
                self._json = text("a", say("Download record")).props(f'href="/chat/{generation}/record" download="{generation}.json"')
                for link in (self._raw, self._json):
                    link.classes("hr-inspect-link")
                if others:
                    _compare(others)
        self._keep.build_dialog()
        self.player = Player(on_act)
        self._missing = ui.label("").classes("hr-inspect-missing")
        with ui.element("dl").classes("hr-inspect-figures"):
            names = {
                "headers": say("Time to headers"),
                "first": say("First token"),
                "gaps": say("Gaps: p50 / p95 / longest"),
                "speed": say("Tokens per second"),
                "stalls": say("Stalls"),
                "bursts": say("Bursts"),
                "tries": say("Requests"),
                "stop": say("Stop"),
            }
            self._figures = {}
            for key, name in names.items():
                with ui.element("div"):
                    text("dt", name)
                    self._figures[key] = text("dd", "–")
        with ui.element("div").classes("hr-inspect-charts"):
            self._histogram = _chart(say("Gaps between tokens, ms"))
            self._speed = _chart(say("Tokens per second, over the time"))
            self._axis = _chart(say("Model server, events, clients, over the whole time")).classes("hr-inspect-axis")
            self._axis.on("click", self._jump, js_handler=_PLACE)
        self._lanes = Lanes(on_range=self._give, on_pick=self._pick, on_find=self._find)
        self._sent = ui.element("div").classes("hr-inspect-requests")

    def show(self, record: Record | None, entries: Sequence[Entry], state: ReplyState) -> bool:
        """Whether there is anything new."""
        self._record, self._entries = record, entries
        running = state in ("waiting", "streaming")
        self._state.set_text(say(STATES[state]))
        self._state.props(f'data-state="{state}"')
        self._stop.set_visibility(running)
        self._continue.set_visibility(not running)
        self._keep.button.set_visibility(record is not None and not running)
        self._raw.set_visibility(record is not None)
        self._json.set_visibility(record is not None)
        self._missing.set_text(_missing(record))
        self._missing.set_visibility(bool(self._missing.text))
        if (since := self._rows.grow(record, entries)) is not None:
            self._grow(since)
        self._show_requests(record)
        return since is not None

    def sums(self) -> Sums:
        """What is figured out of it: the dear part, which may be done in a thread."""
        told = figures(self._record, self._entries)
        rows = self._rows.timeline.rows[:]
        return Sums(told, fold(self._entries), histogram(told), speed(told), axis(rows, told))

    def figure(self, sums: Sums) -> None:
        for key, words in _words(sums.figures, self._record, sums.reply).items():
            self._figures[key].text = words
        self._histogram.set_content(sums.histogram)
        self._speed.set_content(sums.speed)
        self._axis.set_content(sums.axis)

    # Rows, as they are asked for

    def _grow(self, since: int) -> None:
        if self._view is None:
            self._lanes.show(len(self._rows), since, self._rows.readers)
            return
        kept = [row for row in self._view if row < since]
        self._view = kept + [row for row in range(since, len(self._rows)) if self._fits(row)]
        self._lanes.show(len(self._view), len(kept), self._rows.readers)

    async def _give(self, start: int) -> None:
        rows = self._view[start : start + PORTION] if self._view is not None else range(start, min(start + PORTION, len(self._rows)))
        self._lanes.give(start, [self._rows.line(row) for row in rows])

    async def _pick(self, at: int) -> None:
        row = at if self._view is None else self._view[at] if at < len(self._view) else -1
        if 0 <= row < len(self._rows):
            self._lanes.closer(at, self._rows.closer(row))

    async def _find(self, search: str, lane: str) -> None:
        """Slice by slice: whatever else happens here goes on."""
        self._search, self._lane = wanted = search.casefold(), lane
        found: list[int] = []
        row = 0
        while (search or lane) and row < len(self._rows):
            end = min(row + SLICE, len(self._rows))
            found += [each for each in range(row, end) if self._fits(each)]
            row = end
            await asyncio.sleep(0)
            if (self._search, self._lane) != wanted:
                return
        self._view = found if search or lane else None
        self._lanes.show(len(self._rows) if self._view is None else len(self._view), 0, self._rows.readers, anew=True)

    def _jump(self, event: GenericEventArguments) -> None:
        """To the row of a moment, which is a part of the whole time."""
        rows = self._rows.timeline.rows
        if rows and isinstance(event.args, int | float):
            at = event.args * max(row.last for row in rows)
            view = range(len(rows)) if self._view is None else self._view
            self._lanes.go(max(0, bisect_right(view, at, key=lambda row: rows[row].at) - 1))

    def _fits(self, row: int) -> bool:
        if self._lane == "stalls":
            if self._rows.timeline.rows[row].gap < 1000:
                return False
        elif not self._rows.has(row, self._lane):
            return False
        lane = "" if self._lane == "stalls" else self._lane
        return not self._search or self._search in self._rows.text(row, lane).casefold()

    # Requests

    def _show_requests(self, record: Record | None) -> None:
        for number, exchange in enumerate(record.exchanges if record else ()):
            if number == len(self._requests):
                with self._sent:
                    self._requests.append(Request(number, exchange))
            if record is not None:
                self._requests[number].show(record)


class Request:
    """One request as it was sent, and the head of its answer."""

    def __init__(self, number: int, exchange: Exchange) -> None:
        self._exchange = exchange
        self._told = ""
        with ui.element("details").classes("hr-inspect-request"):
            with ui.element("summary"):
                text("b", say("Request {n}", n=number + 1))
                self._line = ui.label("")
            with ui.element("div").classes("hr-inspect-code"):
                text("h2", say("As it was sent"))
                for language in CODES if exchange.is_whole and not exchange.url.startswith(BUILTIN) else ():
                    copy = button(say("Copy as {language}", language=language))
                    copy.on("click", partial(self._copy, language))
            self._sent = text("pre", "").props('tabindex="0"')
            text("h2", say("What came back"))
            self._came = text("pre", "").props('tabindex="0"')

    def _copy(self, language: str) -> None:
        ui.run_javascript(f"copyText({json.dumps(CODES[language](self._exchange))})")
        ui.notify(say("Copied"), position="top")

    def show(self, record: Record) -> None:
        exchange = self._exchange
        status = "" if exchange.status is None else f" → {exchange.status}"
        closed = "" if exchange.closed_at is None else f" · {say('connection closed at {time}', time=time(record.ms(exchange.closed_at)))}"
        line = f"{exchange.method} {exchange.url}{status}{closed}"
        if line == self._told:
            return
        self._told = line
        self._line.set_text(hidden(record, line))
        body = exchange.body.decode("utf-8", "replace")
        with suppress(ValueError, RecursionError):
            body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
        cut = "" if len(body) <= BODY else "\n…"
        self._sent.text = hidden(record, f"{exchange.method} {exchange.url}\n{_headers(exchange.headers)}\n\n{body[:BODY]}{cut}")
        if exchange.status is not None:
            self._came.text = hidden(record, f"{exchange.status}\n{_headers(exchange.answered_headers)}")


def _compare(others: Sequence[tuple[str, str]]) -> None:
    with ui.element("select").classes("hr-lanes-kind hr-inspect-compare") as box:
        box.props["aria-label"] = say("Compare with…")
        for id, words in (("", say("Compare with…")), *others):
            text("option", words).props["^value"] = id
    box.on("change", js_handler=_COMPARE)


def _headers(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _chart(name: str) -> ui.html:
    with ui.element("figure"):
        drawn = ui.html("", sanitize=False)
        text("figcaption", name)
    return drawn


def _missing(record: Record | None) -> str:
    if record is None or record.dropped:
        return say(
            "What went over the wires is kept in memory, for a while and until Headrace ends. Of this reply there are only its events."
        )
    if record.left_out:
        return say("{n} bytes did not fit and are not shown.", n=say_number(record.left_out))
    return ""


def _words(told: Figures, record: Record | None, reply: Reply) -> dict[str, str]:
    rate = ""
    if told.first is not None and told.last is not None and told.last > told.first:
        tokens = reply.usage.output_tokens if reply.usage and reply.usage.output_tokens else told.deltas
        rate = say_number(tokens / (told.last - told.first) * 1000, 1)
    stop = "–"
    if reply.stop:
        events = say_count(reply.stop.events, "{n} event later", "{n} events later")
        stop = say("connection closed after {time}, {events}", time=time(reply.stop.ms), events=events)
    return {
        "headers": "–" if told.headers is None else time(told.headers),
        "first": "–" if told.first is None else time(told.first),
        "gaps": "–" if told.gaps is None else " / ".join(say_number(each, 1 if each < 100 else 0) for each in told.gaps) + " ms",
        "speed": rate or "–",
        "stalls": say_number(len(told.stalls)) + (f" ({time(max(gap for _, gap in told.stalls))})" if told.stalls else ""),
        "bursts": say_number(told.bursts) + (f" ({say('up to {n}', n=told.burst)})" if told.bursts else ""),
        "tries": say_number(len(record.exchanges)) if record else "–",
        "stop": stop,
    }
