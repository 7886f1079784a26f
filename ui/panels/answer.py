"""One answer of a model: it grows with the entries of its generation, or is shown whole. It talks to nobody."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from services.events import Entry, Failed, Finished, PartDelta, PartFinished, PartStarted, Retrying, Started, Status, Usage
from services.messages import Attachment, Problem, Reasoning, Refusal, Reply, ReplyState, Text, ToolCall, state
from ui.panels.actions import copy_button
from ui.panels.parts import Figures, Notice, Thought, Tool, Waiting
from ui.panels.prose import Prose
from ui.theme import icon_button


class Answer:
    """The element carries `data-generation` and `data-state`, for tests and for those who style it."""

    def __init__(self, generation: str, *, on_retry: Callable[[], Awaitable[None]]) -> None:
        self.generation = generation
        self._on_retry = on_retry
        self._text: list[str] = []  # the answer as Markdown, for the copy button
        self._parts: dict[int, Prose | Thought | Tool] = {}
        self._usage: Usage | None = None
        self._ended = False
        with (
            ui.element("article").classes("hr-msg hr-assistant").props(f'data-role="assistant" data-generation="{generation}"') as self._box
        ):
            self._body = ui.element("div").classes("hr-body")
            with self._body:
                self._waiting = Waiting()
            with ui.element("div").classes("hr-actions") as self._actions:
                copy_button(lambda: "".join(self._text))
                self._again = icon_button("refresh", "Regenerate").on("click", self._on_retry)
                self._figures = Figures()
        self._set_state("waiting")

    def set_last(self, last: bool) -> None:
        self._again.set_visibility(last)
        self._box.classes(add="hr-last") if last else self._box.classes(remove="hr-last")

    def delete(self) -> None:
        self._box.delete()

    # Growing

    def apply(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        match entry.event:
            case PartDelta(number, text):
                if (part := self._parts.get(number)) is not None:
                    part.write(text)
                    if isinstance(part, Prose):
                        self._text.append(text)
            case PartStarted():
                self._begin(entry.event, entry.at)
            case PartFinished(number):
                if (part := self._parts.get(number)) is not None:
                    part.finish(entry.at) if isinstance(part, Thought) else part.finish()
            case Status(name):
                self._waiting.say(name)
            case Retrying(attempt, wait_ms):
                self._waiting.say(f"attempt {attempt}, in {wait_ms / 1000:.0f} s")
            case Usage():
                self._usage = entry.event
            case Finished() | Failed():
                self._end(entry.event)
            case Started(model=model):
                self._figures.model(model)

    def _begin(self, start: PartStarted, at: float) -> None:
        self._waiting.hide()
        self._set_state("streaming")
        with self._body:
            match start.kind:
                case "text" | "refusal":
                    if self._text:
                        self._text.append("\n\n")
                    self._parts[start.part] = Prose()
                case "reasoning":
                    self._parts[start.part] = Thought(at)
                case "tool_call":
                    self._parts[start.part] = Tool(start.name or "tool")

    def _end(self, end: Finished | Failed) -> None:
        self._ended = True
        self._waiting.hide()
        self._set_state(state(bool(self._parts), end))
        if isinstance(end, Failed):
            self._problem(Problem(end.code, end.message, end.retryable, end.status, end.upstream))
        else:
            self._reason(end.reason)
        self._figures.show(self._usage, end.ttft_ms, end.ms)

    async def flush(self) -> None:
        for part in list(self._parts.values()):
            await part.flush()

    # Whole

    def show(self, reply: Reply) -> None:
        """A reply that has ended."""
        self._ended = True
        self._waiting.hide()
        self._set_state(reply.state)
        self._figures.model(reply.model)
        with self._body:
            for part in reply.parts:
                self._show_part(part)
        if reply.problem:
            self._problem(reply.problem)
        elif reply.reason:
            self._reason(reply.reason)
        self._figures.show(reply.usage, reply.ttft_ms, reply.ms)

    def _show_part(self, part: object) -> None:
        match part:
            case Text(text) | Refusal(text):
                self._text.append(("\n\n" if self._text else "") + text)
                Prose().show(text)
            case Reasoning(text):
                Thought(None).show(text)
            case ToolCall(name=name, arguments=arguments):
                Tool(name).show(arguments)
            case Attachment(kind):
                Notice(f"The answer has a part that is not shown here: {kind}.")

    # Both

    def _problem(self, problem: Problem) -> None:
        with self._body:
            Notice(problem.message, upstream=problem.upstream, on_retry=self._on_retry)

    def _reason(self, reason: str) -> None:
        notes = {
            "length": "Cut off: the limit of tokens was reached.",
            "content_filter": "Cut off by the provider's content filter.",
            "stopped": "Stopped.",
        }
        with self._body:
            if note := notes.get(reason):
                ui.label(note).classes("hr-note")
            elif not self._text and not self._parts:
                ui.label("The model answered with nothing.").classes("hr-note")

    def _set_state(self, name: ReplyState) -> None:
        self._box.props(f'data-state="{name}" aria-busy="{"true" if name in ("waiting", "streaming") else "false"}"')
