"""The smaller pieces of an answer: waiting, thinking, a tool call, a notice, the figures. Each draws itself and no more."""

import json
import math
import time
from collections.abc import Callable

from nicegui import ui

from services.events import Reason, Usage
from services.prices import Cost
from ui.language import phrase, say, say_count, say_number
from ui.panels.actions import Once, once
from ui.panels.prose import Prose

WORDS = {"connecting": "", "waiting": "", "thinking": phrase("Thinking…"), "stopping": phrase("Stopping…")}
FENCE = "~" * 40
READABLE = 100_000  # characters of arguments that are laid out
FOLDED, FOLDED_LINES = 600, 12  # characters, lines
ENOUGH = 9  # tokens, for a rate that means something
PATIENCE = 5  # seconds without a word before the time is told


class Waiting:
    """A quiet pulse before the first token; after a while it says for how long."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        with ui.element("div").classes("hr-waiting").props('role="status"') as self._box:
            ui.element("span").classes("hr-pulse")
            self._label = ui.label("")
        self._timer = ui.timer(1.0, self._tick)
        self._quiet = True  # nothing else is said

    def say(self, state: str) -> None:
        words = say(WORDS[state]) if state in WORDS else state
        self._quiet = not words
        self._label.set_text(words)

    def _tick(self) -> None:
        waited = time.monotonic() - self._since
        if waited >= PATIENCE and self._quiet:
            self._label.set_text(say("Still waiting, {seconds} s", seconds=f"{waited:.0f}"))

    def delete(self) -> None:
        self._timer.cancel()
        self._box.delete()


class Thought:
    """Reasoning: open while it runs, folded to "Thought for 7 s" when it ends. `began` in ms of the log; None: it has ended."""

    def __init__(self, began: float | None) -> None:
        self._began = began
        with ui.element("details").classes("hr-thought") as self._box:
            with ui.element("summary"):
                self._label = ui.label(say("Thinking…")).classes("hr-shimmer")
            self._prose = Prose()
        if began is not None:
            self._box.props("open")

    def write(self, text: str) -> None:
        self._prose.write(text)

    async def flush(self) -> None:
        await self._prose.flush()

    def finish(self, at: float) -> None:
        self._prose.finish()
        self._fold(max(at - (self._began or at), 0))

    def show(self, text: str, ms: float | None) -> None:
        self._prose.show(text)
        self._fold(ms)

    def _fold(self, ms: float | None) -> None:
        seconds = None if ms is None else round(ms / 1000)
        took = say("Thought for {seconds} s", seconds=seconds) if seconds else say("Thought for a moment")
        self._label.set_text(say("Thought") if seconds is None else took)
        self._label.classes(remove="hr-shimmer")
        self._box.props(remove="open")


class Tool:
    """A tool call: its name, and its arguments as they come; in the end they are laid out, and folded when they are long."""

    def __init__(self, name: str) -> None:
        self._arguments: list[str] = []
        with ui.element("details").classes("hr-tool").props("open") as self._box:
            with ui.element("summary"):
                ui.label(name).classes("hr-tool-name")
            self._prose = Prose()
        self._prose.write(f"{FENCE}json\n")

    def write(self, text: str) -> None:
        self._arguments.append(text)
        self._prose.write(text)

    async def flush(self) -> None:
        if self._arguments:
            await self._prose.flush()

    def finish(self) -> None:
        self.show("".join(self._arguments))

    def show(self, arguments: str) -> None:
        laid_out = _laid_out(arguments)
        self._prose.show(f"{FENCE}json\n{laid_out}\n{FENCE}" if laid_out.strip() else "")
        if len(laid_out) > FOLDED or laid_out.count("\n") >= FOLDED_LINES:
            self._box.props(remove="open")


def _laid_out(arguments: str) -> str:
    """JSON with its lines; what is none stays as it came. No JSON holds a line of tildes, and what does can only end its own box."""
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False, indent=2) if len(arguments) <= READABLE else arguments
    except (ValueError, RecursionError):
        return arguments


class Notice:
    """What went wrong, in the reply it concerns: a sentence, the upstream's own words, and what one can do."""

    def __init__(self, message: str, *, upstream: str | None = None, on_retry: Once | None = None) -> None:
        with ui.element("div").classes("hr-notice").props('role="alert"'):
            ui.label(message)
            if upstream:
                ui.label(upstream).classes("hr-upstream")
            if on_retry:
                once(ui.button(say("Retry"), color=None), on_retry).props("flat dense no-caps").classes("hr-retry")


Price = Callable[[str, Usage | None], Cost | None]  # of a reply, by its model's full name

REASONS = {
    "stop": phrase("ended by itself"),
    "length": phrase("cut off by the limit"),
    "tool_calls": phrase("ended with tool calls"),
    "content_filter": phrase("cut off by a filter"),
    "stopped": phrase("stopped"),
}


class Figures:
    """Model, time to first token, tokens and their rate, in one line that `tell` is given."""

    def __init__(self, tell: Callable[[str], None], cost: Price) -> None:
        self._tell = tell
        self._cost = cost
        self._model = ""

    def model(self, name: str) -> None:
        self._model = name
        self._tell(name)

    def show(self, usage: Usage | None, ttft_ms: float | None, ms: float | None, reason: Reason | None) -> None:
        figures = [self._model]
        if ttft_ms is not None:
            figures.append(say("first token {time}", time=_seconds(ttft_ms)))
        if usage and usage.input_tokens:
            figures.append(say_count(usage.input_tokens, "{n} token sent", "{n} tokens sent"))
        tokens = usage.output_tokens if usage else None
        if tokens:
            figures.append(say_count(tokens, "{n} token", "{n} tokens"))
            if ms is not None and ttft_ms is not None and ms > ttft_ms and tokens > ENOUGH:
                figures.append(say("{rate} tokens/s", rate=say_number(tokens / (ms - ttft_ms) * 1000)))
        if reason:
            figures.append(say(REASONS[reason]))
        if cost := self._cost(self._model, usage):
            figures.append(_money(cost))
        self._tell(" · ".join(figure for figure in figures if figure))


def _money(cost: Cost) -> str:
    """With as many digits as say something: $12.50, $0.0042."""
    digits = 2 if cost.amount >= 1 or not cost.amount else min(8, 1 - math.floor(math.log10(cost.amount)))
    amount = say_number(cost.amount, max(digits, 2))
    return f"{amount} {cost.currency}" if cost.currency.isalpha() else f"{cost.currency}{amount}"


def _seconds(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1000 else f"{say_number(ms / 1000, 1)} s"
